//! Elastic addresses: public ones that an account keeps and puts where it wants.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

use crate::{AccountId, AllocationId, ElasticAddressAssociationId, NetworkInterfaceId, Tags};

/// An elastic address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ElasticAddress {
    /// The allocation's id.
    pub id: AllocationId,
    /// Who owns it.
    pub owner: AccountId,
    /// Where it is.
    pub region: String,
    /// The address: nobody else's in this installation.
    pub address: Ipv4Addr,
    /// What it stands for, if anything.
    pub association: Option<ElasticAssociation>,
    /// Its tags.
    pub tags: Tags,
}

/// An elastic address's association with a private one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ElasticAssociation {
    /// Its id.
    pub id: ElasticAddressAssociationId,
    /// The interface.
    pub interface: NetworkInterfaceId,
    /// Which of the interface's addresses.
    pub private_address: Ipv4Addr,
}

/// Where elastic addresses are from: the range that RFC 2544 keeps for tests, so that none of them is anybody's.
pub fn pool() -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(198, 18, 0, 0), 15)
}

impl ElasticAddress {
    /// The public name that AWS gives an address, such as `ec2-198-18-0-1.compute-1.amazonaws.com`.
    pub fn public_dns_name(&self) -> String {
        let [a, b, c, d] = self.address.octets();
        match self.region.as_str() {
            "us-east-1" => format!("ec2-{a}-{b}-{c}-{d}.compute-1.amazonaws.com"),
            region => format!("ec2-{a}-{b}-{c}-{d}.{region}.compute.amazonaws.com"),
        }
    }
}
