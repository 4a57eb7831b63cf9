//! Subnets.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::{Ipv4Net, Ipv6Net};
use serde::{Deserialize, Serialize};

use crate::{
    AccountId, NetworkAclAssociationId, NetworkAclId, SubnetCidrAssociationId, SubnetId, Tags, VpcId,
};

/// A subnet: a part of a VPC's range, in one zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subnet {
    /// Its id.
    pub id: SubnetId,
    /// Who owns it.
    pub owner: AccountId,
    /// Where it is.
    pub region: String,
    /// Its VPC.
    pub vpc: VpcId,
    /// Its range.
    pub cidr: Ipv4Net,
    /// Its IPv6 range, if it has one.
    #[serde(default)]
    pub ipv6_cidr: Option<SubnetIpv6Cidr>,
    /// Name of its zone, such as `us-east-1a`.
    pub zone: String,
    /// Whether it is its zone's default subnet.
    #[serde(default)]
    pub default_for_az: bool,
    /// Whether instances get a public address; kept and shown.
    pub map_public_ip_on_launch: bool,
    /// Whether interfaces made in it get an IPv6 address.
    #[serde(default)]
    pub assign_ipv6_address_on_creation: bool,
    /// Whether its resolver makes up AAAA records of IPv4 addresses (AWS's DNS64).
    #[serde(default)]
    pub enable_dns64: bool,
    /// `ip-name` or `resource-name`.
    pub hostname_type: String,
    /// Whether the resource name has an A record.
    pub resource_name_a_record: bool,
    /// Whether the resource name has an AAAA record.
    #[serde(default)]
    pub resource_name_aaaa_record: bool,
    /// Its network ACL, and the association's id.
    pub network_acl: (NetworkAclAssociationId, NetworkAclId),
    /// Its tags.
    pub tags: Tags,
}

/// A subnet's IPv6 range: a part of one of its VPC's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubnetIpv6Cidr {
    /// The association's id.
    pub association: SubnetCidrAssociationId,
    /// The range.
    pub cidr: Ipv6Net,
}

impl Subnet {
    /// Whether an address is in one of its ranges.
    pub fn has_address(&self, address: impl Into<IpAddr>) -> bool {
        match address.into() {
            IpAddr::V4(address) => self.cidr.contains(&address),
            IpAddr::V6(address) => self.ipv6_cidr.as_ref().is_some_and(|range| range.cidr.contains(&address)),
        }
    }

    /// The subnet's router: its first address.
    pub fn router(&self) -> Ipv4Addr {
        Ipv4Addr::from(u32::from(self.cidr.network()).saturating_add(1))
    }

    /// Addresses that an interface may have: all but the first four and the last, as AWS keeps those.
    pub fn usable(&self) -> impl Iterator<Item = Ipv4Addr> + use<> {
        let first = u32::from(self.cidr.network()).saturating_add(4);
        let last = u32::from(self.cidr.broadcast());
        (first..last).map(Ipv4Addr::from)
    }
}
