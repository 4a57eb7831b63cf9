//! `DescribeLoadBalancers`.

use std::collections::BTreeMap;
use std::sync::Arc;

use linkway_model::Snapshot;
use linkway_model::load_balancer::{LoadBalancer, LoadBalancerNode};
use linkway_model::network_interface::NetworkInterface;
use linkway_wire::elbv2;
use linkway_wire::elbv2::{
    AvailabilityZone, DescribeLoadBalancersInput, DescribeLoadBalancersOutput, LoadBalancerAddress,
    LoadBalancerState,
};

use super::groups;
use crate::elbv2::{arn, invalid, page};
use crate::error::LoadBalancingError;
use crate::{Caller, Control, Error, hosted_zone};

pub(crate) fn describe(
    control: &Control,
    caller: &Caller,
    input: DescribeLoadBalancersInput,
) -> Result<DescribeLoadBalancersOutput, Error> {
    if !input.names.is_empty() && !input.load_balancer_arns.is_empty() {
        return Err(invalid("You cannot specify both load balancer names and load balancer ARNs"));
    }
    let state = control.read(None)?;
    let own = || state.all::<LoadBalancer>().filter(|balancer| arn::belongs_to(&***balancer, caller));
    let mut found: BTreeMap<&str, &Arc<LoadBalancer>> = BTreeMap::new();
    for arn in &input.load_balancer_arns {
        let balancer = arn::find::<LoadBalancer>(&state, caller, arn)?;
        found.insert(&balancer.arn, balancer);
    }
    for name in &input.names {
        let missing = || LoadBalancingError::LoadBalancerNotFound(name.clone());
        let balancer = own().find(|balancer| balancer.name == *name).ok_or_else(missing)?;
        found.insert(&balancer.arn, balancer);
    }
    if input.names.is_empty() && input.load_balancer_arns.is_empty() {
        found.extend(own().map(|balancer| (balancer.arn.as_str(), balancer)));
    }
    let (found, next_marker) =
        page::cut(input.page_size, &input.marker, found.into_values(), |balancer| balancer.arn.clone())?;
    let load_balancers = found.into_iter().map(|balancer| shape(&state, balancer)).collect();
    Ok(DescribeLoadBalancersOutput { load_balancers, next_marker })
}

pub(super) fn shape(state: &Snapshot, balancer: &LoadBalancer) -> elbv2::LoadBalancer {
    let code = if balancer.active { "active" } else { "provisioning" };
    elbv2::LoadBalancer {
        availability_zones: zones(state, balancer),
        canonical_hosted_zone_id: Some(hosted_zone::of_load_balancers(&balancer.region)),
        created_time: Some(balancer.created),
        dns_name: Some(balancer.dns_name.clone()),
        enable_prefix_for_ipv6_source_nat: Some("off".into()),
        enforce_security_group_inbound_rules_on_private_link_traffic: groups::enforced(balancer),
        ip_address_type: Some(balancer.ip_address_type.name().into()),
        load_balancer_arn: Some(balancer.arn.clone()),
        load_balancer_name: Some(balancer.name.clone()),
        scheme: Some(if balancer.internal { "internal" } else { "internet-facing" }.into()),
        security_groups: balancer.groups.iter().map(ToString::to_string).collect(),
        state: Some(LoadBalancerState { code: Some(code.into()), reason: None }),
        type_: Some("network".into()),
        vpc_id: Some(balancer.vpc.to_string()),
        ..elbv2::LoadBalancer::default()
    }
}

/// Its zones, each with its node's address.
pub(super) fn zones(state: &Snapshot, balancer: &LoadBalancer) -> Vec<AvailabilityZone> {
    balancer.nodes.iter().map(|node| zone(state, balancer, node)).collect()
}

fn zone(state: &Snapshot, balancer: &LoadBalancer, node: &LoadBalancerNode) -> AvailabilityZone {
    // As on AWS, an internet-facing balancer's private addresses are not shown.
    let addresses = |interface: &Arc<NetworkInterface>| LoadBalancerAddress {
        private_ipv4_address: balancer.internal.then(|| interface.address.to_string()),
        ipv6_address: interface.ipv6_addresses.first().map(ToString::to_string),
        ..LoadBalancerAddress::default()
    };
    let addresses = state.get::<NetworkInterface>(&node.interface).map(addresses);
    let addresses = addresses.filter(|shown| *shown != LoadBalancerAddress::default());
    AvailabilityZone {
        load_balancer_addresses: addresses.into_iter().collect(),
        subnet_id: Some(node.subnet.to_string()),
        zone_name: Some(node.zone.clone()),
        ..AvailabilityZone::default()
    }
}
