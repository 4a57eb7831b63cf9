//! Addresses in the probe range: one for each target that a balancer's health checks ask, and the gateway connects to.
//!
//! Offsets are not kept anywhere. They follow from the names of targets, so that a change of the state, or
//! a restart, leaves the others where they are.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, PoisonError, RwLock};

use linkway_model::Snapshot;
use linkway_model::load_balancer::{Listener, LoadBalancer, Target, TargetGroup, TargetId};
use linkway_model::network_interface::NetworkInterface;

use crate::layout::Probe;
use crate::programs::types::idle_seconds;
use crate::ranges;
use crate::tables::Tables;

use super::{Context, balancers, hash};

/// Which target is meant: ARN of the target group, the target, and the port that it was registered with.
pub type ProbeKey = (String, TargetId, u16);

/// Where the service namespace reaches the targets of a snapshot. The packet path leads there once the snapshot is
/// applied.
pub fn probe_addresses(snapshot: &Snapshot) -> BTreeMap<ProbeKey, IpAddr> {
    let base = u32::from(ranges::PROBE_BASE);
    let address = |group: &str, offset| {
        let address = Ipv4Addr::from(base + offset);
        let group = snapshot.get::<TargetGroup>(group);
        let has_ipv6 = group.is_some_and(|group| group.ip_address_type.has_ipv6());
        if has_ipv6 { ranges::by_ipv6(address).into() } else { address.into() }
    };
    let offsets = offsets(snapshot).into_iter();
    offsets.map(|(key, offset)| (key.clone(), address(&key.0, offset))).collect()
}

/// Where targets are checked, as of the snapshot last applied. Clones look at the same book.
#[derive(Debug, Clone, Default)]
pub struct Probes(Arc<RwLock<BTreeMap<ProbeKey, IpAddr>>>);

impl Probes {
    /// The address in the service namespace that stands for this target. `None`: the packet path does not
    /// know the target, or no balancer uses its group.
    pub fn address(&self, target_group: &str, target: &TargetId, port: u16) -> Option<IpAddr> {
        let book = self.0.read().unwrap_or_else(PoisonError::into_inner);
        book.get(&(target_group.to_owned(), target.clone(), port)).copied()
    }

    pub(crate) fn publish(&self, addresses: BTreeMap<ProbeKey, IpAddr>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = addresses;
    }
}

pub(super) fn compile(context: &Context<'_>, tables: &mut Tables) {
    let balancers = balancers_of_groups(context.snapshot);
    for ((arn, id, port), offset) in offsets(context.snapshot) {
        let probe = context.snapshot.get::<TargetGroup>(&arn).and_then(|group| {
            let target = group.targets.iter().find(|target| target.id == id && target.port == port)?;
            probe(context, group, target, balancers.get(arn.as_str())?)
        });
        if let Some(probe) = probe {
            tables.probes.insert(offset, probe);
        }
    }
}

/// The check comes from the balancer's node in the target's zone, or from its first one.
fn probe<'a>(
    context: &Context<'a>,
    group: &'a TargetGroup,
    target: &'a Target,
    user: &User<'_>,
) -> Option<Probe> {
    let nodes = &user.balancer.nodes;
    let zone = context.routing.zone(group, target);
    let own = nodes.iter().find(|node| zone == Some(node.zone.as_str()));
    let node = own.or_else(|| nodes.first())?;
    let node = context.snapshot.get::<NetworkInterface>(&node.interface)?.number;
    let located = balancers::locate(context, group, target)?;
    Some(Probe {
        address: located.address,
        interface: located.interface,
        node,
        idle_seconds: user.idle_seconds,
    })
}

/// What uses a target group.
struct User<'a> {
    balancer: &'a LoadBalancer,
    /// Of the balancer's listeners that use it, the longest time that a connection may be idle.
    idle_seconds: u32,
}

/// What uses each target group: one balancer, as AWS lets it be no more.
fn balancers_of_groups(snapshot: &Snapshot) -> BTreeMap<&str, User<'_>> {
    let mut users: BTreeMap<&str, User<'_>> = BTreeMap::new();
    for listener in snapshot.all::<Listener>() {
        if let Some(balancer) = snapshot.get::<LoadBalancer>(&listener.load_balancer) {
            let user = users.entry(listener.target_group.as_str());
            let user = user.or_insert(User { balancer, idle_seconds: 0 });
            let idle = listener.tcp_idle_seconds().unwrap_or(idle_seconds::IDLE_TCP.0);
            user.idle_seconds = user.idle_seconds.max(idle);
        }
    }
    users
}

/// An offset for each target: where the hash of its name points, or the next that is free. Two targets in
/// a thousand meet like that when there are ten thousand, so a change hardly ever moves another target.
fn offsets(snapshot: &Snapshot) -> BTreeMap<ProbeKey, u32> {
    let mut taken = BTreeSet::new();
    let mut offsets = BTreeMap::new();
    for arn in balancers_of_groups(snapshot).keys() {
        let Some(group) = snapshot.get::<TargetGroup>(arn) else { continue };
        // Those that drain keep the connections that the gateway has.
        for target in &group.targets {
            let key = (group.arn.clone(), target.id.clone(), target.port);
            let mut offset = preferred(&key);
            while !taken.insert(offset) {
                offset = (offset + 1) % ranges::PROBES;
            }
            offsets.insert(key, offset);
        }
    }
    offsets
}

fn preferred((arn, id, port): &ProbeKey) -> u32 {
    let id = match id {
        TargetId::Instance(id) => id.to_string(),
        TargetId::Ip(ip) => ip.to_string(),
    };
    let hash = hash::text(&[arn, &id, &port.to_string()]);
    (hash % u64::from(ranges::PROBES)) as u32
}
