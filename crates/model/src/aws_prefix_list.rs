//! AWS's own prefix lists: the public addresses of S3 and DynamoDB in a region.
//!
//! Source of the ranges, and of the ids in us-east-1: AWS's published ranges of that region, as its clients' tests
//! and examples show them. Here every region has the same ranges, and ids of its own.

use ipnet::IpNet;

use crate::{PrefixListId, hash};

/// A prefix list of AWS's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsPrefixList {
    /// Its id: AWS's where it is known, otherwise one that stays from one version of Linkway to the next.
    pub id: PrefixListId,
    /// Such as `com.amazonaws.us-east-1.s3`.
    pub name: String,
    cidrs: &'static [&'static str],
}

const S3: &[&str] = &["3.5.0.0/19", "52.216.0.0/15", "54.231.0.0/16"];
const DYNAMODB: &[&str] = &["3.218.180.0/23", "3.218.182.0/24", "52.94.0.0/22", "52.119.224.0/20"];

impl AwsPrefixList {
    /// The lists of a region, in the order of ids.
    pub fn all(region: &str) -> Vec<Self> {
        let mut lists: Vec<_> = [("s3", "63a5400a", S3), ("dynamodb", "02cd2c6b", DYNAMODB)]
            .into_iter()
            .filter_map(|(service, known, cidrs)| {
                let name = format!("com.amazonaws.{region}.{service}");
                let digits = match region {
                    "us-east-1" => known.to_owned(),
                    _ => hash::digits(&name, 8),
                };
                let id = format!("{}{digits}", PrefixListId::PREFIX).parse().ok()?;
                Some(Self { id, name, cidrs })
            })
            .collect();
        lists.sort_by(|a, b| a.id.cmp(&b.id));
        lists
    }

    /// The list of this id.
    pub fn find(region: &str, id: &PrefixListId) -> Option<Self> {
        Self::all(region).into_iter().find(|list| list.id == *id)
    }

    /// Its ranges.
    pub fn ranges(&self) -> Vec<IpNet> {
        self.cidrs.iter().filter_map(|cidr| cidr.parse().ok()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_region_has_both_and_all_their_ranges() {
        for region in ["us-east-1", "eu-west-1", "home-1"] {
            let lists = AwsPrefixList::all(region);
            assert_eq!(
                lists.iter().map(|list| list.ranges().len()).sum::<usize>(),
                S3.len() + DYNAMODB.len()
            );
            for list in lists {
                assert_eq!(AwsPrefixList::find(region, &list.id), Some(list));
            }
        }
        assert_eq!(AwsPrefixList::all("us-east-1")[1].id.as_str(), "pl-63a5400a");
    }
}
