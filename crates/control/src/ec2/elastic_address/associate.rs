//! What an elastic address stands for: an interface's private address.

use std::net::Ipv4Addr;
use std::sync::Arc;

use linkway_model::elastic_address::{ElasticAddress, ElasticAssociation};
use linkway_model::network_interface::NetworkInterface;
use linkway_model::{ElasticAddressAssociationId, Snapshot};
use linkway_wire::ec2::{AssociateAddressRequest, AssociateAddressResult, DisassociateAddressRequest};

use super::{association, by_address, identified, of};
use crate::ec2::instance::primary_interface;
use crate::ec2::internet_gateway;
use crate::error::NetworkError;
use crate::lookup::{Owned, own};
use crate::{Caller, Control, Error};

pub(crate) fn associate(
    control: &Control,
    caller: &Caller,
    input: AssociateAddressRequest,
) -> Result<AssociateAddressResult, Error> {
    control.write(input.dry_run, |tx| {
        let address =
            Arc::clone(identified(tx, caller, input.allocation_id.as_deref(), input.public_ip.as_deref())?);
        let interface = interface(tx, caller, &input)?;
        let private_address = private_address(&interface, input.private_ip_address.as_deref())?;
        if internet_gateway::of_vpc(tx, &interface.vpc).is_none() {
            return Err(NetworkError::GatewayNotAttached(format!(
                "Network {} is not attached to any internet gateway",
                interface.vpc
            ))
            .into());
        }
        if let Some((present, other)) = association(tx, &address) {
            if present.interface == interface.id && present.private_address == private_address {
                return Ok(AssociateAddressResult { association_id: Some(present.id.to_string()) });
            }
            manageable(other)?;
            // AWS moves an address unless it is told not to.
            if input.allow_reassociation == Some(false) {
                return Err(NetworkError::AlreadyAssociated(format!(
                    "resource {} is already associated with associate-id {}",
                    address.id, present.id
                ))
                .into());
            }
        }
        if let Some((other, _)) = of(tx, &interface.id, private_address) {
            if input.allow_reassociation == Some(false) {
                return Err(NetworkError::AlreadyAssociated(format!(
                    "resource {} is already associated with address {}",
                    interface.id, other.address
                ))
                .into());
            }
            let other = other.id.clone();
            tx.update::<ElasticAddress>(&other, |other| other.association = None);
        }
        let id = ElasticAddressAssociationId::random();
        tx.update::<ElasticAddress>(&address.id, |address| {
            address.association =
                Some(ElasticAssociation { id: id.clone(), interface: interface.id.clone(), private_address });
        });
        Ok(AssociateAddressResult { association_id: Some(id.into()) })
    })
}

/// The interface that a request names, or the first one of the instance that it names.
fn interface(
    state: &Snapshot,
    caller: &Caller,
    input: &AssociateAddressRequest,
) -> Result<Arc<NetworkInterface>, Error> {
    let interface = match (input.network_interface_id.as_deref(), input.instance_id.as_deref()) {
        (Some(id), None) => Arc::clone(own::<NetworkInterface>(state, caller, id)?),
        (None, Some(id)) => primary_interface(state, caller, id)?,
        (None, None) => {
            return Err(Error::MissingParameter("InstanceId or NetworkInterfaceId"));
        }
        (Some(_), Some(_)) => {
            return Err(Error::InvalidParameterCombination(
                "You may specify an instance id or a network interface id, but not both in the same call"
                    .into(),
            ));
        }
    };
    manageable(&interface)?;
    Ok(interface)
}

/// Refuse an interface that a service manages.
fn manageable(interface: &NetworkInterface) -> Result<(), Error> {
    if interface.requester_managed() {
        return Err(Error::AuthFailure(
            "You do not have permission to access the specified resource.".into(),
        ));
    }
    Ok(())
}

/// The interface's address that is asked for; its primary one when none is.
fn private_address(interface: &NetworkInterface, asked: Option<&str>) -> Result<Ipv4Addr, Error> {
    let Some(text) = asked else { return Ok(interface.address) };
    text.parse().ok().filter(|asked| interface.addresses().any(|address| address == *asked)).ok_or_else(
        || {
            Error::InvalidParameterValue(format!(
                "Network interface {} does not have the private IP address {text}",
                interface.id
            ))
        },
    )
}

pub(crate) fn disassociate(
    control: &Control,
    caller: &Caller,
    input: DisassociateAddressRequest,
) -> Result<(), Error> {
    control.write(input.dry_run, |tx| {
        let address = match (input.association_id.as_deref(), input.public_ip.as_deref()) {
            (Some(id), _) => associated(tx, caller, id)?,
            (None, Some(address)) => by_address(tx, caller, address)?,
            (None, None) => return Err(Error::MissingParameter("AssociationId")),
        };
        if let Some((_, interface)) = association(tx, address) {
            manageable(interface)?;
        }
        let id = address.id.clone();
        tx.update::<ElasticAddress>(&id, |address| address.association = None);
        Ok(())
    })
}

/// The caller's address that has this association.
fn associated<'a>(state: &'a Snapshot, caller: &Caller, id: &str) -> Result<&'a Arc<ElasticAddress>, Error> {
    state
        .all::<ElasticAddress>()
        .filter(|address| address.belongs_to(caller))
        .find(|address| association(state, address).is_some_and(|(present, _)| present.id.as_str() == id))
        .ok_or_else(|| NetworkError::AssociationNotFound(id.to_owned()).into())
}
