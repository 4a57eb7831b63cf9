//! Secondary IPv4 addresses, given to interfaces and taken from them while they are in use.

use std::net::Ipv4Addr;
use std::sync::Arc;

use linkway_model::instance::Instance;
use linkway_model::network_interface::{InterfaceRole, NetworkInterface};
use linkway_model::subnet::Subnet;
use linkway_model::{NetworkInterfaceId, Snapshot};
use linkway_store::Transaction;
use linkway_wire::ec2::{
    AssignPrivateIpAddressesRequest, AssignPrivateIpAddressesResult, AssignedPrivateIpAddress,
    UnassignPrivateIpAddressesRequest,
};

use super::allocate::{addresses_in, check};
use super::create::{MAX_ADDRESSES, further_addresses, parse, prefixes_refused};
use crate::ec2::instance::instance_type;
use crate::lookup::{named, not_found};
use crate::{Caller, Control, Error};

/// The interface that a request names, which must be the caller's to change.
pub(super) fn changeable(
    state: &Snapshot,
    caller: &Caller,
    id: Option<&str>,
) -> Result<Arc<NetworkInterface>, Error> {
    let interface = named::<NetworkInterface>(state, caller, id, "NetworkInterfaceId")?;
    if interface.requester_managed() {
        return Err(Error::AuthFailure(
            "You do not have permission to access the specified resource.".into(),
        ));
    }
    Ok(interface.clone())
}

pub(crate) fn assign(
    control: &Control,
    caller: &Caller,
    input: AssignPrivateIpAddressesRequest,
) -> Result<AssignPrivateIpAddressesResult, Error> {
    if !input.ipv4_prefixes.is_empty() || input.ipv4_prefix_count.is_some_and(|count| count != 0) {
        return Err(prefixes_refused());
    }
    let given: Vec<Ipv4Addr> =
        input.private_ip_addresses.iter().map(|address| parse(address)).collect::<Result<_, _>>()?;
    let count = match (given.is_empty(), input.secondary_private_ip_address_count) {
        (true, Some(count)) => usize::try_from(count).ok().filter(|count| *count > 0).ok_or_else(|| {
            Error::InvalidParameterValue(format!(
                "Invalid value '{count}' for secondaryPrivateIpAddressCount. It must be at least 1."
            ))
        })?,
        (false, None) => 0,
        (true, None) => {
            return Err(Error::MissingParameter("privateIpAddresses or secondaryPrivateIpAddressCount"));
        }
        (false, Some(_)) => {
            return Err(Error::InvalidParameterCombination(
                "The parameter secondaryPrivateIpAddressCount cannot be used with the parameter privateIpAddresses"
                    .into(),
            ));
        }
    };
    control.write(None, |tx| {
        let interface = changeable(tx, caller, input.network_interface_id.as_deref())?;
        let subnet = tx
            .get::<Subnet>(&interface.subnet)
            .cloned()
            .ok_or_else(|| not_found::<Subnet>(interface.subnet.as_str()))?;
        // What it has already, it keeps.
        let wanted: Vec<_> = given
            .iter()
            .copied()
            .filter(|address| !interface.addresses().any(|own| own == *address))
            .collect();
        if input.allow_reassignment == Some(true) {
            take_from_others(tx, &interface.id, &subnet, &wanted)?;
        }
        let more = further_addresses(tx, &subnet, wanted, count)?;
        if interface.addresses().count() + more.len() > most_addresses(tx, &interface) {
            return Err(Error::PrivateIpAddressLimitExceeded);
        }
        tx.update::<NetworkInterface>(&interface.id, |interface| {
            interface.secondary_addresses.extend_from_slice(&more);
        });
        let assigned = if given.is_empty() { more } else { given };
        let shape =
            |address: Ipv4Addr| AssignedPrivateIpAddress { private_ip_address: Some(address.to_string()) };
        Ok(AssignPrivateIpAddressesResult {
            assigned_private_ip_addresses: assigned.into_iter().map(shape).collect(),
            network_interface_id: Some(interface.id.to_string()),
            ..AssignPrivateIpAddressesResult::default()
        })
    })
}

/// How many addresses of each family an interface may have: as many as the type of its instance allows.
pub(super) fn most_addresses(state: &Snapshot, interface: &NetworkInterface) -> usize {
    let InterfaceRole::Instance { instance, .. } = &interface.role else { return MAX_ADDRESSES };
    let found = state.get::<Instance>(instance).and_then(|instance| instance_type(instance));
    found.map_or(MAX_ADDRESSES, |found| found.addresses)
}

/// Take addresses from the interfaces of a subnet that have them as secondary ones.
fn take_from_others(
    tx: &mut Transaction,
    taker: &NetworkInterfaceId,
    subnet: &Subnet,
    addresses: &[Ipv4Addr],
) -> Result<(), Error> {
    let is_wanted = |address: &Ipv4Addr| addresses.contains(address);
    let holders: Vec<_> = tx
        .all::<NetworkInterface>()
        .filter(|other| other.id != *taker && other.subnet == subnet.id && !other.requester_managed())
        .filter(|other| other.secondary_addresses.iter().any(is_wanted))
        .map(|other| other.id.clone())
        .collect();
    for address in addresses {
        check(subnet, *address)?;
    }
    for holder in holders {
        tx.update::<NetworkInterface>(holder, |other| {
            other.secondary_addresses.retain(|address| !addresses.contains(address));
        });
    }
    match addresses_in(tx, subnet).into_iter().find(is_wanted) {
        Some(primary) => Err(Error::AddressInUse(primary.into())),
        None => Ok(()),
    }
}

pub(crate) fn unassign(
    control: &Control,
    caller: &Caller,
    input: UnassignPrivateIpAddressesRequest,
) -> Result<(), Error> {
    if !input.ipv4_prefixes.is_empty() {
        return Err(prefixes_refused());
    }
    if input.private_ip_addresses.is_empty() {
        return Err(Error::MissingParameter("privateIpAddresses"));
    }
    let given: Vec<Ipv4Addr> =
        input.private_ip_addresses.iter().map(|address| parse(address)).collect::<Result<_, _>>()?;
    control.write(None, |tx| {
        let interface = changeable(tx, caller, input.network_interface_id.as_deref())?;
        if given.contains(&interface.address) {
            return Err(Error::InvalidParameterValue(format!(
                "The address {} is the primary address of the interface {}, which cannot be unassigned.",
                interface.address, interface.id
            )));
        }
        if given.iter().any(|address| !interface.secondary_addresses.contains(address)) {
            return Err(Error::InvalidParameterValue(format!(
                "Some of the specified addresses are not assigned to interface {}",
                interface.id
            )));
        }
        tx.update::<NetworkInterface>(&interface.id, |interface| {
            interface.secondary_addresses.retain(|address| !given.contains(address));
        });
        Ok(())
    })
}
