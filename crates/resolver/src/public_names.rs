//! Which names of services, AWS's and others', VPCs asked for and got no private answer to: an endpoint may be meant to answer.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use linkway_model::aws_service::AwsService;
use linkway_model::region::Region;

/// Notes that are kept. There are fewer than a thousand names in a region, and hardly ten in use in a VPC.
const KEPT: usize = 10_000;

/// The notes.
#[derive(Default)]
pub(crate) struct PublicNames {
    /// A VPC's number, and the name as the service has it, wildcard and all.
    seen: Mutex<BTreeSet<(u32, String)>>,
    /// AWS's services' names in each region that was asked about.
    known: Mutex<HashMap<&'static str, Arc<HashSet<String>>>>,
}

impl PublicNames {
    /// Note that a VPC asked for a name, in lower case, if it is one of AWS's services' or among `others`.
    pub(crate) fn note(&self, vpc: u32, name: &str, others: &HashSet<String>) {
        let Some(name) = self.of_aws(name).or_else(|| find(name, others)) else { return };
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() < KEPT {
            seen.insert((vpc, name));
        }
    }

    /// What was noted.
    pub(crate) fn seen(&self) -> BTreeSet<(u32, String)> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The AWS service's name that a name is, or falls under.
    fn of_aws(&self, name: &str) -> Option<String> {
        if !name.contains(".amazonaws.") && !name.ends_with(".aws") {
            return None;
        }
        // Names without a region are the same in all.
        let region = name.split('.').find_map(Region::find).map_or("us-east-1", |region| region.name);
        find(name, &self.in_region(region))
    }

    fn in_region(&self, region: &'static str) -> Arc<HashSet<String>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let names = || AwsService::all().iter().flat_map(|service| service.private_dns_names(region));
        Arc::clone(known.entry(region).or_insert_with(|| Arc::new(names().collect())))
    }
}

/// The name that a name is, or the wildcard that it falls under.
fn find(name: &str, known: &HashSet<String>) -> Option<String> {
    if known.contains(name) {
        return Some(name.to_owned());
    }
    let mut wildcards = name.match_indices('.').map(|(at, _)| format!("*{}", &name[at..]));
    wildcards.find(|wildcard| known.contains(wildcard))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_services_are_noted_and_each_once() {
        let names = PublicNames::default();
        for name in [
            "rds.us-east-1.amazonaws.com",
            "rds.us-east-1.amazonaws.com",
            "one.s3.eu-west-1.amazonaws.com",
            "two.of.s3.eu-west-1.amazonaws.com",
            "nothing.us-east-1.amazonaws.com",
            "example.com",
            "amazonaws.com",
            "",
        ] {
            names.note(7, name, &HashSet::new());
        }
        let others = ["db.shop.example.com", "*.shop.example.org"].map(str::to_owned).into();
        names.note(8, "rds.us-east-1.amazonaws.com", &others);
        names.note(8, "one.shop.example.org", &others);
        names.note(8, "shop.example.com", &others);
        let expected = [
            (7, "*.s3.eu-west-1.amazonaws.com"),
            (7, "rds.us-east-1.amazonaws.com"),
            (8, "*.shop.example.org"),
            (8, "rds.us-east-1.amazonaws.com"),
        ];
        assert_eq!(names.seen(), expected.map(|(vpc, name)| (vpc, name.to_owned())).into());
    }
}
