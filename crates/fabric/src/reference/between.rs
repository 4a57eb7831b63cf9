//! What lies between subnets: network ACLs.

use std::net::Ipv4Addr;

use crate::layout::{self, Rule, RuleChunk, RuleKey, Ruleset, Subnet};
use crate::programs::types::{drop_reason, rule_direction};
use crate::reason::Reason;

use super::{Judge, Peer, ipv4};

/// The type of an ICMP echo reply (RFC 792); its code is 0.
const ICMP_ECHO_REPLY: u16 = 0;

/// A packet's way from one interface of a VPC to another.
#[derive(Clone, Copy)]
pub(super) struct Hop {
    /// The subnet that it starts in.
    pub(super) from: u64,
    /// The subnet of the interface that it goes to. `None`: nothing stands there.
    pub(super) to: Option<u64>,
    pub(super) source: Ipv4Addr,
    pub(super) destination: Ipv4Addr,
}

impl Hop {
    /// The way of an answer.
    fn back(self) -> Option<Self> {
        Some(Self { from: self.to?, to: Some(self.from), source: self.destination, destination: self.source })
    }
}

impl Judge<'_> {
    /// What an answer to the packet, which has taken these hops, is dropped for.
    pub(super) fn answer(&self, hops: &[Hop]) -> Option<Reason> {
        let port = self.port().map_or(ICMP_ECHO_REPLY, |_| self.packet.source_port);
        let refusal = |hop: &Hop| self.cross(&hop.back()?, port).err();
        hops.iter().rev().find_map(refusal).map(|reason| Reason(reason.0))
    }

    /// A subnet's ACL is asked what goes out to another subnet, and what comes in from one.
    pub(super) fn cross(&self, hop: &Hop, port: u16) -> Result<(), drop_reason> {
        if hop.to == Some(hop.from) {
            return Ok(());
        }
        let nowhere = drop_reason::DROP_NO_ROUTE;
        let from = self.tables.subnets.get(&hop.from).ok_or(nowhere)?;
        if hop.to.is_none() && contains(from, hop.destination) {
            return Err(nowhere);
        }
        if !self.passes(from, rule_direction::RULE_EGRESS, hop.destination, port) {
            return Err(drop_reason::DROP_ACL_EGRESS_DENIED);
        }
        let refused = drop_reason::DROP_ACL_INGRESS_DENIED;
        let to = self.tables.subnets.get(&hop.to.ok_or(nowhere)?).ok_or(refused)?;
        if self.passes(to, rule_direction::RULE_INGRESS, hop.source, port) { Ok(()) } else { Err(refused) }
    }

    /// The entry with the lowest number that matches decides; none denies.
    fn passes(&self, subnet: &Subnet, direction: rule_direction, other: Ipv4Addr, port: u16) -> bool {
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

fn contains(subnet: &Subnet, address: Ipv4Addr) -> bool {
    ipnet::Ipv4Net::new(ipv4(&subnet.address), (subnet.prefix - 96) as u8)
        .is_ok_and(|range| range.contains(&address))
}
