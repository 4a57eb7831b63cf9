//! VPCs.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde::{Deserialize, Serialize};

use crate::{
    AccountId, DhcpOptionsId, NetworkAclId, RouteTableId, SecurityGroupId, Tags, VpcCidrAssociationId, VpcId,
};

/// A virtual private cloud.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vpc {
    /// Its id.
    pub id: VpcId,
    /// Its number in the packet path's tables: from 1, never used again.
    pub number: u32,
    /// Who owns it.
    pub owner: AccountId,
    /// Where it is.
    pub region: String,
    /// Its address ranges; the first is the one it was made with.
    pub cidrs: Vec<VpcCidr>,
    /// Its IPv6 ranges, in the order they were given.
    #[serde(default)]
    pub ipv6_cidrs: Vec<VpcIpv6Cidr>,
    /// `default` or `dedicated`.
    pub tenancy: String,
    /// Whether it is the region's default VPC.
    pub is_default: bool,
    /// Whether its resolver answers. AWS's default: true.
    pub enable_dns_support: bool,
    /// Whether its instances have names. AWS's default: false, but true for a default VPC.
    pub enable_dns_hostnames: bool,
    /// Whether address usage is counted. Kept and shown; nothing here reads it.
    pub enable_network_address_usage_metrics: bool,
    /// Its DHCP options.
    pub dhcp_options: DhcpOptionsId,
    /// The security group that it was born with.
    pub default_security_group: SecurityGroupId,
    /// The route table of subnets that have none of their own.
    pub main_route_table: RouteTableId,
    /// The network ACL of subnets that have none of their own.
    pub default_network_acl: NetworkAclId,
    /// Its tags.
    pub tags: Tags,
}

impl Vpc {
    /// All of its ranges, those of IPv4 first: what its route tables have local routes to.
    pub fn ranges(&self) -> impl Iterator<Item = IpNet> + '_ {
        let v4 = self.cidrs.iter().map(|range| IpNet::V4(range.cidr));
        v4.chain(self.ipv6_cidrs.iter().map(|range| IpNet::V6(range.cidr)))
    }

    /// Whether an address is in one of its ranges.
    pub fn has_address(&self, address: impl Into<IpAddr>) -> bool {
        match address.into() {
            IpAddr::V4(address) => self.cidrs.iter().any(|range| range.cidr.contains(&address)),
            IpAddr::V6(address) => self.ipv6_cidrs.iter().any(|range| range.cidr.contains(&address)),
        }
    }
}

/// One address range of a VPC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VpcCidr {
    /// The association's id.
    pub association: VpcCidrAssociationId,
    /// The range.
    pub cidr: Ipv4Net,
}

/// One IPv6 range of a VPC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VpcIpv6Cidr {
    /// The association's id.
    pub association: VpcCidrAssociationId,
    /// The range.
    pub cidr: Ipv6Net,
}
