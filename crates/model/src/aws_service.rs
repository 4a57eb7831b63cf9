//! AWS's own services, as far as they have interface endpoints: what each is called, which DNS names it has, and
//! what is known of its protocol. Data: `aws_services.txt`.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::EndpointServiceId;
use crate::region::Region;

/// An AWS service that has interface endpoints, the same in every region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsService {
    /// Its name, with `{region}` where a region's goes: `com.amazonaws.{region}.rds`.
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
const SERVED_HERE: [&str; 4] = ["ec2", "elasticloadbalancing", "rds", "sts"];

static SERVICES: LazyLock<Vec<AwsService>> =
    LazyLock::new(|| include_str!("aws_services.txt").lines().filter_map(AwsService::read).collect());

static BY_PATTERN: LazyLock<HashMap<&str, usize>> =
    LazyLock::new(|| SERVICES.iter().enumerate().map(|(at, service)| (service.pattern, at)).collect());

impl AwsService {
    /// All of them, in the order of their names.
    pub fn all() -> &'static [Self] {
        &SERVICES
    }

    /// The service of this full name, such as `com.amazonaws.us-east-1.rds`, and the region in it.
    pub fn find(name: &str) -> Option<(&'static Self, &'static Region)> {
        if name.starts_with("com.amazonaws.vpce.") {
            return None;
        }
        let region = name.split('.').find_map(Region::find)?;
        let pattern = name.replacen(region.name, "{region}", 1);
        Some((&SERVICES[*BY_PATTERN.get(&*pattern)?], region))
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
        // FNV-1a, by the constants of its authors: ids must stay from one version to the next.
        let hash = self.name(region).bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
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
    fn every_line_is_a_service_with_an_id_of_its_own() {
        let lines = include_str!("aws_services.txt").lines();
        let lines = lines.filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
        assert_eq!(lines.count(), AwsService::all().len());
        let ids: std::collections::HashSet<_> =
            AwsService::all().iter().map(|service| service.id("us-east-1")).collect();
        assert_eq!(ids.len(), AwsService::all().len());
    }
}
