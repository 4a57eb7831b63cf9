//! What becomes of a flow's first packet, by the rules of the packet path, in Rust: the programs are tested
//! against it, and it says of a packet that never was what would become of it.
//!
//! It reads the same [`Tables`], and decides in the order of a packet's way: the sender, the state of its
//! connection, its egress rules, the destination, what lies between the subnets, the ingress rules there, the
//! endpoint, the target. Of a packet that is delivered it says, too, what becomes of an answer.

mod between;
mod outwards;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::layout::{
    self, Address, Interface, KernelSettings, Listener, ListenerKey, MemberKey, PlaceKey, Port, Rule,
    RulesetKey, Target, TargetKey,
};
use crate::programs::types::{
    drop_reason, endpoint_flag, endpoint_state, interface_flag, interface_kind, listener_flag, peer_kind,
    place_kind, rule_direction,
};
use crate::ranges;
use crate::reason::Reason;
use crate::tables::Tables;

use between::{End, Hop};

/// The one port that a VPC's resolver listens on.
const DNS: u16 = 53;

/// The one port that instance metadata is read at, over TCP.
const HTTP: u16 = 80;

/// The type of an ICMP echo request (RFC 792, RFC 4443); its code is 0.
const ECHO: Kind = Kind { icmp: 8, icmpv6: 128 };

const ICMP: u8 = 1;
const ICMPV6: u8 = 58;

/// In a rule for ICMP: any type, any code.
const ANY_ICMP: u16 = u16::MAX;

/// A type of ICMP's and of ICMPv6's.
struct Kind {
    icmp: u16,
    icmpv6: u16,
}

/// A packet that belongs to no flow yet. Both of its addresses are of one family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet {
    /// Interface index of the host end that it comes in by.
    pub device: u32,
    /// The MAC that it says it comes from.
    pub source_mac: [u8; 6],
    /// The address that it says it comes from.
    pub source: IpAddr,
    /// The port that it says it comes from, in host order. An echo has none.
    pub source_port: u16,
    /// Where it wants to go.
    pub destination: IpAddr,
    /// What it carries.
    pub transport: Transport,
}

/// What a packet carries, as far as it matters. Ports are in host order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// TCP to a port.
    Tcp {
        /// The destination's port.
        port: u16,
        /// Whether it is a SYN alone.
        opens: bool,
    },
    /// UDP to a port.
    Udp {
        /// The destination's port.
        port: u16,
    },
    /// ICMP echo.
    Echo {
        /// Whether it asks, and does not answer.
        request: bool,
    },
}

/// What becomes of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is dropped.
    Dropped(Reason),
    /// It is delivered, like this.
    Delivered(Delivery),
}

/// A packet as its receiver sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivery {
    /// Interface index of the receiver's host end.
    pub device: u32,
    /// The receiver's MAC.
    pub mac: [u8; 6],
    /// Where it comes from, as the receiver sees it.
    pub source: IpAddr,
    /// Where it goes to.
    pub destination: IpAddr,
    /// The port there, in host order; 0 of an echo.
    pub port: u16,
    /// What an answer is dropped for, if it is: where ACLs let a packet through, they may still refuse answers to
    /// it. Answers go to the port that the packet came from, which a balancer's node keeps where it can.
    pub answer: Option<Reason>,
}

/// Decide a flow's first packet. More than one verdict where a hash of the flow picks one of several targets:
/// one for each.
pub fn decide(tables: &Tables, packet: &Packet) -> Vec<Verdict> {
    let dropped = |reason: drop_reason| Verdict::Dropped(Reason(reason.0));
    let judge = Judge { tables, packet };
    judge.ways().map_or_else(
        |reason| vec![dropped(reason)],
        |ways| {
            ways.into_iter()
                .map(|way| match way {
                    Ok(delivery) if delivery.device == 0 => dropped(drop_reason::DROP_NOT_DELIVERED),
                    Ok(delivery) => Verdict::Delivered(delivery),
                    Err(reason) => dropped(reason),
                })
                .collect()
        },
    )
}

/// One way that a packet may go.
type Way = Result<Delivery, drop_reason>;

struct Judge<'a> {
    tables: &'a Tables,
    packet: &'a Packet,
}

/// Who is on the other side, to a rule.
struct Peer {
    address: Address,
    groups: u64,
}

impl Judge<'_> {
    fn ways(&self) -> Result<Vec<Way>, drop_reason> {
        let sender = self.tables.ports.get(&self.packet.device).ok_or(drop_reason::DROP_UNKNOWN_PORT)?;
        self.check_source(sender)?;
        if !self.opens() {
            return Err(drop_reason::DROP_NO_FLOW);
        }
        if u32::from(sender.kind) == interface_kind::INTERFACE_SERVICE.0 {
            Ok(vec![self.probe()])
        } else {
            self.workload(sender)
        }
    }

    fn check_source(&self, sender: &Port) -> Result<(), drop_reason> {
        if u32::from(sender.flags) & interface_flag::INTERFACE_SOURCE_CHECK.0 == 0 {
            return Ok(());
        }
        if self.is_own(sender) && self.packet.source_mac == sender.mac {
            Ok(())
        } else {
            Err(drop_reason::DROP_SPOOFED_SOURCE)
        }
    }

    /// Whether the packet comes from an address of its sender's. It forwards others.
    fn is_own(&self, sender: &Port) -> bool {
        let own = (place_kind::PLACE_INTERFACE, sender.interface);
        self.place(sender.vpc, self.packet.source) == Some(own)
    }

    fn opens(&self) -> bool {
        match self.packet.transport {
            Transport::Tcp { opens, .. } => opens,
            Transport::Udp { .. } => true,
            Transport::Echo { request } => request,
        }
    }

    fn workload(&self, sender: &Port) -> Result<Vec<Way>, drop_reason> {
        let place = self.place(sender.vpc, self.packet.destination);
        if let Some((place_kind::PLACE_RESOLVER, _)) = place {
            return Ok(vec![self.resolver(sender)]);
        }
        if let Some((place_kind::PLACE_METADATA, _)) = place {
            return Ok(vec![self.metadata(sender)]);
        }
        let receiver = place
            .filter(|(kind, _)| *kind == place_kind::PLACE_INTERFACE)
            .and_then(|(_, number)| Some((number, self.tables.interfaces.get(&number)?)));
        let there = Peer {
            address: layout::address(self.packet.destination),
            groups: receiver.map_or(0, |(_, interface)| interface.groups),
        };
        let hop = self.redirected(Hop {
            from: End { number: sender.interface, subnet: sender.subnet },
            to: receiver.map(|(number, interface)| End { number, subnet: interface.subnet }),
            source: self.packet.source,
            destination: self.packet.destination,
        });
        let port = self.rule_port();
        if !self.admits(sender.groups, rule_direction::RULE_EGRESS, &there, port) {
            return Err(drop_reason::DROP_EGRESS_DENIED);
        }
        self.cross(&hop, port)?;
        let number = hop.to.ok_or(drop_reason::DROP_NO_ROUTE)?.number;
        let interface = self.tables.interfaces.get(&number).ok_or(drop_reason::DROP_NO_ROUTE)?;
        // A rule that names a group means addresses of its members, so not those that a member forwards.
        let groups = if self.is_own(sender) { sender.groups } else { 0 };
        let here = Peer { address: layout::address(self.packet.source), groups };
        if !self.admits(interface.groups, rule_direction::RULE_INGRESS, &here, port) {
            return Err(drop_reason::DROP_INGRESS_DENIED);
        }
        match interface_kind(interface.kind.into()) {
            interface_kind::INTERFACE_WORKLOAD => Ok(vec![Ok(Delivery {
                device: interface.device,
                mac: interface.mac,
                source: self.packet.source,
                destination: self.packet.destination,
                port: self.port().unwrap_or(0),
                answer: self.answer(&[hop]),
            })]),
            interface_kind::INTERFACE_ENDPOINT => self.endpoint(sender.interface, &[hop], number),
            interface_kind::INTERFACE_INTERNET => {
                self.out(sender.vpc, &[hop], number, self.packet.source).map(|delivery| vec![Ok(delivery)])
            }
            interface_kind::INTERFACE_NAT => self.through_nat(sender.vpc, hop, (number, interface)),
            interface_kind::INTERFACE_BALANCER => {
                self.balancer(sender.interface, &[hop], number, (number, interface))
            }
            _ => Err(drop_reason::DROP_NO_ROUTE),
        }
    }

    /// Neither security groups nor ACLs apply to the resolver.
    fn resolver(&self, sender: &Port) -> Way {
        if self.port() != Some(DNS) {
            return Err(drop_reason::DROP_NO_LISTENER);
        }
        let resolver = Ipv4Addr::from(self.tables.settings.resolver.to_ne_bytes());
        Ok(self.service(sender.interface, &[], resolver, DNS))
    }

    /// Nor to instance metadata.
    fn metadata(&self, sender: &Port) -> Way {
        if !matches!(self.packet.transport, Transport::Tcp { port: HTTP, .. }) {
            return Err(drop_reason::DROP_NO_LISTENER);
        }
        let metadata = Ipv4Addr::from(self.tables.settings.metadata.to_ne_bytes());
        Ok(self.service(sender.interface, &[], metadata, HTTP))
    }

    /// To the service namespace, which knows by the address who the client is: the interface of this number.
    fn service(&self, client: u32, hops: &[Hop], destination: Ipv4Addr, port: u16) -> Delivery {
        let settings: &KernelSettings = &self.tables.settings;
        Delivery {
            device: settings.service_device,
            mac: settings.service_mac,
            source: self.in_service(Ipv4Addr::from(settings.client_base.wrapping_add(client))),
            destination: self.in_service(destination),
            port,
            answer: self.answer(hops),
        }
    }

    /// The address of the service namespace, for a packet of this one's family.
    fn in_service(&self, address: Ipv4Addr) -> IpAddr {
        if self.packet.source.is_ipv4() {
            return address.into();
        }
        let [first, second, third] = self.tables.settings.service_prefix;
        let prefix = layout::ip(&Address { word: [first, second, third, 0] });
        Ipv6Addr::from_bits(prefix.to_bits() | u128::from(address.to_bits())).into()
    }

    fn endpoint(&self, client: u32, hops: &[Hop], number: u32) -> Result<Vec<Way>, drop_reason> {
        let available = endpoint_state::ENDPOINT_AVAILABLE.0;
        let endpoint = self.tables.endpoints.get(&number).filter(|endpoint| endpoint.state == available);
        let endpoint = endpoint.ok_or(drop_reason::DROP_ENDPOINT_UNAVAILABLE)?;
        let node = self.tables.interfaces.get(&endpoint.node).ok_or(drop_reason::DROP_NO_LISTENER)?;
        // A client is in none of the groups that a rule of the balancer's can name.
        let peer = Peer { address: layout::address(self.packet.source), groups: 0 };
        let asks = endpoint.flags & endpoint_flag::ENDPOINT_ASKS_BALANCER.0 != 0;
        if asks && !self.admits(node.groups, rule_direction::RULE_INGRESS, &peer, self.rule_port()) {
            return Err(drop_reason::DROP_BALANCER_DENIED);
        }
        self.balancer(client, hops, number, (endpoint.node, node))
    }

    /// What the node of this number listens for, asked at the interface `asked`: an endpoint's, or its own.
    fn balancer(
        &self,
        client: u32,
        hops: &[Hop],
        asked: u32,
        (number, node): (u32, &Interface),
    ) -> Result<Vec<Way>, drop_reason> {
        let (listener, port) = self.listener(number).ok_or(drop_reason::DROP_NO_LISTENER)?;
        let gateway = Ipv4Addr::from(self.tables.settings.endpoint_base.wrapping_add(asked));
        if listener.flags & listener_flag::LISTENER_GATEWAY.0 != 0 {
            return Ok(vec![Ok(self.service(client, hops, gateway, port))]);
        }
        let ways: Vec<Way> = (0..listener.count)
            .filter_map(|index| {
                self.tables.targets.get(&TargetKey { targets: listener.targets, index, pad: 0 })
            })
            .map(|target| {
                if layout::either_ip(&target.address).is_ipv4() == self.packet.source.is_ipv4() {
                    self.target(hops, (number, node), target, u16::from_be(target.port))
                } else if matches!(self.packet.transport, Transport::Tcp { .. }) {
                    Ok(self.service(client, hops, gateway, port))
                } else {
                    Err(drop_reason::DROP_NO_HEALTHY_TARGET)
                }
            })
            .collect();
        if ways.is_empty() { Err(drop_reason::DROP_NO_HEALTHY_TARGET) } else { Ok(ways) }
    }

    /// What listens for the packet, and its port.
    fn listener(&self, node: u32) -> Option<(&Listener, u16)> {
        let port = self.port()?;
        let key = ListenerKey { node, port: port.to_be(), protocol: self.protocol(), pad: 0 };
        Some((self.tables.listeners.get(&key)?, port))
    }

    /// The target sees the balancer's node, and its groups are asked about that one.
    fn target(&self, hops: &[Hop], (number, node): (u32, &Interface), target: &Target, port: u16) -> Way {
        let there = self.tables.interfaces.get(&target.interface).ok_or(drop_reason::DROP_NOT_DELIVERED)?;
        let destination = layout::either_ip(&target.address);
        let source = if destination.is_ipv4() { node.address } else { node.address6 };
        let hop = Hop {
            from: End { number, subnet: node.subnet },
            to: Some(End { number: target.interface, subnet: there.subnet }),
            source: layout::either_ip(&source),
            destination,
        };
        self.cross(&hop, port)?;
        let here = Peer { address: source, groups: node.groups };
        if !self.admits(there.groups, rule_direction::RULE_INGRESS, &here, port) {
            return Err(drop_reason::DROP_TARGET_DENIED);
        }
        Ok(Delivery {
            device: there.device,
            mac: there.mac,
            source: hop.source,
            destination: hop.destination,
            port,
            answer: self.answer(&[hops, &[hop]].concat()),
        })
    }

    /// A health check, from the service namespace.
    fn probe(&self) -> Way {
        let nothing = drop_reason::DROP_NO_ROUTE;
        let address = match self.packet.destination {
            IpAddr::V4(address) => address,
            IpAddr::V6(address) => Ipv4Addr::from_bits(address.to_bits() as u32),
        };
        if self.in_service(address) != self.packet.destination {
            return Err(nothing);
        }
        let offset = u32::from(address).wrapping_sub(self.tables.settings.probe_base);
        let port = self.port().filter(|_| offset < ranges::PROBES).ok_or(nothing)?;
        let probe = self.tables.probes.get(&offset).ok_or(nothing)?;
        let node = self.tables.interfaces.get(&probe.node).ok_or(nothing)?;
        if layout::either_ip(&probe.address).is_ipv4() != self.packet.destination.is_ipv4() {
            return Err(nothing);
        }
        let target =
            Target { address: probe.address, interface: probe.interface, port: port.to_be(), pad: 0 };
        self.target(&[], (probe.node, node), &target, port)
    }

    /// Whether a rule of the set lets the packet through. 0 is no set: then groups do not apply.
    fn admits(&self, groups: u64, direction: rule_direction, peer: &Peer, port: u16) -> bool {
        if groups == 0 {
            return true;
        }
        let key = RulesetKey { groups, direction: direction.0, pad: 0 };
        let Some(ruleset) = self.tables.rulesets.get(&key) else { return false };
        self.list(ruleset).any(|rule| self.matches(rule, peer, port))
    }

    /// `port` is what rules look at: of ICMP, the type.
    fn matches(&self, rule: &Rule, peer: &Peer, port: u16) -> bool {
        let traffic = match (rule.protocol, self.packet.transport) {
            (0, _) => true,
            (protocol, _) if protocol != self.protocol() => false,
            (_, Transport::Echo { .. }) => {
                rule.from == ANY_ICMP || (rule.from == port && matches!(rule.to, 0 | ANY_ICMP))
            }
            _ => (rule.from..=rule.to).contains(&port),
        };
        traffic && self.is_peer(rule, peer)
    }

    fn is_peer(&self, rule: &Rule, peer: &Peer) -> bool {
        match peer_kind(rule.peer.into()) {
            peer_kind::PEER_CIDR => {
                let peer = layout::either_ip(&peer.address);
                layout::net(&rule.address, rule.prefix).is_some_and(|range| range.contains(&peer))
            }
            peer_kind::PEER_GROUP => {
                let key = MemberKey { groups: peer.groups, group: rule.group, pad: 0 };
                peer.groups != 0 && self.tables.members.contains_key(&key)
            }
            _ => false,
        }
    }

    fn place(&self, vpc: u32, ip: IpAddr) -> Option<(place_kind, u32)> {
        let place = self.tables.places.get(&PlaceKey { vpc, address: layout::address(ip) })?;
        Some((place_kind(place.kind), place.interface))
    }

    fn protocol(&self) -> u8 {
        match self.packet.transport {
            Transport::Tcp { .. } => 6,
            Transport::Udp { .. } => 17,
            Transport::Echo { .. } if self.packet.source.is_ipv4() => ICMP,
            Transport::Echo { .. } => ICMPV6,
        }
    }

    /// The destination's port, where the protocol has ports.
    fn port(&self) -> Option<u16> {
        match self.packet.transport {
            Transport::Tcp { port, .. } | Transport::Udp { port } => Some(port),
            Transport::Echo { .. } => None,
        }
    }

    /// What rules look at.
    fn rule_port(&self) -> u16 {
        self.port().unwrap_or(self.icmp(&ECHO))
    }

    /// The type in the packet's family.
    fn icmp(&self, kind: &Kind) -> u16 {
        if self.packet.source.is_ipv4() { kind.icmp } else { kind.icmpv6 }
    }
}
