//! What a host name says: `vpce-0a1b.rds.us-east-1.vpce.amazonaws.com` is `rds`.

/// The labels of a host name, to be held against those of services.
pub(crate) struct Labels<'a> {
    labels: Vec<&'a str>,
    /// How many labels stand before one that may come after a service's: of each such, the last first.
    ends: Vec<usize>,
}

impl<'a> Labels<'a> {
    /// Of a host name.
    pub(crate) fn of(host: &'a str) -> Self {
        let labels: Vec<_> = labels(host).map(without_fips).collect();
        let ends = (0..labels.len()).rev().filter(|end| follows(labels[*end])).collect();
        Self { labels, ends }
    }

    /// How well they are a service's: how many say so, 0 if none does.
    pub(crate) fn fit(&self, stems: &[&str]) -> usize {
        stems.iter().map(|stem| self.fit_one(stem)).max().unwrap_or(0)
    }

    /// How many labels a stem has, if it is among these, before what may come after a service's.
    fn fit_one(&self, stem: &str) -> usize {
        let is_here = |end: &usize| {
            let mut before = self.labels[..*end].iter().rev();
            stem.rsplit('.').all(|part| before.next().is_some_and(|label| is(label, part)))
        };
        if self.ends.iter().any(is_here) { stem.split('.').count() } else { 0 }
    }
}

/// A label is a part of a stem, or that with an operation's own prefix: `sync-states`.
fn is(label: &str, part: &str) -> bool {
    label.eq_ignore_ascii_case(part)
        || label.len() > part.len() + 1
            && label.is_char_boundary(label.len() - part.len())
            && label[label.len() - part.len()..].eq_ignore_ascii_case(part)
            && label.as_bytes()[label.len() - part.len() - 1] == b'-'
}

/// What may come after a service's labels.
fn follows(label: &str) -> bool {
    is_region(label)
        || ["amazonaws", "api", "dualstack", "global", "on"]
            .iter()
            .any(|known| label.eq_ignore_ascii_case(known))
}

/// `us-east-1`, `us-gov-west-1`.
pub(crate) fn is_region(label: &str) -> bool {
    let bytes = label.as_bytes();
    let dashes = || (0..bytes.len()).filter(|at| bytes[*at] == b'-');
    let (first, last) = (dashes().next(), dashes().next_back());
    matches!((first, last), (Some(2..=4), Some(last)) if label[last + 1..].parse::<u8>().is_ok())
        && dashes().count() >= 2
}

/// A host's labels, without its port.
pub(crate) fn labels(host: &str) -> impl Iterator<Item = &str> {
    host.split(':').next().unwrap_or_default().trim_end_matches('.').split('.')
}

fn without_fips(label: &str) -> &str {
    let split = label.len().checked_sub("-fips".len()).and_then(|at| label.split_at_checked(at));
    split.filter(|(_, end)| end.eq_ignore_ascii_case("-fips")).map_or(label, |(start, _)| start)
}

/// What a host name of S3's says beside the service.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum S3Host {
    /// The bucket is in the path.
    Path,
    /// The bucket is in the host name.
    Bucket(String),
    /// `name-account`, and the region.
    AccessPoint { name: String, account: String, region: String },
    /// S3's control plane.
    Control,
}

/// Reads a host name of S3's. One that is not AWS's own holds no bucket.
pub(crate) fn s3(host: &str) -> S3Host {
    let labels: Vec<_> = labels(host).collect();
    let service = |at: &usize| {
        let label = labels[*at];
        (label == "s3" || label.starts_with("s3-") || label.starts_with("s3express"))
            && labels.get(at + 1).is_some_and(|next| follows(next))
    };
    let Some(at) = (0..labels.len()).rev().find(service) else { return S3Host::Path };
    let mut before = &labels[..at];
    let mut kind = without_fips(labels[at]);
    // An endpoint's own name: `WORD.vpce-….s3.REGION.vpce.amazonaws.com`, WORD for what is meant.
    if let [rest @ .., endpoint] = before
        && endpoint.starts_with("vpce-")
    {
        before = rest;
        kind = match rest.last() {
            Some(&"accesspoint") => "s3-accesspoint",
            Some(&"control") => "s3-control",
            _ => kind,
        };
        if let [rest @ .., "bucket" | "accesspoint" | "control"] = before {
            before = rest;
        }
    }
    let name = before.join(".");
    match kind {
        "s3-control" | "s3-outposts" => S3Host::Control,
        _ if kind.starts_with("s3express-control") => S3Host::Path,
        "s3-accesspoint" => match name.rsplit_once('-') {
            Some((name, account)) => S3Host::AccessPoint {
                name: name.to_owned(),
                account: account.to_owned(),
                region: labels[at + 1..]
                    .iter()
                    .find(|label| is_region(label))
                    .map_or("", |region| region)
                    .to_owned(),
            },
            None => S3Host::Path,
        },
        _ if name.is_empty() => S3Host::Path,
        _ => S3Host::Bucket(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_told_by_their_labels() {
        for (host, stems, labels) in [
            ("rds.us-east-1.amazonaws.com", &["rds"][..], 1),
            ("vpce-0a1b-x.rds.us-east-1.vpce.amazonaws.com:443", &["rds"], 1),
            ("api.ecr.us-east-1.amazonaws.com", &["api.ecr"], 2),
            ("api.ecr-fips.us-east-1.amazonaws.com", &["api.ecr"], 2),
            ("Api.ECR-Fips.US-East-1.AmazonAWS.com", &["api.ecr"], 2),
            ("sync-states.us-east-1.amazonaws.com", &["states"], 1),
            ("iam.amazonaws.com", &["iam"], 1),
            ("rds.s3.us-east-1.amazonaws.com", &["rds"], 0),
            ("127.0.0.1:8080", &["rds"], 0),
            ("é-states.us-east-1.amazonaws.com", &["é", "states"], 1),
        ] {
            assert_eq!(Labels::of(host).fit(stems), labels, "{host}");
        }
    }

    #[test]
    fn buckets_in_host_names() {
        let bucket = |name: &str| S3Host::Bucket(name.to_owned());
        for (host, expected) in [
            ("s3.us-east-1.amazonaws.com", S3Host::Path),
            ("s3.amazonaws.com", S3Host::Path),
            ("minio:9000", S3Host::Path),
            ("a.b.s3.us-east-1.amazonaws.com", bucket("a.b")),
            ("a.s3.amazonaws.com", bucket("a")),
            ("a.s3.dualstack.us-east-1.amazonaws.com", bucket("a")),
            ("s3.s3.us-east-1.amazonaws.com", bucket("s3")),
            ("bucket.vpce-1a2b.s3.us-east-1.vpce.amazonaws.com", S3Host::Path),
            ("mine.bucket.vpce-1a2b.s3.us-east-1.vpce.amazonaws.com", bucket("mine")),
            ("control.vpce-1a2b.s3.us-east-1.vpce.amazonaws.com", S3Host::Control),
            ("b--use1-az4--x-s3.s3express-use1-az4.us-east-1.amazonaws.com", bucket("b--use1-az4--x-s3")),
        ] {
            assert_eq!(s3(host), expected, "{host}");
        }
        let point = S3Host::AccessPoint {
            name: "my-point".to_owned(),
            account: "111122223333".to_owned(),
            region: "us-east-1".to_owned(),
        };
        assert_eq!(s3("my-point-111122223333.s3-accesspoint.us-east-1.amazonaws.com"), point);
        assert_eq!(s3("my-point-111122223333.accesspoint.vpce-1.s3.us-east-1.vpce.amazonaws.com"), point);
    }
}
