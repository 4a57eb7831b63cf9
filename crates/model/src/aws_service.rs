//! AWS's own services, as far as they have interface endpoints: what each is called, which DNS names it has, and
//! what is known of its protocol. Data: `aws_services.txt`.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::region::Region;
use crate::{EndpointServiceId, hash};

/// The region that services without a region in their names count to: that of their control planes.
const GLOBAL: &str = "us-east-1";

/// An AWS service that has interface endpoints, the same in every region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsService {
    /// Its name, with `{region}` where a region's goes: `com.amazonaws.{region}.rds`, `com.amazonaws.iam`.
    pub pattern: &'static str,
    /// What its endpoints' DNS names have before the region: `rds`, `api.ecr`.
    pub label: &'static str,
    /// Whether it has gateway endpoints, too.
    pub gateway: bool,
    /// Whether its endpoints take a policy other than full access.
    pub policies: bool,
    /// What events call it: `rds.amazonaws.com`.
    pub event_source: &'static str,
    /// Names that signatures for it carry, the usual one first; empty: not known.
    pub signing_names: Vec<&'static str>,
    /// Its protocol: `ec2`, `query`, `json-1.0`, `json-1.1`, `rest-json`, `rest-xml`, `s3`, `cbor`.
    pub protocol: &'static str,
    private_names: Vec<&'static str>,
}

/// Labels of the services whose APIs Linkway has itself.
const SERVED_HERE: [&str; 9] =
    ["acm", "acm-fips", "ec2", "ec2-fips", "elasticloadbalancing", "rds", "rds-fips", "sts", "sts-fips"];

static SERVICES: LazyLock<Vec<AwsService>> =
    LazyLock::new(|| include_str!("aws_services.txt").lines().filter_map(AwsService::read).collect());

static BY_PATTERN: LazyLock<HashMap<&str, usize>> =
    LazyLock::new(|| SERVICES.iter().enumerate().map(|(at, service)| (service.pattern, at)).collect());

impl AwsService {
    /// All of them, in the order of their names.
    pub fn all() -> &'static [Self] {
        &SERVICES
    }

    /// The service of this full name, such as `com.amazonaws.us-east-1.rds`, and the region in it; of names
    /// without one, such as `com.amazonaws.iam`, the region of the service's control plane.
    pub fn find(name: &str) -> Option<(&'static Self, &'static Region)> {
        if name.starts_with("com.amazonaws.vpce.") {
            return None;
        }
        let (pattern, region) = match name.split('.').find_map(Region::find) {
            Some(region) => (name.replacen(region.name, "{region}", 1), region),
            None => (name.to_owned(), Region::find(GLOBAL)?),
        };
        Some((&SERVICES[*BY_PATTERN.get(&*pattern)?], region))
    }

    /// Whether it has one name for all regions. Endpoints to it are made in each.
    pub fn is_global(&self) -> bool {
        !self.pattern.contains("{region}")
    }

    /// Whether Linkway answers for it unless told otherwise.
    pub fn served_here(&self) -> bool {
        SERVED_HERE.contains(&self.label)
    }

    /// Its full name in a region.
    pub fn name(&self, region: &str) -> String {
        in_region(self.pattern, region)
    }

    /// Its id in a region: the same one always, as AWS's services have one, too.
    pub fn id(&self, region: &str) -> EndpointServiceId {
        let regional = if self.is_global() { region } else { "" };
        self.id_of(region, regional)
    }

    /// Its id as what gateway endpoints lead to, which is another one on AWS as well.
    pub fn gateway_id(&self, region: &str) -> EndpointServiceId {
        self.id_of(region, "Gateway")
    }

    fn id_of(&self, region: &str, what: &str) -> EndpointServiceId {
        let hash = hash::stable(self.name(region).into_bytes().into_iter().chain(what.bytes()));
        format!("{}{hash:017x}", EndpointServiceId::PREFIX).parse().expect("17 hexadecimal digits are an id")
    }

    /// What its endpoints' DNS names end with: `rds.us-east-1.vpce.amazonaws.com`.
    pub fn base_dns_name(&self, region: &str) -> String {
        format!("{}.{region}.vpce.amazonaws.com", self.label)
    }

    /// The names under which clients know it in a region; some with a wildcard: `*.s3.us-east-1.amazonaws.com`.
    pub fn private_dns_names(&self, region: &str) -> Vec<String> {
        self.private_names.iter().map(|pattern| in_region(pattern, region)).collect()
    }

    /// The names that lead to its public addresses in a region, which a gateway endpoint's route tables lead to; some
    /// with a wildcard. S3 has its global ones in us-east-1. Source: "Amazon Simple Storage Service endpoints and
    /// quotas" in AWS's general reference.
    pub fn public_names(&self, region: &str) -> Vec<String> {
        let mut names = self.private_dns_names(region);
        if names.is_empty() {
            names.extend(self.public_host(region));
        }
        if self.protocol == "s3" && region == "us-east-1" {
            names.extend(["s3.amazonaws.com", "*.s3.amazonaws.com"].map(str::to_owned));
        }
        names
    }

    /// The host of its own endpoint in a region, which clients ask without an interface endpoint: the first private
    /// name without a wildcard, or what its label makes if it has no private names. `None`: each client's is
    /// another.
    pub fn public_host(&self, region: &str) -> Option<String> {
        if self.private_names.is_empty() {
            return Some(format!("{}.{region}.amazonaws.com", self.label));
        }
        let plain = self.private_names.iter().find(|name| !name.starts_with("*."))?;
        Some(in_region(plain, region))
    }

    fn read(line: &'static str) -> Option<Self> {
        let mut fields = line.split_whitespace();
        let pattern = fields.next().filter(|field| !field.starts_with('#'))?;
        let mut field = || fields.next().filter(|field| *field != "-");
        let list =
            |field: Option<&'static str>| field.map(|list| list.split(',').collect()).unwrap_or_default();
        Some(Self {
            pattern,
            label: field()?,
            gateway: field() == Some("gateway"),
            policies: field() == Some("policies"),
            event_source: field()?,
            signing_names: list(field()),
            protocol: field()?,
            private_names: list(field()),
        })
    }
}

fn in_region(pattern: &str, region: &str) -> String {
    pattern.replace("{region}", region)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn services_are_found_by_their_full_names() {
        let (rds, region) = AwsService::find("com.amazonaws.eu-west-1.rds").unwrap();
        assert_eq!(region.name, "eu-west-1");
        assert_eq!(rds.private_dns_names("eu-west-1"), ["rds.eu-west-1.amazonaws.com"]);
        assert_eq!(rds.base_dns_name("eu-west-1"), "rds.eu-west-1.vpce.amazonaws.com");
        assert_eq!(AwsService::find("com.amazonaws.nowhere-1.rds"), None);
        assert_eq!(AwsService::find("com.amazonaws.eu-west-1.rd"), None);
    }

    #[test]
    fn some_names_have_no_region_or_another_form() {
        let (iam, region) = AwsService::find("com.amazonaws.iam").unwrap();
        assert!(iam.is_global() && region.name == GLOBAL);
        assert_eq!(iam.name("eu-west-1"), "com.amazonaws.iam");
        assert_ne!(iam.id("eu-west-1"), iam.id("us-east-1"));
        let (notebook, region) = AwsService::find("aws.sagemaker.eu-west-1.notebook").unwrap();
        assert!(!notebook.is_global() && region.name == "eu-west-1");
        assert_eq!(notebook.private_dns_names("eu-west-1"), ["*.notebook.eu-west-1.sagemaker.aws"]);
        assert_eq!(AwsService::find("com.amazonaws.rds"), None);
        assert_eq!(AwsService::find("com.amazonaws.eu-west-1.iam"), None);
    }

    #[test]
    fn public_hosts_are_of_the_region() {
        let host = |name: &str| {
            AwsService::find(&format!("com.amazonaws.eu-west-1.{name}")).unwrap().0.public_host("eu-west-1")
        };
        assert_eq!(host("dynamodb").unwrap(), "dynamodb.eu-west-1.amazonaws.com");
        assert_eq!(host("s3").unwrap(), "s3.eu-west-1.amazonaws.com");
        assert_eq!(host("sagemaker.api").unwrap(), "api.sagemaker.eu-west-1.amazonaws.com");
        assert_eq!(host("ecr.dkr"), None);
    }

    #[test]
    fn every_line_is_a_service_with_an_id_of_its_own() {
        let lines = include_str!("aws_services.txt").lines();
        let lines: Vec<_> = lines.filter(|line| !line.trim().is_empty() && !line.starts_with('#')).collect();
        assert_eq!(lines.len(), AwsService::all().len());
        assert!(lines.iter().all(|line| line.split_whitespace().count() == 8));
        assert!(AwsService::all().is_sorted_by_key(|service| service.pattern));
        let ids: HashSet<_> = AwsService::all().iter().map(|service| service.id("us-east-1")).collect();
        assert_eq!(ids.len(), AwsService::all().len());
    }

    #[test]
    fn every_column_is_what_it_should_be() {
        let is_label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'))
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let is_name = |name: &str| name.split('.').all(is_label);
        let mut owners = HashMap::new();
        for service in AwsService::all() {
            let pattern = service.pattern;
            assert!(is_name(&service.name("us-east-1")), "{pattern}");
            assert!(!pattern.contains(".vpce."), "{pattern}");
            assert!(is_name(service.label), "{pattern}");
            assert!(is_name(service.event_source), "{pattern}");
            assert!(service.event_source.ends_with(".amazonaws.com"), "{pattern}");
            let protocols = ["ec2", "query", "json-1.0", "json-1.1", "rest-json", "rest-xml", "s3", "cbor"];
            assert!(protocols.contains(&service.protocol), "{pattern}");
            for name in service.private_dns_names("us-east-1") {
                let domain = name.strip_prefix("*.").unwrap_or(&name);
                assert!(is_name(domain), "{pattern}: {name}");
                // A domain that two services had could be private in a VPC for one of them only.
                let owner = *owners.entry(domain.to_owned()).or_insert(pattern);
                assert_eq!(owner, pattern, "{name}");
            }
            let found = AwsService::find(&service.name("eu-west-1")).unwrap();
            assert_eq!(found.0, service);
        }
    }
}
