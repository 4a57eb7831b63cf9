//! Where an endpoint has its interfaces: a subnet a zone.

use std::net::Ipv4Addr;
use std::sync::Arc;

use linkway_model::network_interface::{InterfaceRole, NetworkInterface};
use linkway_model::subnet::Subnet;
use linkway_model::vpc_endpoint::{EndpointSubnet, VpcEndpoint};
use linkway_model::{Snapshot, Tags, Timestamp};
use linkway_store::Transaction;
use linkway_wire::ec2::SubnetConfiguration;

use crate::ec2::network_interface::{Allocation, Ipv6, allocate};
use crate::ec2::offered::Offered;
use crate::error::EndpointError;
use crate::lookup::{own, required};
use crate::{Caller, Error};

/// A subnet to have an interface in, and the address that it is to have there.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) subnet: Arc<Subnet>,
    pub(super) address: Option<Ipv4Addr>,
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
            places.push(Place { subnet: Arc::clone(subnet), address: None });
        }
    }
    for configuration in configurations {
        let id = required(configuration.subnet_id.as_deref(), "SubnetConfiguration.SubnetId")?;
        let subnet = own::<Subnet>(state, caller, id)?;
        let address = address(configuration)?;
        match places.iter_mut().find(|place| place.subnet.id == subnet.id) {
            Some(place) => place.address = address,
            None => places.push(Place { subnet: Arc::clone(subnet), address }),
        }
    }
    Ok(places)
}

fn address(configuration: &SubnetConfiguration) -> Result<Option<Ipv4Addr>, Error> {
    if configuration.ipv6.is_some() {
        return Err(Error::Unsupported("Endpoints have IPv4 addresses only: leave out Ipv6.".into()));
    }
    let read = |text: &String| {
        text.parse().map_err(|_| {
            Error::InvalidParameterValue(format!("Value ({text}) for parameter Ipv4 is no IPv4 address."))
        })
    };
    configuration.ipv4.as_ref().map(read).transpose()
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
    for Place { subnet, address } in places {
        if subnet.vpc != endpoint.vpc {
            return Err(Error::InvalidParameter(format!(
                "The subnet {} does not belong to the VPC {}.",
                subnet.id, endpoint.vpc
            )));
        }
        if !service.zones().iter().any(|zone| zone.name == subnet.zone) {
            return Err(Error::InvalidParameter(format!(
                "The VPC endpoint service {} does not support the availability zone of the subnet: {}.",
                endpoint.service_name, subnet.id
            )));
        }
        if let Some(other) = endpoint.subnets.iter().find(|other| other.zone == subnet.zone) {
            return Err(EndpointError::DuplicateSubnetsInSameZone(other.subnet.to_string()).into());
        }
        let interface = interface(tx, now, endpoint, subnet, *address)?;
        endpoint.subnets.push(EndpointSubnet {
            subnet: subnet.id.clone(),
            zone: subnet.zone.clone(),
            interface: interface.id,
            delivered: false,
        });
    }
    Ok(())
}

/// Give the endpoint another interface in a subnet that it is in, unless its own has this address.
pub(super) fn readdress(
    tx: &mut Transaction,
    now: Timestamp,
    endpoint: &mut VpcEndpoint,
    subnet: &Subnet,
    address: Ipv4Addr,
) -> Result<(), Error> {
    let Some(at) = endpoint.subnets.iter().position(|place| place.subnet == subnet.id) else {
        return Ok(());
    };
    let old = endpoint.subnets[at].interface.clone();
    if tx.get::<NetworkInterface>(&old).is_some_and(|interface| interface.address == address) {
        return Ok(());
    }
    let new = interface(tx, now, endpoint, subnet, Some(address))?;
    tx.delete::<NetworkInterface>(old);
    endpoint.subnets[at].interface = new.id;
    endpoint.subnets[at].delivered = false;
    Ok(())
}

fn interface(
    tx: &mut Transaction,
    now: Timestamp,
    endpoint: &VpcEndpoint,
    subnet: &Subnet,
    address: Option<Ipv4Addr>,
) -> Result<NetworkInterface, Error> {
    allocate(
        tx,
        Allocation {
            subnet,
            address,
            ipv6: Ipv6::default(),
            groups: endpoint.groups.clone(),
            description: format!("VPC Endpoint Interface {}", endpoint.id),
            role: InterfaceRole::VpcEndpoint { endpoint: endpoint.id.clone() },
            now,
            tags: Tags::new(),
        },
    )
}
