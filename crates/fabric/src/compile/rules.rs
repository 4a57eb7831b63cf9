//! Sets of security groups, and the rules of each.

use ipnet::IpNet;
use linkway_model::index::Term;
use linkway_model::prefix_list;
use linkway_model::security_group::{Direction, Peer, SecurityGroup, SecurityGroupRule, Traffic};

use crate::layout::{self, MemberKey, Rule, RuleChunk, RuleKey, Ruleset, RulesetKey};
use crate::programs::types::{peer_kind, rule_direction};
use crate::tables::Tables;

use super::{Context, groups, hash};

const ICMP: u8 = 1;
const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMPV6: u8 = 58;

/// The range of a rule that names no ports; of ICMP: any type, any code.
const ANY: u16 = u16::MAX;

/// A set, by its text in the index.
pub(super) fn compile(context: &Context<'_>, tables: &mut Tables, set: &str) {
    let number = groups::number(set);
    let (mut ingress, mut egress) = (Vec::new(), Vec::new());
    for group in set.split(',').filter_map(|id| context.snapshot.get::<SecurityGroup>(id)) {
        tables.members.insert(MemberKey { groups: number, group: group.number, pad: 0 }, 1);
        for rule in context.snapshot.found::<SecurityGroupRule>(Term::RuleGroup, group.id.as_str()) {
            let list = match rule.direction {
                Direction::Ingress => &mut ingress,
                Direction::Egress => &mut egress,
            };
            list.extend(compile_rule(context, rule));
        }
    }
    for (direction, mut list) in
        [(rule_direction::RULE_INGRESS, ingress), (rule_direction::RULE_EGRESS, egress)]
    {
        list.sort_by_key(|rule| rule.id);
        let ruleset = put_list(tables, set, &list);
        tables.rulesets.insert(RulesetKey { groups: number, direction: direction.0, pad: 0 }, ruleset);
    }
}

/// Write a list of rules under its contents, for its owner: a set, or a subnet.
pub(super) fn put_list(tables: &mut Tables, owner: &str, list: &[Rule]) -> Ruleset {
    let rules = hash::contents(owner, list);
    for (chunk, items) in (0..).zip(list.chunks(RuleChunk::default().rule.len())) {
        let mut value = RuleChunk::default();
        value.rule[..items.len()].copy_from_slice(items);
        tables.rules.insert(RuleKey { rules, chunk, pad: 0 }, value);
    }
    Ruleset { rules, count: list.len() as u32, pad: 0 }
}

/// One for a range or a group, one for each range of a prefix list. None: nothing can match it. Its peer is gone or
/// an empty list, or its protocol is 0, IPv6's hop-by-hop options, for which the tables say "any".
fn compile_rule(context: &Context<'_>, rule: &SecurityGroupRule) -> Vec<Rule> {
    if rule.traffic.protocol == Some(0) {
        return Vec::new();
    }
    let (from, to) = range(&rule.traffic);
    let compiled =
        Rule { id: rule.number, from, to, protocol: rule.traffic.protocol.unwrap_or(0), ..Rule::default() };
    match &rule.peer {
        Peer::Cidr(cidr) => vec![with_range(compiled, *cidr)],
        Peer::Group(id) => {
            let group = context.snapshot.get::<SecurityGroup>(id).map(|group| group.number);
            let compiled = |group| Rule { peer: peer_kind::PEER_GROUP.0 as u8, group, ..compiled };
            group.map(compiled).into_iter().collect()
        }
        Peer::PrefixList(id) => {
            let ranges = prefix_list::ranges(context.snapshot, &rule.region, id);
            ranges.into_iter().map(|cidr| with_range(compiled, cidr)).collect()
        }
    }
}

/// With this range as its peer. It is about packets of the range's family only.
pub(super) fn with_range(compiled: Rule, cidr: IpNet) -> Rule {
    let (address, prefix) = layout::range(cidr);
    Rule { peer: peer_kind::PEER_CIDR.0 as u8, address, prefix, ..compiled }
}

/// First and last port, or ICMP type and code.
fn range(traffic: &Traffic) -> (u16, u16) {
    let number = |value: Option<i32>| value.and_then(|value| u16::try_from(value).ok());
    match traffic.protocol {
        Some(ICMP | ICMPV6) => (or_any(traffic.from), or_any(traffic.to)),
        Some(TCP | UDP) => (number(traffic.from).unwrap_or(0), number(traffic.to).unwrap_or(u16::MAX)),
        _ => (0, u16::MAX),
    }
}

/// An ICMP type or code. AWS's -1 is any.
pub(super) fn or_any(value: Option<i32>) -> u16 {
    value.and_then(|value| u16::try_from(value).ok()).unwrap_or(ANY)
}
