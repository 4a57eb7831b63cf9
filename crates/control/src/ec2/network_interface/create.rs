//! Making an interface for a caller.

use std::net::Ipv4Addr;
use std::sync::Arc;

use linkway_model::Snapshot;
use linkway_model::network_interface::{InterfaceRole, NetworkInterface};
use linkway_model::subnet::Subnet;
use linkway_model::vpc::Vpc;
use linkway_store::Transaction;
use linkway_wire::ec2::{
    CreateNetworkInterfaceRequest, CreateNetworkInterfaceResult, NetworkInterface as NetworkInterfaceShape,
    PrivateIpAddressSpecification,
};

use super::allocate::{Allocation, addresses_in, allocate, check};
use super::shape::shape;
use crate::ec2::security_group::groups_of_vpc;
use crate::idempotency::once;
use crate::lookup::{Owned, named, not_found};
use crate::{Caller, Control, Error, tags};

pub(crate) fn create(
    control: &Control,
    caller: &Caller,
    mut input: CreateNetworkInterfaceRequest,
) -> Result<CreateNetworkInterfaceResult, Error> {
    check_supported(&input)?;
    let client_token = input.client_token.take();
    let dry_run = input.dry_run.take();
    let shape = control.write(dry_run, |tx| {
        let make = |tx: &mut Transaction| make(control, caller, tx, &input);
        let id = once::<NetworkInterface>(
            tx,
            caller,
            control.now(),
            "CreateNetworkInterface",
            client_token.as_deref(),
            &input,
            make,
        )?;
        let interface = tx.get::<NetworkInterface>(&id).ok_or_else(|| not_found::<NetworkInterface>(id))?;
        Ok(NetworkInterfaceShape { status: Some("pending".into()), ..shape(tx, interface) })
    })?;
    Ok(CreateNetworkInterfaceResult { client_token, network_interface: Some(shape) })
}

/// Addresses that an interface may have: as many as on AWS's largest types.
pub(super) const MAX_ADDRESSES: usize = 50;

pub(super) fn prefixes_refused() -> Error {
    Error::Unsupported("Network interfaces have IPv4 addresses and no prefixes.".into())
}

fn check_supported(input: &CreateNetworkInterfaceRequest) -> Result<(), Error> {
    if input.interface_type.as_deref().is_some_and(|kind| kind != "interface") {
        return Err(Error::Unsupported("Network interfaces are of type 'interface'.".into()));
    }
    let count = |count: Option<i32>| count.is_some_and(|count| count != 0);
    if count(input.ipv6_address_count)
        || count(input.ipv6_prefix_count)
        || count(input.ipv4_prefix_count)
        || !input.ipv6_addresses.is_empty()
        || !input.ipv6_prefixes.is_empty()
        || !input.ipv4_prefixes.is_empty()
    {
        return Err(prefixes_refused());
    }
    Ok(())
}

fn make(
    control: &Control,
    caller: &Caller,
    tx: &mut Transaction,
    input: &CreateNetworkInterfaceRequest,
) -> Result<String, Error> {
    let subnet = Arc::clone(named::<Subnet>(tx, caller, input.subnet_id.as_deref(), "SubnetId")?);
    let vpc = Arc::clone(named::<Vpc>(tx, caller, Some(subnet.vpc.as_str()), "VpcId")?);
    let groups = groups_of_vpc(tx, caller, &input.groups, &vpc, &format!("subnet {}", subnet.id))?;
    let (primary, secondary) = addresses(input)?;
    let mut interface = allocate(
        tx,
        Allocation {
            subnet: &subnet,
            address: primary,
            groups,
            description: input.description.clone().unwrap_or_default(),
            role: InterfaceRole::Available,
            now: control.now(),
            tags: tags::specified(&input.tag_specifications, NetworkInterface::NOUN.resource_type)?,
        },
    )?;
    let more = usize::try_from(input.secondary_private_ip_address_count.unwrap_or(0)).unwrap_or(0);
    if 1 + more + secondary.len() > MAX_ADDRESSES {
        return Err(Error::PrivateIpAddressLimitExceeded);
    }
    if more > 0 || !secondary.is_empty() {
        interface.secondary_addresses = further_addresses(tx, &subnet, secondary, more)?;
        tx.put(interface.clone());
    }
    Ok(interface.id.into())
}

/// Addresses beside the primary one, which is taken already: those given, or as many as asked for.
pub(super) fn further_addresses(
    state: &Snapshot,
    subnet: &Subnet,
    given: Vec<Ipv4Addr>,
    more: usize,
) -> Result<Vec<Ipv4Addr>, Error> {
    let mut taken = addresses_in(state, &subnet.id);
    for address in &given {
        check(subnet, *address)?;
        if !taken.insert(*address) {
            return Err(Error::AddressInUse(*address));
        }
    }
    let free: Vec<_> = subnet.usable().filter(|address| !taken.contains(address)).take(more).collect();
    if free.len() < more {
        return Err(Error::InsufficientFreeAddresses);
    }
    Ok([given, free].concat())
}

/// The primary address that a request gives, if it does, and the others. Of a list that names none, it is the first.
fn addresses(input: &CreateNetworkInterfaceRequest) -> Result<(Option<Ipv4Addr>, Vec<Ipv4Addr>), Error> {
    let mut primary = input.private_ip_address.as_deref().map(parse).transpose()?;
    let mut secondary = Vec::new();
    for PrivateIpAddressSpecification { primary: first, private_ip_address } in &input.private_ip_addresses {
        let address = parse(private_ip_address.as_deref().unwrap_or_default())?;
        if *first != Some(true) {
            secondary.push(address);
        } else if primary.replace(address).is_some() {
            return Err(Error::InvalidParameterValue(
                "Only one primary private IP address can be specified".into(),
            ));
        }
    }
    if !secondary.is_empty() && input.secondary_private_ip_address_count.is_some() {
        return Err(Error::InvalidParameterCombination(
            "The parameter secondaryPrivateIpAddressCount cannot be used with the parameter privateIpAddresses"
                .into(),
        ));
    }
    if primary.is_none() && !secondary.is_empty() {
        primary = Some(secondary.remove(0));
    }
    Ok((primary, secondary))
}

pub(super) fn parse(address: &str) -> Result<Ipv4Addr, Error> {
    address
        .parse()
        .map_err(|_| Error::InvalidParameterValue(format!("invalid value for parameter address: {address}")))
}
