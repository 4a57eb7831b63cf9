//! What a snapshot wants checked. Pure.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use linkway_model::Snapshot;
use linkway_model::load_balancer::{
    HealthCheck, Listener, LoadBalancer, TargetGroup, TargetHealth, TargetId,
};
use linkway_model::network_interface::NetworkInterface;
use linkway_model::routing::Routing;

/// Which target: ARN of its group, who it is, its port.
pub(crate) type Key = (String, TargetId, u16);

/// How a target is checked. A change of it begins the checks anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Spec {
    /// The group's settings.
    pub(crate) check: HealthCheck,
    /// Where HTTP checks say they are going: AWS gives the balancer node's address and the listener's port,
    /// not the target's.
    pub(crate) host: SocketAddr,
    /// Whether the target waits for a header of PROXY protocol before anything else.
    pub(crate) proxy_protocol: bool,
    /// The target's address, if it is outside of the VPC.
    pub(crate) outside: Option<Ipv4Addr>,
}

impl Spec {
    /// The port to check, of a target with this port.
    pub(crate) fn port(&self, target: u16) -> u16 {
        self.check.port.unwrap_or(target)
    }
}

/// The targets that are to be checked, how, and the health that the state has for each.
pub(crate) fn plan(snapshot: &Snapshot) -> BTreeMap<Key, (Spec, TargetHealth)> {
    let routing = Routing::new(snapshot);
    let mut wanted = BTreeMap::new();
    for listener in snapshot.all::<Listener>() {
        let (Some(group), Some(balancer)) = (
            snapshot.get::<TargetGroup>(&listener.target_group),
            snapshot.get::<LoadBalancer>(&listener.load_balancer),
        ) else {
            continue;
        };
        for target in group.targets.iter().filter(|target| target.draining_since.is_none()) {
            let key = (group.arn.clone(), target.id.clone(), target.port);
            // A group may be behind several listeners; its targets are checked once.
            wanted.entry(key).or_insert_with(|| {
                let node = node_address(snapshot, balancer, routing.zone(group, target), group);
                let host = SocketAddr::new(node, listener.port);
                let spec = Spec {
                    check: group.health_check.clone(),
                    host,
                    proxy_protocol: group.proxy_protocol(),
                    outside: routing.outside(group, target),
                };
                (spec, target.health)
            });
        }
    }
    wanted
}

/// The address of a balancer's node in this zone, else of its first one, in the family of the group's targets: where
/// checks come from.
fn node_address(
    snapshot: &Snapshot,
    balancer: &LoadBalancer,
    zone: Option<&str>,
    group: &TargetGroup,
) -> IpAddr {
    let own = balancer.nodes.iter().find(|node| zone == Some(node.zone.as_str()));
    own.or_else(|| balancer.nodes.first())
        .and_then(|node| snapshot.get::<NetworkInterface>(&node.interface))
        .and_then(|interface| interface.first_address(group.ip_address_type.has_ipv6()))
        .unwrap_or(Ipv4Addr::UNSPECIFIED.into())
}
