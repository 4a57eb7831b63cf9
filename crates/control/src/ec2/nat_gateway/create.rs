//! Making a NAT gateway: with an interface in its subnet and, if it is a public one, an elastic address on that.

use std::net::Ipv4Addr;
use std::sync::Arc;

use linkway_model::elastic_address::{ElasticAddress, ElasticAssociation};
use linkway_model::nat_gateway::{NatGateway, NatGatewayState};
use linkway_model::network_interface::{InterfaceRole, NetworkInterface};
use linkway_model::subnet::Subnet;
use linkway_model::{AllocationId, ElasticAddressAssociationId, NatGatewayId, Snapshot, Tags};
use linkway_store::Transaction;
use linkway_wire::ec2::{CreateNatGatewayRequest, CreateNatGatewayResult};

use super::shape::shape;
use crate::ec2::network_interface::{Allocation, Ipv6, allocate};
use crate::ec2::{elastic_address, internet_gateway};
use crate::idempotency::once;
use crate::lookup::{Owned, named, not_found, own, parse};
use crate::{Caller, Control, Error, tags};

pub(crate) fn create(
    control: &Control,
    caller: &Caller,
    mut input: CreateNatGatewayRequest,
) -> Result<CreateNatGatewayResult, Error> {
    let public = is_public(&input)?;
    let (client_token, dry_run) = (input.client_token.take(), input.dry_run.take());
    let shape = control.write(dry_run, |tx| {
        let make = |tx: &mut Transaction| make(control, caller, tx, &input, public);
        let token = client_token.as_deref();
        let id = once::<NatGateway>(tx, caller, control.now(), "CreateNatGateway", token, &input, make)?;
        let gateway = tx.get::<NatGateway>(&id).ok_or_else(|| not_found::<NatGateway>(id))?;
        Ok(shape(tx, gateway))
    })?;
    Ok(CreateNatGatewayResult { client_token, nat_gateway: Some(shape) })
}

/// Whether a public gateway is asked for, if it is one that can be made here.
fn is_public(input: &CreateNatGatewayRequest) -> Result<bool, Error> {
    let regional = input.availability_mode.as_deref().is_some_and(|mode| mode != "zonal")
        || !input.availability_zone_addresses.is_empty();
    let more = !input.secondary_allocation_ids.is_empty()
        || !input.secondary_private_ip_addresses.is_empty()
        || input.secondary_private_ip_address_count.is_some_and(|count| count != 0);
    if regional || more {
        return Err(Error::Unsupported(
            "NAT gateways are zonal and have one address: secondary addresses are not supported.".into(),
        ));
    }
    match (input.connectivity_type.as_deref().unwrap_or("public"), &input.allocation_id) {
        ("public", Some(_)) => Ok(true),
        ("public", None) => Err(Error::MissingParameter("AllocationId")),
        ("private", None) => Ok(false),
        ("private", Some(_)) => Err(Error::InvalidParameterCombination(
            "The parameter AllocationId cannot be used with the connectivity type private".into(),
        )),
        (other, _) => Err(Error::InvalidParameterValue(format!(
            "Value ({other}) for parameter connectivityType is invalid."
        ))),
    }
}

fn make(
    control: &Control,
    caller: &Caller,
    tx: &mut Transaction,
    input: &CreateNatGatewayRequest,
    public: bool,
) -> Result<String, Error> {
    let subnet = Arc::clone(named::<Subnet>(tx, caller, input.subnet_id.as_deref(), "SubnetId")?);
    let id = NatGatewayId::random();
    let allocation =
        input.allocation_id.as_deref().map(parse::<ElasticAddress>).transpose()?.filter(|_| public);
    let failure = allocation.as_ref().and_then(|allocation| failure(tx, caller, &subnet, allocation));
    let interface = match failure {
        Some(_) => None,
        None => Some(interface(tx, control, &subnet, &id, input.private_ip_address.as_deref())?),
    };
    if let (Some(allocation), Some(interface)) = (&allocation, &interface) {
        let association = ElasticAssociation {
            id: ElasticAddressAssociationId::random(),
            interface: interface.id.clone(),
            private_address: interface.address,
        };
        tx.update::<ElasticAddress>(allocation, |address| address.association = Some(association));
    }
    let gateway = NatGateway {
        id,
        owner: subnet.owner.clone(),
        region: subnet.region.clone(),
        vpc: subnet.vpc.clone(),
        subnet: subnet.id.clone(),
        interface: interface.map(|interface| interface.id),
        allocations: allocation.into_iter().collect(),
        state: NatGatewayState::Pending,
        since: tx.revision(),
        failure,
        created: control.now(),
        deleted: None,
        tags: tags::specified(&input.tag_specifications, NatGateway::NOUN.resource_type)?,
    };
    tx.put(gateway.clone());
    Ok(gateway.id.into())
}

/// Why a public gateway is going to fail, with AWS's code and message: what is wrong with its address or its VPC shows
/// in its state, not in the answer. Source: the API reference of `NatGateway`, `failureMessage`.
fn failure(
    state: &Snapshot,
    caller: &Caller,
    subnet: &Subnet,
    allocation: &AllocationId,
) -> Option<(String, String)> {
    let Ok(address) = own::<ElasticAddress>(state, caller, allocation.as_str()) else {
        let message =
            format!("Elastic IP address {allocation} could not be associated with this NAT gateway");
        return Some(("InvalidAllocationID.NotFound".into(), message));
    };
    if elastic_address::association(state, address).is_some() {
        let message = format!("Elastic IP address {allocation} is already associated");
        return Some(("Resource.AlreadyAssociated".into(), message));
    }
    if internet_gateway::of_vpc(state, &subnet.vpc).is_none() {
        let message = format!("Network {} has no Internet gateway attached", subnet.vpc);
        return Some(("Gateway.NotAttached".into(), message));
    }
    None
}

fn interface(
    tx: &mut Transaction,
    control: &Control,
    subnet: &Subnet,
    gateway: &NatGatewayId,
    address: Option<&str>,
) -> Result<NetworkInterface, Error> {
    let parse = |text: &str| {
        text.parse::<Ipv4Addr>().map_err(|_| {
            Error::InvalidParameterValue(format!("Value ({text}) for parameter privateIpAddress is invalid."))
        })
    };
    allocate(
        tx,
        Allocation {
            subnet,
            address: address.map(parse).transpose()?,
            ipv6: Ipv6::default(),
            groups: Vec::new(),
            description: format!("Interface for NAT Gateway {gateway}"),
            role: InterfaceRole::NatGateway { gateway: gateway.clone() },
            now: control.now(),
            tags: Tags::new(),
        },
    )
}
