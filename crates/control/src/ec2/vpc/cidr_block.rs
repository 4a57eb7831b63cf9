//! Further address ranges of a VPC.

use std::sync::Arc;

use ipnet::IpNet;
use linkway_model::subnet::Subnet;
use linkway_model::vpc::{Vpc, VpcCidr};
use linkway_model::{Snapshot, VpcCidrAssociationId};
use linkway_wire::ec2::{
    AssociateVpcCidrBlockRequest, AssociateVpcCidrBlockResult, DisassociateVpcCidrBlockRequest,
    DisassociateVpcCidrBlockResult,
};

use super::{association, ipv6, range};
use crate::ec2::cidr;
use crate::error::NetworkError;
use crate::lookup::{Owned, named, required};
use crate::{Caller, Control, Error};

/// Ranges that a VPC may have of each family: AWS's quotas before anyone asks for more.
const MAX_RANGES: usize = 5;

pub(crate) fn associate(
    control: &Control,
    caller: &Caller,
    input: AssociateVpcCidrBlockRequest,
) -> Result<AssociateVpcCidrBlockResult, Error> {
    if input.ipv4_ipam_pool_id.is_some() {
        return Err(Error::Unsupported("There are no IPAM pools: give a CIDR block in the request.".into()));
    }
    if ipv6::asked!(input).check(caller)? {
        if input.cidr_block.is_some() {
            return Err(Error::InvalidParameterCombination(
                "The parameter amazonProvidedIpv6CidrBlock cannot be used with the parameter cidrBlock"
                    .into(),
            ));
        }
        return associate_ipv6(control, caller, input.vpc_id.as_deref());
    }
    let cidr = range(&required(input.cidr_block, "CidrBlock")?)?;
    control.write(None, |tx| {
        let vpc = Arc::clone(named::<Vpc>(tx, caller, input.vpc_id.as_deref(), "VpcId")?);
        if vpc.cidrs.iter().any(|present| cidr::overlap(present.cidr, cidr)) {
            return Err(NetworkError::CidrConflict(cidr).into());
        }
        check_count(&vpc, vpc.cidrs.len())?;
        let added = VpcCidr { association: VpcCidrAssociationId::random(), cidr };
        let shape = association(&added, "associating");
        tx.update::<Vpc>(&vpc.id, |vpc| vpc.cidrs.push(added));
        Ok(AssociateVpcCidrBlockResult {
            cidr_block_association: Some(shape),
            ipv6_cidr_block_association: None,
            vpc_id: Some(vpc.id.to_string()),
        })
    })
}

fn associate_ipv6(
    control: &Control,
    caller: &Caller,
    vpc: Option<&str>,
) -> Result<AssociateVpcCidrBlockResult, Error> {
    control.write(None, |tx| {
        let vpc = Arc::clone(named::<Vpc>(tx, caller, vpc, "VpcId")?);
        check_count(&vpc, vpc.ipv6_cidrs.len())?;
        let added = ipv6::give(tx, &vpc);
        let shape = ipv6::association(&vpc, &added, "associating");
        Ok(AssociateVpcCidrBlockResult {
            cidr_block_association: None,
            ipv6_cidr_block_association: Some(shape),
            vpc_id: Some(vpc.id.to_string()),
        })
    })
}

/// Each family has its own count.
fn check_count(vpc: &Vpc, present: usize) -> Result<(), Error> {
    if present < MAX_RANGES {
        return Ok(());
    }
    Err(NetworkError::CidrLimitExceeded { vpc: vpc.id.to_string(), most: MAX_RANGES }.into())
}

pub(crate) fn disassociate(
    control: &Control,
    caller: &Caller,
    input: DisassociateVpcCidrBlockRequest,
) -> Result<DisassociateVpcCidrBlockResult, Error> {
    let id = required(input.association_id, "AssociationId")?;
    control.write(None, |tx| {
        let its = |association: &VpcCidrAssociationId| association.as_str() == id;
        let has = |vpc: &Vpc| {
            vpc.cidrs.iter().any(|range| its(&range.association))
                || vpc.ipv6_cidrs.iter().any(|range| its(&range.association))
        };
        let found = tx.all::<Vpc>().find(|vpc| vpc.belongs_to(caller) && has(vpc));
        let vpc = Arc::clone(found.ok_or_else(|| NetworkError::CidrAssociationNotFound(id.clone()))?);
        let mut kept = Vpc::clone(&vpc);
        let mut answer = DisassociateVpcCidrBlockResult {
            vpc_id: Some(vpc.id.to_string()),
            ..DisassociateVpcCidrBlockResult::default()
        };
        if let Some(place) = vpc.cidrs.iter().position(|range| its(&range.association)) {
            if place == 0 {
                return Err(Error::OperationNotPermitted(format!(
                    "The vpc CIDR block with association ID {id} may not be disassociated. It is the primary IPv4 \
                     CIDR block of the VPC"
                )));
            }
            let removed = kept.cidrs.remove(place);
            check_unused(tx, &vpc, removed.cidr.into())?;
            answer.cidr_block_association = Some(association(&removed, "disassociating"));
        } else if let Some(place) = vpc.ipv6_cidrs.iter().position(|range| its(&range.association)) {
            let removed = kept.ipv6_cidrs.remove(place);
            check_unused(tx, &vpc, removed.cidr.into())?;
            answer.ipv6_cidr_block_association = Some(ipv6::association(&vpc, &removed, "disassociating"));
        }
        tx.put(kept);
        Ok(answer)
    })
}

/// A range in which a subnet has its own stays.
fn check_unused(state: &Snapshot, vpc: &Vpc, cidr: IpNet) -> Result<(), Error> {
    let mut subnets = state.all::<Subnet>().filter(|subnet| subnet.vpc == vpc.id);
    let used = subnets.any(|subnet| {
        let ipv6 = subnet.ipv6_cidr.as_ref().map(|range| range.cidr.into());
        std::iter::once(subnet.cidr.into()).chain(ipv6).any(|part: IpNet| cidr.contains(&part))
    });
    if used { Err(NetworkError::CidrInUse { vpc: vpc.id.to_string(), cidr }.into()) } else { Ok(()) }
}
