//! What is asked where packets leave and enter each subnet: its network ACL and its route
//! table.

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use linkway_model::SubnetId;
use linkway_model::network_acl::{NetworkAcl, NetworkAclEntry};
use linkway_model::subnet::Subnet as ModelSubnet;

use crate::layout::{self, Rule, Ruleset, Subnet};
use crate::programs::types::rule_direction;
use crate::tables::Tables;

use super::{Context, hash, routes, rules};

/// A subnet's row.
pub(super) fn key(subnet: &SubnetId) -> u64 {
    hash::text(&[subnet.as_str()])
}

pub(super) fn compile(context: &Context<'_>, tables: &mut Tables, subnet: &ModelSubnet) {
    let entries = context
        .snapshot
        .get::<NetworkAcl>(&subnet.network_acl.1)
        .map_or(&[][..], |acl| acl.entries.as_slice());
    let (address, prefix) = layout::range(subnet.cidr);
    let (address6, prefix6) =
        subnet.ipv6_cidr.as_ref().map(|range| layout::range(range.cidr)).unwrap_or_default();
    let mut row = Subnet {
        address,
        prefix,
        address6,
        prefix6,
        routes: routes::of_subnet(context, subnet),
        ..Subnet::default()
    };
    for (egress, direction) in [(false, rule_direction::RULE_INGRESS), (true, rule_direction::RULE_EGRESS)] {
        let entries = entries.iter().filter(|entry| entry.egress == egress);
        row.acl[direction.0 as usize] = acl(tables, subnet, entries);
    }
    tables.subnets.insert(key(&subnet.id), row);
}

/// One direction of a subnet's ACL. An ACL whose first entries allow everything has no list: nobody has to read it.
fn acl<'a>(
    tables: &mut Tables,
    subnet: &ModelSubnet,
    entries: impl Iterator<Item = &'a NetworkAclEntry>,
) -> Ruleset {
    let mut list: Vec<Rule> = entries.filter_map(compile_entry).collect();
    list.sort_by_key(|entry| entry.id);
    let has_ipv6 = subnet.ipv6_cidr.is_some();
    if allows_all(&list, IpNet::V4(Ipv4Net::default()))
        && (!has_ipv6 || allows_all(&list, IpNet::V6(Ipv6Net::default())))
    {
        return Ruleset::default();
    }
    rules::put_list(tables, subnet.id.as_str(), &list)
}

/// Whether the first entry that is about the family of `all` lets all of it through.
fn allows_all(list: &[Rule], all: IpNet) -> bool {
    let everybody = rules::with_range(Rule { to: u16::MAX, ..Rule::default() }, all);
    let is_ipv4 = |rule: &Rule| layout::ip(&rule.address).to_ipv4_mapped().is_some();
    let first = list.iter().find(|rule| is_ipv4(rule) == is_ipv4(&everybody));
    first.is_some_and(|first| Rule { id: 0, ..*first } == everybody)
}

/// `None`: it is about protocol 0, IPv6's hop-by-hop options, for which the tables say "any".
fn compile_entry(entry: &NetworkAclEntry) -> Option<Rule> {
    if entry.protocol == Some(0) {
        return None;
    }
    let (from, to) = match (entry.ports, entry.icmp) {
        (Some(ports), _) => ports,
        (None, Some((kind, code))) => (rules::or_any(Some(kind)), rules::or_any(Some(code))),
        (None, None) => (0, u16::MAX),
    };
    let compiled = Rule {
        id: u32::try_from(entry.number).ok()?,
        from,
        to,
        protocol: entry.protocol.unwrap_or(0),
        denies: (!entry.allow).into(),
        ..Rule::default()
    };
    Some(rules::with_range(compiled, entry.cidr))
}
