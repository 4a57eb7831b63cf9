//! IPv6 ranges of VPCs. Where AWS takes a VPC's range from its own, here it is from 2001:db8::/32, which RFC 3849 keeps
//! for documentation, so that it is nobody's.

use std::net::Ipv6Addr;

use ipnet::Ipv6Net;
use linkway_model::vpc::{Vpc, VpcIpv6Cidr};
use linkway_model::{Snapshot, VpcCidrAssociationId};
use linkway_store::Transaction;
use linkway_wire::ec2::{VpcCidrBlockState, VpcIpv6CidrBlockAssociation};

use crate::ec2::{cidr, network_acl, security_group};
use crate::{Caller, Error};

/// The pool that AWS's own ranges are from, by AWS's name.
pub(super) const POOL: &str = "Amazon";

/// Where ranges are from.
const RANGES: Ipv6Net = Ipv6Net::new_assert(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32);

/// The size that AWS gives a VPC's range.
const PREFIX: u8 = 56;

/// What a request says of an IPv6 range.
pub(super) struct Asked<'a> {
    pub(super) amazon_provided: Option<bool>,
    pub(super) own: bool,
    pub(super) border_group: Option<&'a str>,
}

macro_rules! asked {
    ($input:ident) => {
        $crate::ec2::vpc::ipv6::Asked {
            amazon_provided: $input.amazon_provided_ipv6_cidr_block,
            own: $input.ipv6_cidr_block.is_some()
                || $input.ipv6_pool.is_some()
                || $input.ipv6_ipam_pool_id.is_some()
                || $input.ipv6_netmask_length.is_some(),
            border_group: $input.ipv6_cidr_block_network_border_group.as_deref(),
        }
    };
}
pub(super) use asked;

impl Asked<'_> {
    /// Whether a range is to be given.
    pub(super) fn check(&self, caller: &Caller) -> Result<bool, Error> {
        let wanted = self.amazon_provided == Some(true);
        if self.own {
            return Err(Error::Unsupported(
                "There are no address pools: IPv6 CIDR blocks are Amazon-provided. Use \
                 AmazonProvidedIpv6CidrBlock."
                    .into(),
            ));
        }
        match self.border_group {
            Some(_) if !wanted => Err(Error::InvalidParameterCombination(
                "The parameter ipv6CidrBlockNetworkBorderGroup can only be used with the parameter \
                 amazonProvidedIpv6CidrBlock"
                    .into(),
            )),
            Some(group) if group != caller.region => Err(Error::InvalidParameterValue(format!(
                "Value ({group}) for parameter ipv6CidrBlockNetworkBorderGroup is invalid."
            ))),
            _ => Ok(wanted),
        }
    }
}

/// Give a VPC a range of its own. With the first one come what AWS's default ACL and default group say of IPv6.
pub(super) fn give(tx: &mut Transaction, vpc: &Vpc) -> VpcIpv6Cidr {
    let added = amazon_provided(tx);
    tx.update::<Vpc>(&vpc.id, |vpc| vpc.ipv6_cidrs.push(added.clone()));
    if vpc.ipv6_cidrs.is_empty() {
        network_acl::allow_ipv6(tx, &vpc.default_network_acl);
        security_group::let_out_ipv6(tx, &vpc.default_security_group);
    }
    added
}

/// A range that no VPC of the installation has. There are 16,777,216 to choose from.
fn amazon_provided(state: &Snapshot) -> VpcIpv6Cidr {
    let is_free = |net: &Ipv6Net| {
        !state.all::<Vpc>().any(|vpc| vpc.ipv6_cidrs.iter().any(|present| present.cidr == *net))
    };
    let at_random = || Ipv6Net::new_assert(cidr::random_address(RANGES), PREFIX).trunc();
    let cidr = std::iter::repeat_with(at_random).find(is_free).expect("the iterator has no end");
    VpcIpv6Cidr { association: VpcCidrAssociationId::random(), cidr }
}

/// A VPC's ranges with their associations' state.
pub(super) fn associations(vpc: &Vpc, state: &str) -> Vec<VpcIpv6CidrBlockAssociation> {
    vpc.ipv6_cidrs.iter().map(|range| association(vpc, range, state)).collect()
}

/// A range with its association's state.
pub(super) fn association(vpc: &Vpc, range: &VpcIpv6Cidr, state: &str) -> VpcIpv6CidrBlockAssociation {
    VpcIpv6CidrBlockAssociation {
        association_id: Some(range.association.to_string()),
        ip_source: Some("amazon".into()),
        ipv6_address_attribute: Some("public".into()),
        ipv6_cidr_block: Some(range.cidr.to_string()),
        ipv6_cidr_block_state: Some(VpcCidrBlockState { state: Some(state.into()), status_message: None }),
        ipv6_pool: Some(POOL.into()),
        network_border_group: Some(vpc.region.clone()),
    }
}
