//! What lies between subnets: network ACLs and route tables.

use std::net::IpAddr;

use linkway_model::crossing::stays_on_link;

use crate::layout::{self, Route, Rule, RuleChunk, RuleKey, Ruleset, Subnet};
use crate::programs::types::{drop_reason, interface_flag, interface_kind, route_kind, rule_direction};
use crate::reason::Reason;

use super::{Judge, Kind, Peer};

/// The type of an ICMP echo reply (RFC 792, RFC 4443); its code is 0.
const ECHO_REPLY: Kind = Kind { icmp: 0, icmpv6: 129 };

/// In place of a subnet: what is beyond a gateway endpoint or an internet gateway. `SUBNET_OUTSIDE` of `bpf/layout.h`.
pub(super) const OUTSIDE: u64 = u64::MAX;

/// A packet's way from one interface of a VPC to another.
#[derive(Clone, Copy)]
pub(super) struct Hop {
    pub(super) from: End,
    /// `None`: nothing stands there.
    pub(super) to: Option<End>,
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
}

/// An interface, or a gateway of whatever kind, at one end of a hop.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct End {
    pub(super) number: u32,
    pub(super) subnet: u64,
}

impl Hop {
    fn leaves_its_subnet(&self) -> bool {
        self.to.is_none_or(|to| to.subnet != self.from.subnet)
    }

    /// The way of an answer.
    fn back(self) -> Option<Self> {
        Some(Self { from: self.to?, to: Some(self.from), source: self.destination, destination: self.source })
    }
}

impl Judge<'_> {
    /// What an answer to the packet, which has taken these hops, is dropped for.
    pub(super) fn answer(&self, hops: &[Hop]) -> Option<Reason> {
        let port = self.port().map_or(self.icmp(&ECHO_REPLY), |_| self.packet.source_port);
        let refusal = |hop: &Hop| self.cross(&hop.back()?, port).err();
        hops.iter().rev().find_map(refusal).map(|reason| Reason(reason.0))
    }

    /// The hop as it is taken: where a route leads to an interface that forwards, to a gateway endpoint, or to a
    /// gateway that leads out, it ends there.
    pub(super) fn redirected(&self, hop: Hop) -> Hop {
        let subnet = self.tables.subnets.get(&hop.from.subnet).filter(|_| hop.leaves_its_subnet());
        let Some(subnet) = subnet.filter(|subnet| !is_nowhere(&hop, subnet)) else { return hop };
        let route = self.route(subnet, hop.destination);
        if let Some(route) = route.filter(|route| is(route, route_kind::ROUTE_ENDPOINT)) {
            return Hop { to: Some(End { number: route.interface, subnet: OUTSIDE }), ..hop };
        }
        if let Some(route) = route.filter(|route| is(route, route_kind::ROUTE_UPLINK)) {
            let gateway = self.tables.interfaces.get(&route.interface);
            let gateway = gateway.filter(|_| route.interface != hop.from.number);
            let to = gateway.map(|gateway| End { number: route.interface, subnet: gateway.subnet });
            return Hop { to: to.or(hop.to), ..hop };
        }
        let route = route.filter(|route| is(route, route_kind::ROUTE_INTERFACE));
        let forwarder = route.and_then(|route| {
            let interface = self.tables.interfaces.get(&route.interface)?;
            let forwards = u32::from(interface.kind) == interface_kind::INTERFACE_WORKLOAD.0
                && u32::from(interface.flags) & interface_flag::INTERFACE_SOURCE_CHECK.0 == 0
                && route.interface != hop.from.number;
            forwards.then_some(End { number: route.interface, subnet: interface.subnet })
        });
        Hop { to: forwarder.or(hop.to), ..hop }
    }

    /// A subnet's ACL is asked what goes out to another subnet, and what comes in from one; its route table where
    /// that leads.
    pub(super) fn cross(&self, hop: &Hop, port: u16) -> Result<(), drop_reason> {
        // What a route has redirected within the subnet does not leave it, but has followed the route.
        if !hop.leaves_its_subnet() {
            return Ok(());
        }
        if hop.from.subnet == OUTSIDE {
            return hop.to.map_or(Ok(()), |to| self.enter(hop, to.subnet, port));
        }
        let nowhere = drop_reason::DROP_NO_ROUTE;
        let from = self.tables.subnets.get(&hop.from.subnet).ok_or(nowhere)?;
        if is_nowhere(hop, from) {
            return Err(nowhere);
        }
        if !self.passes(from, rule_direction::RULE_EGRESS, hop.destination, port) {
            return Err(drop_reason::DROP_ACL_EGRESS_DENIED);
        }
        let route = self.route(from, hop.destination).ok_or(nowhere)?;
        let to = match route_kind(route.kind) {
            route_kind::ROUTE_LOCAL => hop.to.ok_or(nowhere)?,
            route_kind::ROUTE_INTERFACE | route_kind::ROUTE_ENDPOINT => {
                hop.to.filter(|to| to.number == route.interface).ok_or(drop_reason::DROP_NOT_FORWARDED)?
            }
            route_kind::ROUTE_UPLINK => {
                hop.to.filter(|to| to.number == route.interface).ok_or(drop_reason::DROP_NO_UPLINK)?
            }
            _ => return Err(drop_reason::DROP_BLACKHOLE_ROUTE),
        };
        if to.subnet == OUTSIDE { Ok(()) } else { self.enter(hop, to.subnet, port) }
    }

    fn enter(&self, hop: &Hop, subnet: u64, port: u16) -> Result<(), drop_reason> {
        let refused = drop_reason::DROP_ACL_INGRESS_DENIED;
        let to = self.tables.subnets.get(&subnet).ok_or(refused)?;
        if self.passes(to, rule_direction::RULE_INGRESS, hop.source, port) { Ok(()) } else { Err(refused) }
    }

    /// Of the routes of a subnet's table that the address is in, the most specific one.
    fn route(&self, subnet: &Subnet, address: IpAddr) -> Option<&Route> {
        let bits_of_table = 8 * size_of_val(&subnet.routes) as u32;
        let [first, second] = subnet.routes;
        let name = [first, second ^ u32::from(address.is_ipv6())];
        let of_table = self.tables.routes.iter().filter(|(key, _)| key.table == name);
        let matching = of_table.filter(|(key, _)| {
            let range = layout::net(&key.destination, key.bits - bits_of_table);
            range.is_some_and(|range| range.contains(&address))
        });
        matching.max_by_key(|(key, _)| key.bits).map(|(_, route)| route)
    }

    /// The entry with the lowest number that matches decides; none denies.
    fn passes(&self, subnet: &Subnet, direction: rule_direction, other: IpAddr, port: u16) -> bool {
        let acl = &subnet.acl[direction.0 as usize];
        let peer = Peer { address: layout::address(other), groups: 0 };
        let matching = self.list(acl).filter(|entry| self.matches(entry, &peer, port));
        acl.rules == 0 || matching.min_by_key(|entry| entry.id).is_some_and(|entry| entry.denies == 0)
    }

    /// The rules of a list.
    pub(super) fn list(&self, list: &Ruleset) -> impl Iterator<Item = &Rule> {
        let rules = list.rules;
        (0..list.count).filter_map(move |index| {
            let length = RuleChunk::default().rule.len() as u32;
            let chunk = self.tables.rules.get(&RuleKey { rules, chunk: index / length, pad: 0 })?;
            Some(&chunk.rule[(index % length) as usize])
        })
    }
}

/// What is sent to nobody in the subnet itself never leaves it, and no route leads to what has a meaning on a link only,
/// or is no single receiver's.
fn is_nowhere(hop: &Hop, from: &Subnet) -> bool {
    let ranges = [(from.address, from.prefix), (from.address6, from.prefix6)];
    let within = ranges.iter().any(|(address, bits)| {
        *bits > 0 && layout::net(address, *bits).is_some_and(|range| range.contains(&hop.destination))
    });
    hop.to.is_none() && (within || stays_on_link(hop.destination))
}

fn is(route: &Route, kind: route_kind) -> bool {
    route.kind == kind.0
}
