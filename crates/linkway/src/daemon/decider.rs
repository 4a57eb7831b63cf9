//! Which network ACL or route table a dropped packet met: found again in the state, as the packet path tells the reason
//! and the two ends only.
//!
//! A packet takes one hop or two, in AWS's terms: to what stands at its destination, and from a balancer's node to a
//! target, or from an endpoint to the client that it answers. The first hop that something stops for the reason told
//! is the one that is meant. The state may have changed since; then nothing is said.

use std::net::IpAddr;

use linkway_fabric::DropEvent;
use linkway_model::crossing::{Hop, Obstacle, RouteFault};
use linkway_model::endpoint_service::EndpointService;
use linkway_model::index::{self, Term};
use linkway_model::load_balancer::{LoadBalancer, LoadBalancerNode, TargetGroup};
use linkway_model::network_interface::{InterfaceRole, NetworkInterface};
use linkway_model::routing::Routing;
use linkway_model::subnet::Subnet;
use linkway_model::vpc_endpoint::VpcEndpoint;
use linkway_model::{Snapshot, VpcId};

use crate::admin::protocol::Decider;
use crate::daemon::names::Names;

/// ICMP's and ICMPv6's numbers, and the types of an echo and its answer (RFC 792, RFC 4443).
const ECHOES: [(u8, [u16; 2]); 2] = [(1, [8, 0]), (58, [128, 129])];

/// What decided, where a network ACL or a route table did.
pub(super) fn of(event: &DropEvent, names: &Names) -> Option<Decider> {
    let reason = event.reason.name();
    let way = Way::of(event, names)?;
    let mut obstacles = way.hops().into_iter().filter_map(|hop| hop.obstacle(way.state));
    obstacles.find(|obstacle| reason_of(obstacle) == reason).map(Decider::from)
}

/// The packet path's name for the reason.
fn reason_of(obstacle: &Obstacle<'_>) -> &'static str {
    match obstacle {
        Obstacle::Acl { egress: true, .. } => "AclEgressDenied",
        Obstacle::Acl { egress: false, .. } => "AclIngressDenied",
        Obstacle::Route { fault, .. } => match fault {
            RouteFault::Missing => "NoRoute",
            RouteFault::Blackhole => "BlackholeRoute",
            RouteFault::Uplink => "NoUplink",
            RouteFault::NotForwarded => "NotForwarded",
        },
    }
}

/// A packet and its ends.
struct Way<'a> {
    state: &'a Snapshot,
    sender: &'a NetworkInterface,
    /// Who gets it at last, where that is known.
    receiver: Option<&'a NetworkInterface>,
    source: IpAddr,
    destination: IpAddr,
    protocol: u8,
    port: u16,
}

impl<'a> Way<'a> {
    fn of(event: &DropEvent, names: &'a Names) -> Option<Self> {
        Some(Self {
            state: names.state(),
            sender: names.find(event.interface)?,
            receiver: event.other.and_then(|number| names.find(number)),
            source: event.source,
            destination: event.destination,
            protocol: event.protocol,
            port: event.destination_port,
        })
    }

    fn hops(&self) -> Vec<Hop<'a>> {
        let at = self.at(&self.sender.vpc, self.destination);
        let mut hops = self.hop(self.sender, at, self.source, self.destination, self.port);
        let Some(at) = at else { return hops };
        match &at.role {
            InterfaceRole::VpcEndpoint { endpoint } => hops.extend(self.to_targets(endpoint.as_str(), at)),
            InterfaceRole::LoadBalancer { .. } => {
                hops.extend(self.hops_of_node(at));
                hops.extend(self.back_to_client(at));
            }
            _ => {}
        }
        hops
    }

    /// What stands at an address.
    fn at(&self, vpc: &VpcId, address: IpAddr) -> Option<&'a NetworkInterface> {
        let text = index::address(vpc, address);
        self.state.found::<NetworkInterface>(Term::InterfaceAddress, &text).next().map(AsRef::as_ref)
    }

    fn subnet(&self, interface: &NetworkInterface) -> Option<&'a Subnet> {
        self.state.get::<Subnet>(&interface.subnet).map(AsRef::as_ref)
    }

    /// A hop between two interfaces, as a question and, of an echo, as an answer: which it was is not told.
    fn hop(
        &self,
        from: &NetworkInterface,
        to: Option<&NetworkInterface>,
        source: IpAddr,
        destination: IpAddr,
        port: u16,
    ) -> Vec<Hop<'a>> {
        let echo = ECHOES.iter().find(|(protocol, _)| *protocol == self.protocol);
        let ports = echo.map_or(vec![port], |(_, types)| types.to_vec());
        let from = self.subnet(from);
        let to = to.and_then(|to| self.subnet(to));
        let hop = |port| Hop { from, to, source, destination, protocol: self.protocol, port };
        ports.into_iter().map(hop).collect()
    }

    /// From the node behind an endpoint's interface to each target that it may send to.
    fn to_targets(&self, endpoint: &str, at: &NetworkInterface) -> Vec<Hop<'a>> {
        let node = self.state.get::<VpcEndpoint>(endpoint).and_then(|endpoint| self.node(endpoint, at));
        let node = node.and_then(|(_, node)| self.state.get::<NetworkInterface>(&node.interface));
        node.map(|node| self.hops_of_node(node)).unwrap_or_default()
    }

    /// The node that an interface of an endpoint leads to.
    fn node(
        &self,
        endpoint: &VpcEndpoint,
        at: &NetworkInterface,
    ) -> Option<(&'a LoadBalancer, &'a LoadBalancerNode)> {
        let service = self.state.get::<EndpointService>(&endpoint.service)?;
        let place = endpoint.subnets.iter().find(|place| place.interface == at.id)?;
        Routing::new(self.state).node(service, &place.zone)
    }

    /// What an interface of an endpoint's sends to a client, by either family: which it was is not told.
    fn answers(&self, door: &NetworkInterface, client: &NetworkInterface) -> Vec<Hop<'a>> {
        let by_ipv4 = Some((door.address.into(), client.address.into()));
        let by_ipv6 = door.ipv6_addresses.first().zip(client.ipv6_addresses.first());
        let ways = by_ipv4.into_iter().chain(by_ipv6.map(|(from, to)| ((*from).into(), (*to).into())));
        ways.flat_map(|(from, to)| self.hop(door, Some(client), from, to, self.port)).collect()
    }

    fn hops_of_node(&self, node: &NetworkInterface) -> Vec<Hop<'a>> {
        let InterfaceRole::LoadBalancer { load_balancer } = &node.role else { return Vec::new() };
        let Some(balancer) = self.state.get::<LoadBalancer>(load_balancer) else { return Vec::new() };
        let Some(subnet) = self.subnet(node) else { return Vec::new() };
        let routing = Routing::new(self.state);
        let listeners = routing.listeners(balancer).into_iter();
        let listeners = listeners.filter(|listener| listener.port == self.port);
        let groups = listeners.filter_map(|listener| self.state.get::<TargetGroup>(&listener.target_group));
        let hops = groups.flat_map(|group| {
            let targets = routing.targets(balancer, &subnet.zone, group).into_iter();
            targets.flat_map(move |target| {
                let address = routing.address(group, target);
                let there = address.and_then(|address| Some((address, self.at(&group.vpc, address)?)));
                there.and_then(|(address, there)| {
                    Some(self.hop(
                        node,
                        Some(there),
                        node.first_address(address.is_ipv6())?,
                        address,
                        target.port,
                    ))
                })
            })
        });
        hops.flatten().collect()
    }

    /// From the interface of the endpoint that the receiver has asked, back to the receiver: the packet is an answer.
    /// The port is the client's where the node could keep it.
    fn back_to_client(&self, node: &NetworkInterface) -> Vec<Hop<'a>> {
        let Some(client) = self.receiver else { return Vec::new() };
        let endpoints = self.state.found::<VpcEndpoint>(Term::EndpointVpc, client.vpc.as_str());
        let doors =
            endpoints.flat_map(|endpoint| endpoint.subnets.iter().map(move |place| (endpoint, place)));
        let hops = doors.filter_map(|(endpoint, place)| {
            let door = self.state.get::<NetworkInterface>(&place.interface)?;
            let (_, its) = self.node(endpoint, door)?;
            (its.interface == node.id).then(|| self.answers(door, client))
        });
        hops.flatten().collect()
    }
}
