//! What each balancer's nodes listen on, and the targets behind.

use linkway_model::load_balancer::{
    self, Listener as ModelListener, LoadBalancer, LoadBalancerNode, TargetGroup, TargetHealth,
};
use linkway_model::network_interface::NetworkInterface;

use crate::layout::{self, Listener, ListenerKey, Target, TargetKey};
use crate::programs::types::listener_flag;
use crate::tables::Tables;

use super::{Context, hash, holder};

const TCP: u8 = 6;

/// AWS's target-group attribute; true unless set: connections to an unhealthy target are ended.
const END_UNHEALTHY: &str = "target_health_state.unhealthy.connection_termination.enabled";

pub(super) fn compile(context: &Context<'_>, tables: &mut Tables, balancer: &LoadBalancer) {
    for node in &balancer.nodes {
        let Some(interface) = context.snapshot.get::<NetworkInterface>(&node.interface) else {
            continue;
        };
        for listener in context.routing.listeners(balancer) {
            put(context, tables, balancer, node, interface.number, listener);
        }
    }
}

fn put(
    context: &Context<'_>,
    tables: &mut Tables,
    balancer: &LoadBalancer,
    node: &LoadBalancerNode,
    number: u32,
    listener: &ModelListener,
) {
    let (targets, count) = context
        .snapshot
        .get::<TargetGroup>(&listener.target_group)
        .map_or_else(Default::default, |group| list(context, balancer, &node.zone, group));
    let hash = hash::contents(&balancer.arn, &targets);
    for (index, target) in (0..).zip(&targets) {
        tables.targets.insert(TargetKey { targets: hash, index, pad: 0 }, *target);
    }
    let takes_gateway = context.routing.takes_gateway(listener);
    for protocol in listener.protocol.numbers() {
        let (count, flags) = if takes_gateway { (0, listener_flag::LISTENER_GATEWAY.0) } else { (count, 0) };
        let key = ListenerKey { node: number, port: listener.port.to_be(), protocol: *protocol, pad: 0 };
        let value = Listener {
            targets: hash,
            count,
            total: targets.len() as u32,
            idle_seconds: idle_seconds(listener, *protocol),
            flags,
        };
        tables.listeners.insert(key, value);
    }
}

fn idle_seconds(listener: &ModelListener, protocol: u8) -> u32 {
    listener.tcp_idle_seconds().filter(|_| protocol == TCP).unwrap_or(0)
}

/// The targets of a node, and how many of them, first in the list, get new connections. The others keep the
/// ones that they have: draining targets, targets of other zones that stood in, and targets whose health is
/// not known yet.
fn list(
    context: &Context<'_>,
    balancer: &LoadBalancer,
    zone: &str,
    group: &TargetGroup,
) -> (Vec<Target>, u32) {
    let chosen = context.routing.targets(balancer, zone, group);
    let mut targets: Vec<Target> =
        chosen.iter().filter_map(|target| locate(context, group, target)).collect();
    let count = targets.len() as u32;
    let ends_unhealthy = group.attributes.get(END_UNHEALTHY).is_none_or(|value| value != "false");
    let keeps = group.targets.iter().filter(|target| {
        target.draining_since.is_some()
            || !ends_unhealthy
            || !matches!(target.health, TargetHealth::Unhealthy(_))
    });
    for target in keeps.filter_map(|target| locate(context, group, target)) {
        if !targets.contains(&target) {
            targets.push(target);
        }
    }
    (targets, count)
}

/// A target as the tables have it. `None`: the group's VPC has nothing at its address.
pub(super) fn locate(
    context: &Context<'_>,
    group: &TargetGroup,
    target: &load_balancer::Target,
) -> Option<Target> {
    let ip = context.routing.address(group, target)?;
    let interface = holder(context.snapshot, &group.vpc, ip)?;
    Some(Target {
        address: layout::address(ip),
        interface: interface.number,
        port: target.port.to_be(),
        pad: 0,
    })
}
