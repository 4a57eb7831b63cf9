//! A subnet's IPv6 ranges. There are none: no VPC has an IPv6 range that one could be a part of.

use ipnet::Ipv6Net;
use linkway_model::subnet::Subnet;
use linkway_wire::ec2::{
    AssociateSubnetCidrBlockRequest, AssociateSubnetCidrBlockResult, DisassociateSubnetCidrBlockRequest,
    DisassociateSubnetCidrBlockResult,
};

use crate::error::NetworkError;
use crate::lookup::{named, required};
use crate::{Caller, Control, Error};

pub(crate) fn associate(
    control: &Control,
    caller: &Caller,
    input: AssociateSubnetCidrBlockRequest,
) -> Result<AssociateSubnetCidrBlockResult, Error> {
    let state = control.read(None)?;
    named::<Subnet>(&state, caller, input.subnet_id.as_deref(), "SubnetId")?;
    if input.ipv6_ipam_pool_id.is_some() || input.ipv6_netmask_length.is_some() {
        return Err(Error::Unsupported("There are no IPAM pools.".into()));
    }
    let range = required(input.ipv6_cidr_block, "Ipv6CidrBlock")?;
    if range.parse::<Ipv6Net>().is_err() {
        return Err(Error::InvalidParameterValue(format!(
            "Value ({range}) for parameter ipv6CidrBlock is invalid. This is not a valid CIDR block."
        )));
    }
    // Not a part of any of the VPC's ranges.
    Err(Error::SubnetRange(range))
}

pub(crate) fn disassociate(
    _: &Control,
    _: &Caller,
    input: DisassociateSubnetCidrBlockRequest,
) -> Result<DisassociateSubnetCidrBlockResult, Error> {
    let id = required(input.association_id, "AssociationId")?;
    Err(NetworkError::SubnetCidrAssociationNotFound(id).into())
}
