//! Where a balancer has its nodes: a subnet a zone, all of one VPC.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use linkway_model::ip_address_type::IpAddressType;
use linkway_model::load_balancer::{LoadBalancer, LoadBalancerNode};
use linkway_model::network_interface::{InterfaceRole, NetworkInterface};
use linkway_model::subnet::Subnet;
use linkway_model::{Snapshot, Tags, Timestamp};
use linkway_store::Transaction;
use linkway_wire::elbv2::SubnetMapping;

use super::address_type;
use crate::ec2::network_interface::{Allocation, Ipv6, allocate, choose_ipv6};
use crate::elbv2::invalid;
use crate::error::LoadBalancingError;
use crate::lookup::own;
use crate::{Caller, Error};

/// A subnet to have a node in, and the addresses that it is to have there.
pub(super) struct Place {
    pub(super) subnet: Arc<Subnet>,
    pub(super) address: Option<Ipv4Addr>,
    pub(super) ipv6: Option<Ipv6Addr>,
}

impl Place {
    /// Whether an interface has the addresses that are asked for here.
    pub(super) fn is_at(&self, interface: &NetworkInterface) -> bool {
        self.address.is_none_or(|address| interface.address == address)
            && self.ipv6.is_none_or(|address| interface.ipv6_addresses.contains(&address))
    }
}

/// The places that a request names, by `Subnets` or by `SubnetMappings`.
pub(super) fn places(
    state: &Snapshot,
    caller: &Caller,
    subnets: &[String],
    mappings: &[SubnetMapping],
    internal: bool,
    address_type: IpAddressType,
) -> Result<Vec<Place>, Error> {
    let mut places: Vec<Place> = Vec::new();
    match (subnets, mappings) {
        ([], []) => return Err(invalid("At least one subnet must be specified")),
        (ids, []) => {
            for id in ids {
                places.push(Place { subnet: subnet(state, caller, id)?, address: None, ipv6: None });
            }
        }
        ([], mappings) => {
            for mapping in mappings {
                let id = mapping.subnet_id.as_deref().unwrap_or_default();
                places.push(Place {
                    subnet: subnet(state, caller, id)?,
                    address: address(mapping, internal)?,
                    ipv6: ipv6_address(mapping, address_type)?,
                });
            }
        }
        _ => return Err(invalid("You must specify either subnets or subnet mappings, not both")),
    }
    for (at, place) in places.iter().enumerate() {
        if place.subnet.vpc != places[0].subnet.vpc {
            return Err(LoadBalancingError::InvalidConfiguration(format!(
                "All subnets must belong to the same VPC: '{}'",
                places[0].subnet.vpc
            ))
            .into());
        }
        address_type::fits(address_type, &place.subnet)?;
        if places[..at].iter().any(|other| other.subnet.zone == place.subnet.zone) {
            return Err(LoadBalancingError::InvalidConfiguration(
                "A load balancer cannot be attached to multiple subnets in the same Availability Zone".into(),
            )
            .into());
        }
    }
    Ok(places)
}

fn subnet(state: &Snapshot, caller: &Caller, id: &str) -> Result<Arc<Subnet>, Error> {
    let missing = |_| Error::from(LoadBalancingError::SubnetNotFound(id.to_owned()));
    own::<Subnet>(state, caller, id).cloned().map_err(missing)
}

fn address(mapping: &SubnetMapping, internal: bool) -> Result<Option<Ipv4Addr>, Error> {
    if mapping.allocation_id.is_some() {
        return Err(invalid("Elastic IP addresses are not supported: leave out AllocationId"));
    }
    let Some(text) = &mapping.private_ipv4_address else { return Ok(None) };
    if !internal {
        return Err(invalid("A private IPv4 address can only be specified for internal load balancers"));
    }
    text.parse().map(Some).map_err(|_| invalid(format!("'{text}' is not a valid IPv4 address")))
}

fn ipv6_address(mapping: &SubnetMapping, address_type: IpAddressType) -> Result<Option<Ipv6Addr>, Error> {
    if mapping.source_nat_ipv6_prefix.is_some() {
        return Err(invalid("Prefixes for source NAT are not supported. Leave out SourceNatIpv6Prefix"));
    }
    let Some(text) = &mapping.ipv6_address else { return Ok(None) };
    if !address_type.has_ipv6() {
        return Err(invalid("An IPv6 address can only be specified for dualstack load balancers"));
    }
    text.parse().map(Some).map_err(|_| invalid(format!("'{text}' is not a valid IPv6 address")))
}

/// Make nodes of the balancer in these places.
pub(super) fn make(
    tx: &mut Transaction,
    balancer: &mut LoadBalancer,
    now: Timestamp,
    places: &[Place],
) -> Result<(), Error> {
    let (_, path) = balancer.arn.split_once("loadbalancer/").expect("ARNs of balancers have this path");
    for Place { subnet, address, ipv6 } in places {
        let given: Vec<Ipv6Addr> = ipv6.iter().copied().collect();
        let count = usize::from(balancer.ip_address_type.has_ipv6());
        let addresses = choose_ipv6(tx, subnet, &given, count - given.len())
            .map_err(|error| refusal(subnet, ipv6.map(IpAddr::V6), error))?;
        let interface = allocate(
            tx,
            Allocation {
                subnet,
                address: *address,
                ipv6: Ipv6 { addresses, primary: false },
                groups: balancer.groups.clone(),
                description: format!("ELB {path}"),
                role: InterfaceRole::LoadBalancer { load_balancer: balancer.arn.clone() },
                now,
                tags: Tags::new(),
            },
        )
        .map_err(|error| refusal(subnet, address.map(IpAddr::V4), error))?;
        balancer.nodes.push(LoadBalancerNode {
            subnet: subnet.id.clone(),
            zone: subnet.zone.clone(),
            interface: interface.id,
        });
    }
    Ok(())
}

fn refusal(subnet: &Subnet, address: Option<IpAddr>, error: Error) -> Error {
    let range = match (address, &subnet.ipv6_cidr) {
        (Some(IpAddr::V6(_)), Some(range)) => range.cidr.to_string(),
        _ => subnet.cidr.to_string(),
    };
    let address = address.map(|address| address.to_string()).unwrap_or_default();
    match error {
        Error::InsufficientFreeAddresses => LoadBalancingError::InvalidSubnet(format!(
            "Not enough IP space available in {}. ELB requires at least 1 free IP address in each subnet.",
            subnet.id
        ))
        .into(),
        Error::AddressInUse(_) => {
            LoadBalancingError::InvalidConfiguration(format!("The IP address {address} is already in use"))
                .into()
        }
        Error::InvalidParameterValue(_) => LoadBalancingError::InvalidConfiguration(format!(
            "The IP address {address} is not one that the subnet {} ({range}) can give",
            subnet.id
        ))
        .into(),
        error => error,
    }
}
