//! A subnet's IPv6 range: none or one, a part of one of its VPC's.

use std::sync::Arc;

use linkway_model::network_interface::NetworkInterface;
use linkway_model::subnet::{Subnet, SubnetIpv6Cidr};
use linkway_model::vpc::Vpc;
use linkway_model::{Snapshot, SubnetCidrAssociationId};
use linkway_wire::ec2::{
    AssociateSubnetCidrBlockRequest, AssociateSubnetCidrBlockResult, DisassociateSubnetCidrBlockRequest,
    DisassociateSubnetCidrBlockResult, SubnetCidrBlockState, SubnetIpv6CidrBlockAssociation,
};

use crate::ec2::cidr;
use crate::error::NetworkError;
use crate::lookup::{Owned, named, required};
use crate::{Caller, Control, Error};

/// The IPv6 range for a subnet: inside of the VPC, and nobody else's. Source of the sizes: the Amazon VPC user
/// guide, "IPv6 subnet CIDR blocks": /44 to /64, in increments of /4.
pub(super) fn ipv6(state: &Snapshot, vpc: &Vpc, text: &str) -> Result<SubnetIpv6Cidr, Error> {
    let net = cidr::ipv6_block(text)?;
    if !(44..=64).contains(&net.prefix_len()) || net.prefix_len() % 4 != 0 {
        return Err(Error::InvalidParameterValue(format!(
            "invalid value for parameter ipv6-cidr-block: {text}"
        )));
    }
    if !vpc.ipv6_cidrs.iter().any(|range| range.cidr.contains(&net)) {
        return Err(Error::SubnetIpv6Range(net));
    }
    let others = state.all::<Subnet>().filter(|other| other.vpc == vpc.id);
    let mut ranges = others.filter_map(|other| other.ipv6_cidr.as_ref());
    if ranges.any(|range| cidr::overlap(range.cidr, net)) {
        return Err(Error::SubnetIpv6Conflict(net));
    }
    Ok(SubnetIpv6Cidr { association: SubnetCidrAssociationId::random(), cidr: net })
}

/// A subnet's IPv6 ranges with their associations.
pub(super) fn associations(subnet: &Subnet) -> Vec<SubnetIpv6CidrBlockAssociation> {
    subnet.ipv6_cidr.iter().map(|range| association(range, "associated")).collect()
}

fn association(range: &SubnetIpv6Cidr, state: &str) -> SubnetIpv6CidrBlockAssociation {
    SubnetIpv6CidrBlockAssociation {
        association_id: Some(range.association.to_string()),
        ip_source: Some("amazon".into()),
        ipv6_address_attribute: Some("public".into()),
        ipv6_cidr_block: Some(range.cidr.to_string()),
        ipv6_cidr_block_state: Some(SubnetCidrBlockState { state: Some(state.into()), status_message: None }),
    }
}

pub(crate) fn associate(
    control: &Control,
    caller: &Caller,
    input: AssociateSubnetCidrBlockRequest,
) -> Result<AssociateSubnetCidrBlockResult, Error> {
    if input.ipv6_ipam_pool_id.is_some() || input.ipv6_netmask_length.is_some() {
        return Err(Error::Unsupported("There are no IPAM pools.".into()));
    }
    control.write(None, |tx| {
        let subnet = Arc::clone(named::<Subnet>(tx, caller, input.subnet_id.as_deref(), "SubnetId")?);
        let block = required(input.ipv6_cidr_block, "Ipv6CidrBlock")?;
        let vpc = Arc::clone(named::<Vpc>(tx, caller, Some(subnet.vpc.as_str()), "VpcId")?);
        if subnet.ipv6_cidr.is_some() {
            return Err(NetworkError::SubnetCidrLimitExceeded(subnet.id.to_string()).into());
        }
        let added = ipv6(tx, &vpc, &block)?;
        let shape = association(&added, "associating");
        tx.update::<Subnet>(&subnet.id, |subnet| subnet.ipv6_cidr = Some(added));
        Ok(AssociateSubnetCidrBlockResult {
            ipv6_cidr_block_association: Some(shape),
            subnet_id: Some(subnet.id.to_string()),
        })
    })
}

pub(crate) fn disassociate(
    control: &Control,
    caller: &Caller,
    input: DisassociateSubnetCidrBlockRequest,
) -> Result<DisassociateSubnetCidrBlockResult, Error> {
    let id = required(input.association_id, "AssociationId")?;
    let id: SubnetCidrAssociationId =
        id.parse().map_err(|_| NetworkError::MalformedSubnetCidrAssociation(id.clone()))?;
    control.write(None, |tx| {
        let range = |subnet: &Subnet| subnet.ipv6_cidr.clone().filter(|range| range.association == id);
        let own = tx.all::<Subnet>().filter(|subnet| subnet.belongs_to(caller));
        let found = own.filter_map(|subnet| Some((Arc::clone(subnet), range(subnet)?))).next();
        let (subnet, range) =
            found.ok_or_else(|| NetworkError::SubnetCidrAssociationNotFound(id.to_string()))?;
        check_unused(tx, &subnet, &range)?;
        tx.update::<Subnet>(&subnet.id, |subnet| subnet.ipv6_cidr = None);
        Ok(DisassociateSubnetCidrBlockResult {
            ipv6_cidr_block_association: Some(association(&range, "disassociating")),
            subnet_id: Some(subnet.id.to_string()),
        })
    })
}

/// A range that interfaces have addresses of stays, and so does one that an attribute of the subnet needs. AWS's words
/// for the latter are from a response in hashicorp/terraform-provider-aws#1519.
fn check_unused(state: &Snapshot, subnet: &Subnet, range: &SubnetIpv6Cidr) -> Result<(), Error> {
    let attributes = [
        (subnet.assign_ipv6_address_on_creation, "assign-ipv6-address-on-creation"),
        (subnet.enable_dns64, "enable-dns64"),
        (subnet.resource_name_aaaa_record, "enable-resource-name-dns-aaaa-record-on-launch"),
    ];
    let attribute = attributes.into_iter().find(|(set, _)| *set);
    let uses = |found: &NetworkInterface| found.subnet == subnet.id && !found.ipv6_addresses.is_empty();
    let why = if let Some((_, attribute)) = attribute {
        format!("its subnet has {attribute} set to true.")
    } else if let Some(user) = state.interfaces_in(&subnet.vpc).find(|found| uses(found)) {
        format!("the network interface {} has an IPv6 address of it.", user.id)
    } else {
        return Ok(());
    };
    Err(NetworkError::SubnetCidrInUse { association: range.association.to_string(), why }.into())
}

/// Whether a subnet may have an attribute that is about its IPv6 range. AWS's words are from a response in
/// terraform-aws-modules/terraform-aws-vpc#735.
pub(super) fn check_attribute(subnet: &Subnet, name: &str) -> Result<(), Error> {
    if subnet.ipv6_cidr.is_some() {
        return Ok(());
    }
    Err(Error::InvalidParameterValue(format!(
        "Invalid value 'true' for {name}. Cannot set {name} to true unless the subnet ({}) has an IPv6 CIDR block \
         associated with it.",
        subnet.id
    )))
}
