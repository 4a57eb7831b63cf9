//! Who may send what to whom in the world of `noise.rs`, as its rules and its drawing say; and so where a packet that
//! was delivered may have come to.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use crate::frames::FAR_IP;
use crate::ipv6::{
    AWS_IP6, CLIENT_IP6, ENDPOINT_IP6, NEIGHBOUR_IP6, NODE_IP6, RESOLVER_IP6, TARGET_IP6, service,
};
use crate::parsed::{Parsed, quoted};
use crate::world::*;

/// `ENDPOINT` and `NODE`, in the service namespace.
const SERVICE_ENDPOINT_IP: Ipv4Addr = Ipv4Addr::new(240, 0, 0, ENDPOINT as u8);
const SERVICE_NODE_IP: Ipv4Addr = Ipv4Addr::new(240, 0, 0, NODE as u8);

const INTERNET: u32 = 40;
const TABLE: u32 = 1;

/// Rules of both families, an IPv4 listener at port 444, and a way out by an internet gateway for `CLIENT`.
pub fn set_up(world: &World) {
    let anywhere = Ipv4Addr::UNSPECIFIED;
    let all = |id| [rule(id, 0, (0, 0)).peer_cidr(anywhere, 0), rule(id + 1, 0, (0, 0)).peer_range("::/0")];
    world.rules(101, EGRESS, &all(1));
    world.rules(
        102,
        INGRESS,
        &[
            rule(3, 6, (80, 80)).peer_group(CLIENT_GROUP),
            rule(4, 17, (5000, 5000)).peer_group(CLIENT_GROUP),
            rule(5, 1, (8, ANY_ICMP)).peer_group(CLIENT_GROUP),
            rule(6, 58, (128, ANY_ICMP)).peer_group(CLIENT_GROUP),
        ],
    );
    let from_node = |id, protocol| {
        let ports = (8443, 8443);
        [
            rule(id, protocol, ports).peer_cidr(NODE_IP, 32),
            rule(id + 1, protocol, ports).peer_range("2001:db8:1:1::50/128"),
        ]
    };
    world.rules(104, INGRESS, &[from_node(7, 6), from_node(9, 17)].concat());
    for protocol in [6, 17] {
        world.listener(protocol, 444, &[(TARGET_IP, TARGET), (TARGET_IP, TARGET)], 0, 0);
    }
    world.gateway(INTERNET, u64::MAX, anywhere, Kind::INTERFACE_INTERNET);
    world.use_routes(CONSUMER.into(), TABLE);
    world.route(TABLE, "10.0.0.0/16", RouteKind::ROUTE_LOCAL, 0);
    world.route(TABLE, "0.0.0.0/0", RouteKind::ROUTE_UPLINK, INTERNET);
    world.public(CONSUMER, CLIENT_IP, true);
}

/// Where a packet that opens a flow comes to: the receiver, and what it sees: source, destination, its port.
type Way = (u32, IpAddr, IpAddr, u16);

/// A direction of a flow: whose device, protocol, addresses, ports.
type Direction = (u32, u8, (IpAddr, u16), (IpAddr, u16));

/// What has been delivered so far.
#[derive(Default)]
pub struct Site {
    /// By what answers it: what its sender then sees.
    answers: BTreeMap<Direction, BTreeSet<Direction>>,
}

/// By the rules. `None`: nothing is let through.
fn way(by: u32, sent: &Parsed) -> Option<Way> {
    let own: [IpAddr; 2] = match by {
        CLIENT => [CLIENT_IP.into(), CLIENT_IP6.into()],
        NEIGHBOUR => [NEIGHBOUR_IP.into(), NEIGHBOUR_IP6.into()],
        TARGET => [TARGET_IP.into(), TARGET_IP6.into()],
        SECOND => [SECOND_IP.into(), SECOND_IP.into()],
        // What the daemon sends is not asked for where it comes from.
        SERVICE => [sent.source, sent.source],
        _ => return None,
    };
    if !own.contains(&sent.source) {
        return None;
    }
    let (tcp, udp) = (sent.protocol == 6, sent.protocol == 17);
    let (to, port) = (sent.destination, sent.ports.1);
    let six = to.is_ipv6();
    let client = SERVICE_CLIENT_IP.to_bits() - CLIENT + by;
    let of_family = |four: Ipv4Addr| if six { IpAddr::from(service(four)) } else { four.into() };
    let client: IpAddr = of_family(Ipv4Addr::from_bits(client));
    let any_port = sent.fragment.is_some_and(|(offset, _)| offset > 0);
    let at = |ports: &[u16]| any_port || ports.contains(&port);
    let asks = matches!(sent.protocol, 1 | 58) && sent.ports.1 == 0;
    if by == SERVICE {
        let found = to == IpAddr::from(PROBE_IP) && tcp && at(&[8443]);
        return found.then_some((TARGET, NODE_IP.into(), TARGET_IP.into(), 8443));
    }
    if to == IpAddr::from(RESOLVER_IP) || to == IpAddr::from(RESOLVER_IP6) {
        return ((tcp || udp) && at(&[53])).then_some((SERVICE, client, of_family(SERVICE_RESOLVER_IP), 53));
    }
    if to == IpAddr::from(METADATA_IP) {
        return (tcp && at(&[80])).then_some((SERVICE, client, of_family(SERVICE_METADATA_IP), 80));
    }
    let served = |node: Ipv4Addr, own: u16, other: u16, ways: [(IpAddr, IpAddr); 2]| {
        // A stream to targets of the other family goes through the gateway; a datagram goes nowhere.
        let (from, target) = ways[usize::from(six)];
        let direct = ((tcp || udp) && at(&[own])).then_some((TARGET, from, target, 8443));
        direct.or_else(|| (tcp && at(&[other])).then_some((SERVICE, client, of_family(node), port)))
    };
    let ways = [(NODE_IP.into(), TARGET_IP.into()), (NODE_IP6.into(), TARGET_IP6.into())];
    if [TARGET, SECOND].contains(&by) && to == IpAddr::from(NODE_IP) {
        // A balancer serves its own VPC, and a target itself.
        return served(SERVICE_NODE_IP, 444, 443, ways);
    }
    if by != CLIENT {
        return None;
    }
    if to == IpAddr::from(NEIGHBOUR_IP) || to == IpAddr::from(NEIGHBOUR_IP6) {
        let open = tcp && at(&[80]) || udp && at(&[5000]) || asks;
        return open.then_some((NEIGHBOUR, sent.source, to, port));
    }
    if to == IpAddr::from(ENDPOINT_IP) {
        return served(SERVICE_ENDPOINT_IP, 444, 443, ways);
    }
    if to == IpAddr::from(ENDPOINT_IP6) {
        return served(SERVICE_ENDPOINT_IP, 443, 444, ways);
    }
    if to == IpAddr::from(AWS_IP) || to == IpAddr::from(AWS_IP6) {
        return (tcp && at(&[80, 443])).then_some((SERVICE, client, of_family(SERVICE_AWS_IP), port));
    }
    let IpAddr::V4(far) = to else { return None };
    let [a, b, ..] = far.octets();
    let special = far.is_private()
        || far.is_loopback()
        || far.is_link_local()
        || matches!(a, 0 | 224..)
        || (a, b & 0xc0) == (100, 64)
        || (a, b & 0xfe) == (198, 18)
        || far.octets()[..3] == [192, 0, 0];
    (far == FAR_IP || !special && (tcp || udp || asks)).then_some((BEYOND, UPLINK_SOURCE.into(), to, port))
}

impl Site {
    /// Is it where it may be?
    pub fn expects(&mut self, by: u32, sent: &Parsed, seen: &Parsed) -> Result<(), String> {
        let mut sent_as = (by, sent.protocol, (sent.source, sent.ports.0), (sent.destination, sent.ports.1));
        if by == BEYOND && sent.destination == IpAddr::from(UPLINK_IP) {
            // The host has put the one address in the place of the other.
            sent_as.3.0 = UPLINK_SOURCE.into();
        }
        let receiver = receiver(seen).ok_or("nobody's MAC, or not from the router's")?;
        if sent.is_error() {
            return self.is_about_what_was_sent(receiver, seen);
        }
        let seen_as =
            (receiver, seen.protocol, (seen.source, seen.ports.0), (seen.destination, seen.ports.1));
        let turned = |(_, protocol, from, to): Direction, by| (by, protocol, to, from);
        if let Some(way) = way(by, sent)
            && (way.0, way.1, way.2) == (receiver, seen.source, seen.destination)
            && (way.3 == seen.ports.1 || seen.fragment.is_some_and(|(offset, _)| offset > 0))
        {
            let answer = turned(seen_as, receiver);
            self.answers.entry(answer).or_default().insert(turned(sent_as, by));
            return Ok(());
        }
        let later = sent.fragment.is_some_and(|(offset, _)| offset > 0);
        let answers = self.answers.iter().any(|(answer, told)| {
            same(answer, &sent_as, later) && told.iter().any(|told| same(told, &seen_as, later))
        });
        if answers { Ok(()) } else { Err(format!("{sent_as:?} may not come to {seen_as:?}")) }
    }

    /// Whoever is told of a packet has sent it, or it would be an answer of theirs.
    fn is_about_what_was_sent(&self, receiver: u32, seen: &Parsed) -> Result<(), String> {
        let (source, destination, protocol, ports) = quoted(&seen.inside);
        if source != seen.destination {
            return Err(format!("an error about a packet of {source}"));
        }
        let about = (receiver, protocol, (source, ports.0), (destination, ports.1));
        let back = (receiver, protocol, (destination, ports.1), (source, ports.0));
        let known =
            self.answers.contains_key(&about) || self.answers.values().any(|told| told.contains(&back));
        if known { Ok(()) } else { Err(format!("an error about {about:?}, which is nobody's")) }
    }
}

fn same(one: &Direction, other: &Direction, without_ports: bool) -> bool {
    one == other
        || without_ports && (one.0, one.1, one.2.0, one.3.0) == (other.0, other.1, other.2.0, other.3.0)
}

/// Whose MAC it has been sent to, from the router's.
fn receiver(seen: &Parsed) -> Option<u32> {
    let receivers = [CLIENT, NEIGHBOUR, TARGET, SECOND, SERVICE, BEYOND];
    let found = receivers.into_iter().find(|number| mac(*number) == seen.macs.0);
    found.filter(|_| seen.macs.1 == ROUTER_MAC)
}
