//! Steps to a shorter policy, each of which allows all that the one before it does, and more.

use std::collections::{BTreeMap, BTreeSet};

use super::{Asked, Caller};

/// Resources in one place before the place stands for them, at first.
const MANY: usize = 8;

type Step = fn(&BTreeSet<Asked>) -> BTreeSet<Asked>;

/// The steps in their order, and what each does. The last one leaves a line for each service.
pub(super) const STEPS: [(&str, Step); 9] = [
    ("resources with eight or more in one place became all of that place", |asked| places(asked, MANY)),
    ("resources with two or more in one place became all of that place", |asked| places(asked, 2)),
    ("each resource became all of its kind, or of its bucket", |asked| resources(asked, kind)),
    ("each resource became all of its service's in that account", |asked| resources(asked, service)),
    ("resources became *", |asked| resources(asked, |_| "*".to_owned())),
    ("actions became all that begin with the same verb", |asked| actions(asked, verb)),
    ("actions became all of their service's", |asked| actions(asked, all_of_service)),
    ("callers became all of their accounts", |asked| callers(asked, account)),
    ("callers became everyone", |asked| callers(asked, |_| Caller::Everyone)),
];

fn resources(asked: &BTreeSet<Asked>, widen: impl Fn(&str) -> String) -> BTreeSet<Asked> {
    asked.iter().map(|asked| Asked { resource: widen(&asked.resource), ..asked.clone() }).collect()
}

fn actions(asked: &BTreeSet<Asked>, widen: impl Fn(&str) -> String) -> BTreeSet<Asked> {
    asked.iter().map(|asked| Asked { action: widen(&asked.action), ..asked.clone() }).collect()
}

fn callers(asked: &BTreeSet<Asked>, widen: impl Fn(&Caller) -> Caller) -> BTreeSet<Asked> {
    asked.iter().map(|asked| Asked { caller: widen(&asked.caller), ..asked.clone() }).collect()
}

/// Resources of which there are enough in one place become all of that place.
fn places(asked: &BTreeSet<Asked>, enough: usize) -> BTreeSet<Asked> {
    let mut places: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for asked in asked {
        if let Some(place) = place(&asked.resource) {
            places.entry(place).or_default().insert(&asked.resource);
        }
    }
    resources(asked, |resource| match place(resource) {
        Some(place) if places[&place].len() >= enough => place + "*",
        _ => resource.to_owned(),
    })
}

/// What comes before the last separator in a resource's name, with it.
fn place(resource: &str) -> Option<String> {
    let start = name_starts(resource)?;
    let end = resource[start..].rfind(['/', ':'])?;
    Some(resource[..=start + end].to_owned())
}

/// All of the kind, such as `arn:aws:rds:…:db:*`, or of the bucket.
fn kind(resource: &str) -> String {
    let first = name_starts(resource).and_then(|start| Some(start + resource[start..].find(['/', ':'])?));
    first.map_or_else(|| resource.to_owned(), |end| resource[..=end].to_owned() + "*")
}

/// All of the service's in an account.
fn service(resource: &str) -> String {
    name_starts(resource).map_or_else(|| resource.to_owned(), |start| resource[..start].to_owned() + "*")
}

/// Where an ARN's sixth part begins.
fn name_starts(resource: &str) -> Option<usize> {
    resource.match_indices(':').nth(4).map(|(at, _)| at + 1)
}

/// All that begin with the same verb: `rds:Describe*`.
fn verb(action: &str) -> String {
    let Some((service, name)) = action.split_once(':') else { return action.to_owned() };
    let end = name.char_indices().skip(1).find(|(_, letter)| !letter.is_ascii_lowercase());
    let verb = end.map_or(name, |(end, _)| &name[..end]);
    format!("{service}:{verb}*")
}

fn all_of_service(action: &str) -> String {
    action.split_once(':').map_or_else(|| action.to_owned(), |(service, _)| format!("{service}:*"))
}

fn account(caller: &Caller) -> Caller {
    match caller {
        Caller::Aws(arn) => match arn.splitn(6, ':').collect::<Vec<_>>()[..] {
            [_, partition, _, _, account, _] => Caller::Aws(format!("arn:{partition}:iam::{account}:root")),
            _ => caller.clone(),
        },
        _ => caller.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_have_places_kinds_and_services() {
        let key = "arn:aws:s3:::bucket/a/b/c.txt";
        assert_eq!(place(key).as_deref(), Some("arn:aws:s3:::bucket/a/b/"));
        assert_eq!((kind(key), service(key)), ("arn:aws:s3:::bucket/*".into(), "arn:aws:s3:::*".into()));
        let database = "arn:aws:rds:us-east-1:111122223333:db:one";
        assert_eq!(kind(database), "arn:aws:rds:us-east-1:111122223333:db:*");
        for whole in ["*", "arn:aws:s3:::bucket"] {
            assert_eq!((place(whole), kind(whole)), (None, whole.to_owned()));
        }
    }

    #[test]
    fn actions_have_verbs() {
        assert_eq!(verb("rds:DescribeDBInstances"), "rds:Describe*");
        assert_eq!(verb("s3:PutObject"), "s3:Put*");
        assert_eq!(verb("sqs:Send"), "sqs:Send*");
    }
}
