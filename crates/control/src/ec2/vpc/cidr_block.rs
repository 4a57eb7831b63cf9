//! Further address ranges of a VPC.

use std::sync::Arc;

use ipnet::Ipv4Net;
use linkway_model::VpcCidrAssociationId;
use linkway_model::subnet::Subnet;
use linkway_model::vpc::{Vpc, VpcCidr};
use linkway_wire::ec2::{
    AssociateVpcCidrBlockRequest, AssociateVpcCidrBlockResult, DisassociateVpcCidrBlockRequest,
    DisassociateVpcCidrBlockResult,
};

use super::{association, range};
use crate::ec2::cidr;
use crate::error::NetworkError;
use crate::lookup::{Owned, named, required};
use crate::{Caller, Control, Error};

/// Ranges that a VPC may have: AWS's quota before anyone asks for more.
const MAX_RANGES: usize = 5;

pub(crate) fn associate(
    control: &Control,
    caller: &Caller,
    input: AssociateVpcCidrBlockRequest,
) -> Result<AssociateVpcCidrBlockResult, Error> {
    if input.amazon_provided_ipv6_cidr_block == Some(true)
        || input.ipv6_cidr_block.is_some()
        || input.ipv6_pool.is_some()
        || input.ipv6_ipam_pool_id.is_some()
        || input.ipv4_ipam_pool_id.is_some()
    {
        return Err(Error::Unsupported("VPCs have IPv4 CIDR blocks, given in the request.".into()));
    }
    let cidr = range(&required(input.cidr_block, "CidrBlock")?)?;
    control.write(None, |tx| {
        let vpc = Arc::clone(named::<Vpc>(tx, caller, input.vpc_id.as_deref(), "VpcId")?);
        check(&vpc, cidr)?;
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

fn check(vpc: &Vpc, cidr: Ipv4Net) -> Result<(), Error> {
    if vpc.cidrs.iter().any(|present| cidr::overlap(present.cidr, cidr)) {
        return Err(NetworkError::CidrConflict(cidr).into());
    }
    if vpc.cidrs.len() >= MAX_RANGES {
        return Err(NetworkError::CidrLimitExceeded { vpc: vpc.id.to_string(), most: MAX_RANGES }.into());
    }
    Ok(())
}

pub(crate) fn disassociate(
    control: &Control,
    caller: &Caller,
    input: DisassociateVpcCidrBlockRequest,
) -> Result<DisassociateVpcCidrBlockResult, Error> {
    let id = required(input.association_id, "AssociationId")?;
    control.write(None, |tx| {
        let place = |vpc: &Vpc| vpc.cidrs.iter().position(|found| found.association.as_str() == id);
        let vpc = tx.all::<Vpc>().filter(|vpc| vpc.belongs_to(caller));
        let found = vpc.filter_map(|vpc| Some((Arc::clone(vpc), place(vpc)?))).next();
        let (vpc, place) = found.ok_or_else(|| NetworkError::CidrAssociationNotFound(id.clone()))?;
        if place == 0 {
            return Err(Error::OperationNotPermitted(format!(
                "The vpc CIDR block with association ID {id} may not be disassociated. It is the primary IPv4 CIDR \
                 block of the VPC"
            )));
        }
        let removed = &vpc.cidrs[place];
        if tx.all::<Subnet>().any(|subnet| subnet.vpc == vpc.id && removed.cidr.contains(&subnet.cidr)) {
            return Err(NetworkError::CidrInUse { vpc: vpc.id.to_string(), cidr: removed.cidr }.into());
        }
        tx.update::<Vpc>(&vpc.id, |vpc| {
            vpc.cidrs.remove(place);
        });
        Ok(DisassociateVpcCidrBlockResult {
            cidr_block_association: Some(association(removed, "disassociating")),
            ipv6_cidr_block_association: None,
            vpc_id: Some(vpc.id.to_string()),
        })
    })
}
