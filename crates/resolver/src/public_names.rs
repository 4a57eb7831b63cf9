//! Which names of AWS's services VPCs asked for and got no private answer to: an endpoint may be meant to answer.

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
    /// The services' names in each region that was asked about.
    known: Mutex<HashMap<&'static str, Arc<HashSet<String>>>>,
}

impl PublicNames {
    /// Note that a VPC asked for a name, in lower case, if it is one of AWS's services'.
    pub(crate) fn note(&self, vpc: u32, name: &str) {
        let Some(name) = self.service_name(name) else { return };
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() < KEPT {
            seen.insert((vpc, name));
        }
    }

    /// What was noted.
    pub(crate) fn seen(&self) -> BTreeSet<(u32, String)> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The service's name that a name is, or falls under.
    fn service_name(&self, name: &str) -> Option<String> {
        if !name.contains(".amazonaws.") && !name.ends_with(".aws") {
            return None;
        }
        // Names without a region are the same in all.
        let region = name.split('.').find_map(Region::find).map_or("us-east-1", |region| region.name);
        let known = self.in_region(region);
        if known.contains(name) {
            return Some(name.to_owned());
        }
        let dots = name.match_indices('.').map(|(at, _)| format!("*{}", &name[at..]));
        dots.into_iter().find(|wildcard| known.contains(wildcard))
    }

    fn in_region(&self, region: &'static str) -> Arc<HashSet<String>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let names = || AwsService::all().iter().flat_map(|service| service.private_dns_names(region));
        Arc::clone(known.entry(region).or_insert_with(|| Arc::new(names().collect())))
    }
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
            names.note(7, name);
        }
        names.note(8, "rds.us-east-1.amazonaws.com");
        let expected = [
            (7, "*.s3.eu-west-1.amazonaws.com"),
            (7, "rds.us-east-1.amazonaws.com"),
            (8, "rds.us-east-1.amazonaws.com"),
        ];
        assert_eq!(names.seen(), expected.map(|(vpc, name)| (vpc, name.to_owned())).into());
    }
}
