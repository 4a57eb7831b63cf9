//! Where an endpoint has its interfaces: a subnet a zone.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;
use std::sync::Arc;

use linkway_model::network_interface::{InterfaceRole, NetworkInterface};
use linkway_model::subnet::Subnet;
use linkway_model::vpc_endpoint::{EndpointSubnet, VpcEndpoint};
use linkway_model::{Snapshot, Tags, Timestamp};
use linkway_store::Transaction;
use linkway_wire::ec2::SubnetConfiguration;

use crate::ec2::endpoint_service::supports;
use crate::ec2::network_interface::{Allocation, Ipv6, allocate, choose_ipv6};
use crate::ec2::offered::Offered;
use crate::error::EndpointError;
use crate::lookup::{own, required};
use crate::{Caller, Error};

/// A subnet to have an interface in, and the addresses that it is to have there.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) subnet: Arc<Subnet>,
    pub(super) address: Option<Ipv4Addr>,
    pub(super) ipv6: Option<Ipv6Addr>,
}

/// The subnets that a request names, in its order, each once; those that only a configuration names come last.
pub(super) fn places(
    state: &Snapshot,
    caller: &Caller,
    ids: &[String],
    configurations: &[SubnetConfiguration],
) -> Result<Vec<Place>, Error> {
    let mut places: Vec<Place> = Vec::new();
    for id in ids {
        let subnet = own::<Subnet>(state, caller, id)?;
        if !places.iter().any(|place| place.subnet.id == subnet.id) {
            places.push(Place { subnet: Arc::clone(subnet), address: None, ipv6: None });
        }
    }
    for configuration in configurations {
        let id = required(configuration.subnet_id.as_deref(), "SubnetConfiguration.SubnetId")?;
        let subnet = own::<Subnet>(state, caller, id)?;
        let place = Place {
            subnet: Arc::clone(subnet),
            address: address(configuration.ipv4.as_deref(), "IPv4")?,
            ipv6: address(configuration.ipv6.as_deref(), "IPv6")?,
        };
        match places.iter_mut().find(|place| place.subnet.id == subnet.id) {
            Some(named) => *named = place,
            None => places.push(place),
        }
    }
    Ok(places)
}

/// An address of this family.
fn address<T: FromStr>(text: Option<&str>, family: &str) -> Result<Option<T>, Error> {
    let read = |text: &str| {
        text.parse().map_err(|_| {
            let parameter = family.replace("IPv", "Ipv");
            Error::InvalidParameterValue(format!(
                "Value ({text}) for parameter {parameter} is no {family} address."
            ))
        })
    };
    text.map(read).transpose()
}

/// Whether the service has what the endpoint's type of addresses needs.
pub(super) fn check_service(endpoint: &VpcEndpoint, service: &Offered) -> Result<(), Error> {
    if supports(&service.ip_address_types(), endpoint.ip_address_type) {
        return Ok(());
    }
    Err(Error::InvalidParameter(format!(
        "The VPC endpoint service {} does not support the IP address type: {}.",
        endpoint.service_name,
        endpoint.ip_address_type.name()
    )))
}

/// Whether a subnet has what the endpoint's type of addresses needs. Every subnet has an IPv4 range.
pub(super) fn check_subnet(endpoint: &VpcEndpoint, subnet: &Subnet) -> Result<(), Error> {
    if endpoint.ip_address_type.has_ipv6() && subnet.ipv6_cidr.is_none() {
        return Err(Error::InvalidParameter(format!(
            "The subnet {} does not support the IP address type {}: it has no IPv6 CIDR block.",
            subnet.id,
            endpoint.ip_address_type.name()
        )));
    }
    Ok(())
}

/// Whether the addresses that are asked for are of the endpoint's type.
fn check_addresses(endpoint: &VpcEndpoint, place: &Place) -> Result<(), Error> {
    let kind = endpoint.ip_address_type;
    let parameter = match place {
        Place { address: Some(_), .. } if !kind.has_ipv4() => "Ipv4",
        Place { ipv6: Some(_), .. } if !kind.has_ipv6() => "Ipv6",
        _ => return Ok(()),
    };
    Err(Error::InvalidParameter(format!(
        "The subnet configuration's {parameter} is not valid for the IP address type {}.",
        kind.name()
    )))
}

/// Give the endpoint interfaces in more subnets: of its VPC, in zones that the service is offered in and that it
/// is not in yet.
pub(super) fn add(
    tx: &mut Transaction,
    now: Timestamp,
    endpoint: &mut VpcEndpoint,
    service: &Offered,
    places: &[Place],
) -> Result<(), Error> {
    for place in places {
        let subnet = &place.subnet;
        if subnet.vpc != endpoint.vpc {
            return Err(Error::InvalidParameter(format!(
                "The subnet {} does not belong to the VPC {}.",
                subnet.id, endpoint.vpc
            )));
        }
        check_subnet(endpoint, subnet)?;
        check_addresses(endpoint, place)?;
        if !service.zones().iter().any(|zone| zone.name == subnet.zone) {
            return Err(Error::InvalidParameter(format!(
                "The VPC endpoint service {} does not support the availability zone of the subnet: {}.",
                endpoint.service_name, subnet.id
            )));
        }
        if let Some(other) = endpoint.subnets.iter().find(|other| other.zone == subnet.zone) {
            return Err(EndpointError::DuplicateSubnetsInSameZone(other.subnet.to_string()).into());
        }
        let interface = interface(tx, now, endpoint, place)?;
        endpoint.subnets.push(EndpointSubnet {
            subnet: subnet.id.clone(),
            zone: subnet.zone.clone(),
            interface: interface.id,
            delivered: false,
        });
    }
    Ok(())
}

/// Give the endpoint other addresses in a subnet that it is in, unless its interface there has them: with another IPv4
/// address goes another interface.
pub(super) fn readdress(
    tx: &mut Transaction,
    now: Timestamp,
    endpoint: &mut VpcEndpoint,
    place: &Place,
) -> Result<(), Error> {
    check_addresses(endpoint, place)?;
    let Some(at) = endpoint.subnets.iter().position(|its| its.subnet == place.subnet.id) else {
        return Ok(());
    };
    let old = tx.get::<NetworkInterface>(&endpoint.subnets[at].interface).cloned();
    let Some(old) = old else { return Ok(()) };
    let has_ipv6 = |address: &Ipv6Addr| old.ipv6_addresses.contains(address);
    if place.address.is_some_and(|address| address != old.address) {
        // What is not asked for stays as it is.
        tx.delete::<NetworkInterface>(&old.id);
        let ipv6 = place.ipv6.or(old.ipv6_addresses.first().copied());
        let new = interface(tx, now, endpoint, &Place { ipv6, ..place.clone() })?;
        endpoint.subnets[at].interface = new.id;
    } else if let Some(address) = place.ipv6.filter(|address| !has_ipv6(address)) {
        let addresses = choose_ipv6(tx, &place.subnet, &[address], 0)?;
        tx.update::<NetworkInterface>(&old.id, |interface| interface.ipv6_addresses = addresses);
    } else {
        return Ok(());
    }
    endpoint.subnets[at].delivered = false;
    Ok(())
}

fn interface(
    tx: &mut Transaction,
    now: Timestamp,
    endpoint: &VpcEndpoint,
    place: &Place,
) -> Result<NetworkInterface, Error> {
    let given: Vec<Ipv6Addr> = place.ipv6.iter().copied().collect();
    let count = usize::from(endpoint.ip_address_type.has_ipv6());
    let addresses = choose_ipv6(tx, &place.subnet, &given, count - given.len())?;
    allocate(
        tx,
        Allocation {
            subnet: &place.subnet,
            address: place.address,
            ipv6: Ipv6 { addresses, primary: false },
            groups: endpoint.groups.clone(),
            description: format!("VPC Endpoint Interface {}", endpoint.id),
            role: InterfaceRole::VpcEndpoint { endpoint: endpoint.id.clone() },
            now,
            tags: Tags::new(),
        },
    )
}
