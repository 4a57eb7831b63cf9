//! What the gateway carries for balancers: connections to listeners that the packet path cannot bring to their
//! targets. A pure function from the state, as the tables are.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use linkway_model::endpoint_service::EndpointService;
use linkway_model::index::Term;
use linkway_model::load_balancer::{Listener, LoadBalancer, LoadBalancerNode, Target, TargetGroup};
use linkway_model::network_interface::NetworkInterface;
use linkway_model::outside_targets::OutsideTargets;
use linkway_model::routing::Routing;
use linkway_model::vpc_endpoint::VpcEndpoint;
use linkway_model::{NetworkInterfaceId, Snapshot, VpcEndpointId};

use crate::programs::types::idle_seconds;

use super::holder;
use super::probes::{ProbeKey, probe_addresses};

const TCP: u8 = 6;

/// What becomes of connections to one listener, as they come through one endpoint's interface, or directly to one
/// of the balancer's nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relay {
    /// The endpoint that they come through. `None`: they come directly, from the balancer's own VPC.
    pub endpoint: Option<VpcEndpointId>,
    /// What clients connect to: the private address of the interface, and its IPv6 address, if it has one.
    pub addresses: (Ipv4Addr, Option<Ipv6Addr>),
    /// The targets that new connections go to, by the rule that the packet path goes by
    /// ([`Routing::targets`]). May be empty.
    pub targets: Vec<RelayTarget>,
    /// ARN of the listener, if it ends TLS.
    pub tls: Option<String>,
    /// Whether targets are told who connects, by PROXY protocol version 2.
    pub proxy_protocol: bool,
    /// After how long an idle connection ends.
    pub idle: Duration,
}

/// A target, as sockets reach it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RelayTarget {
    /// Where to connect to.
    pub address: SocketAddr,
    /// From where: the host's network, to a host outside of any VPC; else the service namespace, where the address
    /// is a probe's, from which the packet path makes a connection of the balancer's node to the target.
    pub outside: bool,
}

/// What the gateway carries, by the number of the endpoint's interface or the balancer's node, which is in the
/// address that a connection comes to (`ranges::endpoint_interface`), and the listener's port, on which it comes.
///
/// `outside` says which hosts the operator lets be targets now: others have been, perhaps, and are left out.
pub fn relays(snapshot: &Snapshot, outside: &OutsideTargets) -> BTreeMap<(u32, u16), Relay> {
    let routing = Routing::new(snapshot);
    let listeners = listeners(snapshot, &routing);
    if listeners.is_empty() {
        return BTreeMap::new();
    }
    let places = Places { snapshot, outside, routing, probes: probe_addresses(snapshot) };
    let mut relays = BTreeMap::new();
    for balancer in snapshot.all::<LoadBalancer>() {
        let Some(listeners) = listeners.get(balancer.arn.as_str()) else { continue };
        for node in &balancer.nodes {
            places.put(&mut relays, None, &node.interface, (balancer, node), listeners);
        }
    }
    let carried = |service: &EndpointService| {
        service.load_balancers.iter().any(|arn| listeners.contains_key(arn.as_str()))
    };
    for service in snapshot.all::<EndpointService>().filter(|service| carried(service)) {
        let endpoints = snapshot.found::<VpcEndpoint>(Term::EndpointService, &service.name());
        for endpoint in endpoints.filter(|endpoint| endpoint.state.carries_packets()) {
            for subnet in &endpoint.subnets {
                let Some((balancer, node)) = places.routing.node(service, &subnet.zone) else { continue };
                let Some(listeners) = listeners.get(balancer.arn.as_str()) else { continue };
                places.put(&mut relays, Some(&endpoint.id), &subnet.interface, (balancer, node), listeners);
            }
        }
    }
    relays
}

/// Whether the targets of a group are of another family than some clients of an interface: between the two, streams
/// take the gateway, each with a connection of its own.
fn translates(interface: &NetworkInterface, group: &TargetGroup) -> bool {
    let has_ipv6 = !interface.ipv6_addresses.is_empty();
    group.protocol.numbers().contains(&TCP) && (has_ipv6 || group.ip_address_type.has_ipv6())
}

/// The listeners whose connections the gateway gets, or may get, with their groups, by their balancers.
fn listeners<'a>(
    snapshot: &'a Snapshot,
    routing: &Routing<'a>,
) -> BTreeMap<&'a str, Vec<(&'a Listener, &'a TargetGroup)>> {
    let mut listeners: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for listener in snapshot.all::<Listener>() {
        let Some(group) = snapshot.get::<TargetGroup>(&listener.target_group) else { continue };
        let Some(balancer) = snapshot.get::<LoadBalancer>(&listener.load_balancer) else { continue };
        let both = balancer.ip_address_type.has_ipv6() || group.ip_address_type.has_ipv6();
        if both || routing.takes_gateway(listener) {
            let of_balancer = listeners.entry(listener.load_balancer.as_str()).or_default();
            of_balancer.push((listener.as_ref(), group.as_ref()));
        }
    }
    listeners
}

/// Where everything is.
struct Places<'a> {
    snapshot: &'a Snapshot,
    outside: &'a OutsideTargets,
    routing: Routing<'a>,
    probes: BTreeMap<ProbeKey, IpAddr>,
}

impl Places<'_> {
    /// The relays of an interface that leads to a balancer's node.
    fn put(
        &self,
        relays: &mut BTreeMap<(u32, u16), Relay>,
        endpoint: Option<&VpcEndpointId>,
        interface: &NetworkInterfaceId,
        (balancer, node): (&LoadBalancer, &LoadBalancerNode),
        listeners: &[(&Listener, &TargetGroup)],
    ) {
        let Some(interface) = self.snapshot.get::<NetworkInterface>(interface) else { return };
        for (listener, group) in listeners {
            if !self.routing.takes_gateway(listener) && !translates(interface, group) {
                continue;
            }
            let idle = listener.tcp_idle_seconds().unwrap_or(idle_seconds::IDLE_TCP.0);
            let relay = Relay {
                endpoint: endpoint.cloned(),
                addresses: (interface.address, interface.ipv6_addresses.first().copied()),
                targets: self.targets(balancer, &node.zone, group),
                tls: listener.tls.as_ref().map(|_| listener.arn.clone()),
                proxy_protocol: group.proxy_protocol(),
                idle: Duration::from_secs(idle.into()),
            };
            relays.insert((interface.number, listener.port), relay);
        }
    }

    fn targets(&self, balancer: &LoadBalancer, zone: &str, group: &TargetGroup) -> Vec<RelayTarget> {
        let chosen = self.routing.targets(balancer, zone, group);
        chosen.into_iter().filter_map(|target| self.reach(group, target)).collect()
    }

    /// Where to connect to for a target. `None`: an address outside that may not be one, or an address of the VPC
    /// where nothing is.
    fn reach(&self, group: &TargetGroup, target: &Target) -> Option<RelayTarget> {
        let at = |address, outside| RelayTarget { address: SocketAddr::new(address, target.port), outside };
        if let Some(address) = self.routing.outside(group, target) {
            return self.outside.allow(address).then(|| at(address.into(), true));
        }
        let address = self.routing.address(group, target)?;
        holder(self.snapshot, &group.vpc, address)?;
        let key = (group.arn.clone(), target.id.clone(), target.port);
        Some(at(*self.probes.get(&key)?, false))
    }
}
