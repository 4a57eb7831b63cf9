//! Regions and their availability zones, under AWS's names.
//!
//! Source: AWS's documentation of regions and zones, "AWS Availability Zones" and "AWS Regions". In its oldest
//! regions AWS maps zone names to zone ids for each account; here everybody has the mapping below.

use crate::own_region;

/// An availability zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Zone {
    /// Such as `us-east-1a`.
    pub name: &'static str,
    /// Such as `use1-az6`: the same place for every account.
    pub id: &'static str,
}

/// A region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region {
    /// Such as `us-east-1`.
    pub name: &'static str,
    /// Such as `US East (N. Virginia)`.
    pub long_name: &'static str,
    /// Whether accounts have to opt in on AWS. Here all have.
    pub opt_in: bool,
    /// Its zones, by name.
    pub zones: &'static [Zone],
}

impl Region {
    /// Every region: AWS's by name, then the installation's own.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        REGIONS.iter().chain(own_region::adopted())
    }

    /// The region of this name.
    pub fn find(name: &str) -> Option<&'static Self> {
        Self::of_aws(name).or_else(|| own_region::adopted().iter().find(|region| region.name == name))
    }

    /// AWS's region of this name.
    pub(crate) fn of_aws(name: &str) -> Option<&'static Self> {
        REGIONS.binary_search_by_key(&name, |region| region.name).ok().map(|at| &REGIONS[at])
    }
}

impl Zone {
    /// The zone of this name, such as `us-east-1a`.
    pub fn find(name: &str) -> Option<&'static Self> {
        Region::all().flat_map(|region| region.zones).find(|zone| zone.name == name)
    }
}

const fn region(name: &'static str, long_name: &'static str, opt_in: bool, zones: &'static [Zone]) -> Region {
    Region { name, long_name, opt_in, zones }
}

const fn zone(name: &'static str, id: &'static str) -> Zone {
    Zone { name, id }
}

/// Every region of AWS's standard partition, by name.
const REGIONS: &[Region] = &[
    region(
        "af-south-1",
        "Africa (Cape Town)",
        true,
        &[zone("af-south-1a", "afs1-az1"), zone("af-south-1b", "afs1-az2"), zone("af-south-1c", "afs1-az3")],
    ),
    region(
        "ap-east-1",
        "Asia Pacific (Hong Kong)",
        true,
        &[zone("ap-east-1a", "ape1-az1"), zone("ap-east-1b", "ape1-az2"), zone("ap-east-1c", "ape1-az3")],
    ),
    region(
        "ap-east-2",
        "Asia Pacific (Taipei)",
        true,
        &[zone("ap-east-2a", "ape2-az1"), zone("ap-east-2b", "ape2-az2"), zone("ap-east-2c", "ape2-az3")],
    ),
    region(
        "ap-northeast-1",
        "Asia Pacific (Tokyo)",
        false,
        &[
            zone("ap-northeast-1a", "apne1-az4"),
            zone("ap-northeast-1c", "apne1-az1"),
            zone("ap-northeast-1d", "apne1-az2"),
        ],
    ),
    region(
        "ap-northeast-2",
        "Asia Pacific (Seoul)",
        false,
        &[
            zone("ap-northeast-2a", "apne2-az1"),
            zone("ap-northeast-2b", "apne2-az2"),
            zone("ap-northeast-2c", "apne2-az3"),
            zone("ap-northeast-2d", "apne2-az4"),
        ],
    ),
    region(
        "ap-northeast-3",
        "Asia Pacific (Osaka)",
        false,
        &[
            zone("ap-northeast-3a", "apne3-az1"),
            zone("ap-northeast-3b", "apne3-az2"),
            zone("ap-northeast-3c", "apne3-az3"),
        ],
    ),
    region(
        "ap-south-1",
        "Asia Pacific (Mumbai)",
        false,
        &[zone("ap-south-1a", "aps1-az1"), zone("ap-south-1b", "aps1-az3"), zone("ap-south-1c", "aps1-az2")],
    ),
    region(
        "ap-south-2",
        "Asia Pacific (Hyderabad)",
        true,
        &[zone("ap-south-2a", "aps2-az1"), zone("ap-south-2b", "aps2-az2"), zone("ap-south-2c", "aps2-az3")],
    ),
    region(
        "ap-southeast-1",
        "Asia Pacific (Singapore)",
        false,
        &[
            zone("ap-southeast-1a", "apse1-az1"),
            zone("ap-southeast-1b", "apse1-az2"),
            zone("ap-southeast-1c", "apse1-az3"),
        ],
    ),
    region(
        "ap-southeast-2",
        "Asia Pacific (Sydney)",
        false,
        &[
            zone("ap-southeast-2a", "apse2-az1"),
            zone("ap-southeast-2b", "apse2-az3"),
            zone("ap-southeast-2c", "apse2-az2"),
        ],
    ),
    region(
        "ap-southeast-3",
        "Asia Pacific (Jakarta)",
        true,
        &[
            zone("ap-southeast-3a", "apse3-az1"),
            zone("ap-southeast-3b", "apse3-az2"),
            zone("ap-southeast-3c", "apse3-az3"),
        ],
    ),
    region(
        "ap-southeast-4",
        "Asia Pacific (Melbourne)",
        true,
        &[
            zone("ap-southeast-4a", "apse4-az1"),
            zone("ap-southeast-4b", "apse4-az2"),
            zone("ap-southeast-4c", "apse4-az3"),
        ],
    ),
    region(
        "ap-southeast-5",
        "Asia Pacific (Malaysia)",
        true,
        &[
            zone("ap-southeast-5a", "apse5-az1"),
            zone("ap-southeast-5b", "apse5-az2"),
            zone("ap-southeast-5c", "apse5-az3"),
        ],
    ),
    region(
        "ap-southeast-6",
        "Asia Pacific (New Zealand)",
        true,
        &[
            zone("ap-southeast-6a", "apse6-az1"),
            zone("ap-southeast-6b", "apse6-az2"),
            zone("ap-southeast-6c", "apse6-az3"),
        ],
    ),
    region(
        "ap-southeast-7",
        "Asia Pacific (Thailand)",
        true,
        &[
            zone("ap-southeast-7a", "apse7-az1"),
            zone("ap-southeast-7b", "apse7-az2"),
            zone("ap-southeast-7c", "apse7-az3"),
        ],
    ),
    region(
        "ca-central-1",
        "Canada (Central)",
        false,
        &[
            zone("ca-central-1a", "cac1-az1"),
            zone("ca-central-1b", "cac1-az2"),
            zone("ca-central-1d", "cac1-az4"),
        ],
    ),
    region(
        "ca-west-1",
        "Canada West (Calgary)",
        true,
        &[zone("ca-west-1a", "caw1-az1"), zone("ca-west-1b", "caw1-az2"), zone("ca-west-1c", "caw1-az3")],
    ),
    region(
        "eu-central-1",
        "Europe (Frankfurt)",
        false,
        &[
            zone("eu-central-1a", "euc1-az1"),
            zone("eu-central-1b", "euc1-az2"),
            zone("eu-central-1c", "euc1-az3"),
        ],
    ),
    region(
        "eu-central-2",
        "Europe (Zurich)",
        true,
        &[
            zone("eu-central-2a", "euc2-az1"),
            zone("eu-central-2b", "euc2-az2"),
            zone("eu-central-2c", "euc2-az3"),
        ],
    ),
    region(
        "eu-north-1",
        "Europe (Stockholm)",
        false,
        &[zone("eu-north-1a", "eun1-az1"), zone("eu-north-1b", "eun1-az2"), zone("eu-north-1c", "eun1-az3")],
    ),
    region(
        "eu-south-1",
        "Europe (Milan)",
        true,
        &[zone("eu-south-1a", "eus1-az1"), zone("eu-south-1b", "eus1-az2"), zone("eu-south-1c", "eus1-az3")],
    ),
    region(
        "eu-south-2",
        "Europe (Spain)",
        true,
        &[zone("eu-south-2a", "eus2-az1"), zone("eu-south-2b", "eus2-az2"), zone("eu-south-2c", "eus2-az3")],
    ),
    region(
        "eu-west-1",
        "Europe (Ireland)",
        false,
        &[zone("eu-west-1a", "euw1-az3"), zone("eu-west-1b", "euw1-az1"), zone("eu-west-1c", "euw1-az2")],
    ),
    region(
        "eu-west-2",
        "Europe (London)",
        false,
        &[zone("eu-west-2a", "euw2-az2"), zone("eu-west-2b", "euw2-az3"), zone("eu-west-2c", "euw2-az1")],
    ),
    region(
        "eu-west-3",
        "Europe (Paris)",
        false,
        &[zone("eu-west-3a", "euw3-az1"), zone("eu-west-3b", "euw3-az2"), zone("eu-west-3c", "euw3-az3")],
    ),
    region(
        "il-central-1",
        "Israel (Tel Aviv)",
        true,
        &[
            zone("il-central-1a", "ilc1-az1"),
            zone("il-central-1b", "ilc1-az2"),
            zone("il-central-1c", "ilc1-az3"),
        ],
    ),
    region(
        "me-central-1",
        "Middle East (UAE)",
        true,
        &[
            zone("me-central-1a", "mec1-az1"),
            zone("me-central-1b", "mec1-az2"),
            zone("me-central-1c", "mec1-az3"),
        ],
    ),
    region(
        "me-south-1",
        "Middle East (Bahrain)",
        true,
        &[zone("me-south-1a", "mes1-az1"), zone("me-south-1b", "mes1-az2"), zone("me-south-1c", "mes1-az3")],
    ),
    region(
        "mx-central-1",
        "Mexico (Central)",
        true,
        &[
            zone("mx-central-1a", "mxc1-az1"),
            zone("mx-central-1b", "mxc1-az2"),
            zone("mx-central-1c", "mxc1-az3"),
        ],
    ),
    region(
        "sa-east-1",
        "South America (Sao Paulo)",
        false,
        &[zone("sa-east-1a", "sae1-az1"), zone("sa-east-1b", "sae1-az2"), zone("sa-east-1c", "sae1-az3")],
    ),
    region(
        "us-east-1",
        "US East (N. Virginia)",
        false,
        &[
            zone("us-east-1a", "use1-az6"),
            zone("us-east-1b", "use1-az1"),
            zone("us-east-1c", "use1-az2"),
            zone("us-east-1d", "use1-az4"),
            zone("us-east-1e", "use1-az3"),
            zone("us-east-1f", "use1-az5"),
        ],
    ),
    region(
        "us-east-2",
        "US East (Ohio)",
        false,
        &[zone("us-east-2a", "use2-az1"), zone("us-east-2b", "use2-az2"), zone("us-east-2c", "use2-az3")],
    ),
    region(
        "us-west-1",
        "US West (N. California)",
        false,
        &[zone("us-west-1a", "usw1-az3"), zone("us-west-1b", "usw1-az1")],
    ),
    region(
        "us-west-2",
        "US West (Oregon)",
        false,
        &[
            zone("us-west-2a", "usw2-az2"),
            zone("us-west-2b", "usw2-az1"),
            zone("us-west-2c", "usw2-az3"),
            zone("us-west-2d", "usw2-az4"),
        ],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_their_regions_and_unique() {
        let mut ids = Vec::new();
        for region in REGIONS {
            assert!(region.zones.len() >= 2, "{}", region.name);
            for zone in region.zones {
                let letter = zone.name.strip_prefix(region.name).unwrap();
                assert!(letter.len() == 1 && letter.chars().all(|c| c.is_ascii_lowercase()), "{}", zone.name);
                assert!(!ids.contains(&zone.id), "{}", zone.id);
                ids.push(zone.id);
            }
        }
        assert!(REGIONS.is_sorted_by_key(|region| region.name));
        assert_eq!(Zone::find("us-east-1a").unwrap().id, "use1-az6");
        assert_eq!(Region::find("eu-west-1").unwrap().long_name, "Europe (Ireland)");
    }
}
