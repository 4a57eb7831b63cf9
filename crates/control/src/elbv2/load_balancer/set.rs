//! `SetSubnets`, `SetSecurityGroups` and `SetIpAddressType`: what a balancer is changed by beside its attributes.

use linkway_model::endpoint_service::EndpointService;
use linkway_model::load_balancer::{LoadBalancer, LoadBalancerNode};
use linkway_model::network_interface::NetworkInterface;
use linkway_model::vpc::Vpc;
use linkway_model::{Snapshot, Timestamp};
use linkway_store::Transaction;
use linkway_wire::elbv2::{
    SetIpAddressTypeInput, SetIpAddressTypeOutput, SetSecurityGroupsInput, SetSecurityGroupsOutput,
    SetSubnetsInput, SetSubnetsOutput,
};

use super::{create, describe, nodes};
use crate::elbv2::{arn, invalid};
use crate::error::LoadBalancingError;
use crate::lookup::not_found;
use crate::{Caller, Control, Error};

pub(crate) fn subnets(
    control: &Control,
    caller: &Caller,
    input: SetSubnetsInput,
) -> Result<SetSubnetsOutput, Error> {
    create::ip_address_type(input.ip_address_type.as_deref())?;
    create::source_nat(input.enable_prefix_for_ipv6_source_nat.as_deref())?;
    let now = control.now();
    control.write(None, |tx| {
        let before = arn::required::<LoadBalancer>(tx, caller, input.load_balancer_arn.as_deref())?.clone();
        let mut balancer = LoadBalancer::clone(&before);
        let places = nodes::places(tx, caller, &input.subnets, &input.subnet_mappings, balancer.internal)?;
        if places[0].subnet.vpc != balancer.vpc {
            return Err(LoadBalancingError::InvalidConfiguration(format!(
                "All subnets must belong to the same VPC: '{}'",
                balancer.vpc
            ))
            .into());
        }
        move_nodes(tx, &mut balancer, &places, now)?;
        let shape = describe::shape(tx, &balancer);
        if balancer != *before {
            tx.put(balancer);
        }
        Ok(SetSubnetsOutput {
            availability_zones: shape.availability_zones,
            enable_prefix_for_ipv6_source_nat: shape.enable_prefix_for_ipv6_source_nat,
            ip_address_type: shape.ip_address_type,
        })
    })
}

/// Have a node in each of these places, and nowhere else. A node that is in its place stays.
fn move_nodes(
    tx: &mut Transaction,
    balancer: &mut LoadBalancer,
    places: &[nodes::Place],
    now: Timestamp,
) -> Result<(), Error> {
    let is_wanted = |node: &LoadBalancerNode| places.iter().any(|place| place.subnet.id == node.subnet);
    let nodes = std::mem::take(&mut balancer.nodes);
    let (kept, gone): (Vec<_>, Vec<_>) = nodes.into_iter().partition(is_wanted);
    if !gone.is_empty() && is_published(tx, balancer) {
        return Err(LoadBalancingError::ResourceInUse(
            "Subnets cannot be removed from load balancer because the load balancer is currently associated with \
             another service"
                .into(),
        )
        .into());
    }
    for node in gone {
        tx.delete::<NetworkInterface>(&node.interface);
    }
    let mut new = Vec::new();
    for place in places {
        match kept.iter().find(|node| node.subnet == place.subnet.id) {
            Some(node) => has_address(tx, node, place)?,
            None => new.push(place.clone()),
        }
    }
    balancer.nodes = kept;
    nodes::make(tx, balancer, &new, now)
}

fn is_published(state: &Snapshot, balancer: &LoadBalancer) -> bool {
    state.all::<EndpointService>().any(|service| service.load_balancers.contains(&balancer.arn))
}

/// A node's address stays as long as the node.
fn has_address(state: &Snapshot, node: &LoadBalancerNode, place: &nodes::Place) -> Result<(), Error> {
    let address = state.get::<NetworkInterface>(&node.interface).map(|interface| interface.address);
    if place.address.is_some() && place.address != address {
        return Err(LoadBalancingError::InvalidConfiguration(format!(
            "The private IPv4 address of the load balancer in the subnet {} cannot be changed",
            node.subnet
        ))
        .into());
    }
    Ok(())
}

/// As on AWS, a balancer that was made without security groups has none for good, and one with some keeps some.
pub(crate) fn security_groups(
    control: &Control,
    caller: &Caller,
    input: SetSecurityGroupsInput,
) -> Result<SetSecurityGroupsOutput, Error> {
    match input.enforce_security_group_inbound_rules_on_private_link_traffic.as_deref() {
        None | Some("off") => {}
        Some("on") => {
            return Err(invalid(
                "Inbound rules of a load balancer are not enforced on PrivateLink traffic here. Specify 'off'",
            ));
        }
        Some(other) => {
            return Err(invalid(format!(
                "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic '{other}' must be one of 'on,off'"
            )));
        }
    }
    control.write(None, |tx| {
        let balancer = arn::required::<LoadBalancer>(tx, caller, input.load_balancer_arn.as_deref())?.clone();
        if balancer.groups.is_empty() {
            return Err(LoadBalancingError::InvalidConfiguration(
                "You cannot set security groups for a Network Load Balancer that was created without any"
                    .into(),
            )
            .into());
        }
        if input.security_groups.is_empty() {
            return Err(LoadBalancingError::InvalidConfiguration(
                "You cannot remove all security groups of a Network Load Balancer".into(),
            )
            .into());
        }
        let vpc = tx.get::<Vpc>(&balancer.vpc).ok_or_else(|| not_found::<Vpc>(balancer.vpc.as_str()))?;
        let groups = create::groups(tx, caller, &input.security_groups, &vpc.id)?;
        for node in &balancer.nodes {
            tx.update::<NetworkInterface>(&node.interface, |interface| interface.groups.clone_from(&groups));
        }
        tx.update::<LoadBalancer>(&balancer.arn, |balancer| balancer.groups.clone_from(&groups));
        Ok(SetSecurityGroupsOutput {
            enforce_security_group_inbound_rules_on_private_link_traffic: Some("off".into()),
            security_group_ids: groups.iter().map(ToString::to_string).collect(),
        })
    })
}

pub(crate) fn ip_address_type(
    control: &Control,
    caller: &Caller,
    input: SetIpAddressTypeInput,
) -> Result<SetIpAddressTypeOutput, Error> {
    let state = control.read(None)?;
    arn::required::<LoadBalancer>(&state, caller, input.load_balancer_arn.as_deref())?;
    let given = input.ip_address_type.ok_or_else(|| invalid("An IP address type must be specified"))?;
    create::ip_address_type(Some(&given))?;
    Ok(SetIpAddressTypeOutput { ip_address_type: Some(given) })
}
