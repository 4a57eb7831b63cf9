//! A network ACL as responses carry it, and what it is filtered by.

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use linkway_model::Snapshot;
use linkway_model::network_acl::{NetworkAcl, NetworkAclEntry};
use linkway_model::subnet::Subnet;
use linkway_model::vpc::Vpc;
use linkway_wire::ec2::{
    IcmpTypeCode, NetworkAcl as NetworkAclShape, NetworkAclAssociation,
    NetworkAclEntry as NetworkAclEntryShape, PortRange,
};

use super::{LAST, LAST_IPV6, everything};
use crate::filter::{Field, fields, many, one};
use crate::tags;

pub(super) const FILTERS: &[Field<NetworkAcl>] = fields! {
    "association.association-id" =>
        |state, acl| many(associations(state, acl).into_iter().filter_map(|found| found.network_acl_association_id));
    "association.network-acl-id" =>
        |state, acl| many(associations(state, acl).into_iter().filter_map(|found| found.network_acl_id));
    "association.subnet-id" =>
        |state, acl| many(associations(state, acl).into_iter().filter_map(|found| found.subnet_id));
    "default" => |_, acl| one(acl.is_default);
    "entry.cidr" => |state, acl| many(entries(state, acl).into_iter().filter_map(|entry| entry.cidr_block));
    "entry.egress" => |state, acl| many(entries(state, acl).into_iter().filter_map(|entry| entry.egress));
    "entry.ipv6-cidr" => |state, acl| many(entries(state, acl).into_iter().filter_map(|entry| entry.ipv6_cidr_block));
    "entry.protocol" => |state, acl| many(entries(state, acl).into_iter().filter_map(|entry| entry.protocol));
    "entry.rule-action" => |state, acl| many(entries(state, acl).into_iter().filter_map(|entry| entry.rule_action));
    "entry.rule-number" => |state, acl| many(entries(state, acl).into_iter().filter_map(|entry| entry.rule_number));
    "network-acl-id" => |_, acl| one(&acl.id);
    "owner-id" => |_, acl| one(&acl.owner);
    "vpc-id" => |_, acl| one(&acl.vpc);
    "entry.icmp.code" => |_, acl| many(acl.entries.iter().filter_map(|entry| entry.icmp).map(|(_, code)| code));
    "entry.icmp.type" => |_, acl| many(acl.entries.iter().filter_map(|entry| entry.icmp).map(|(kind, _)| kind));
    "entry.port-range.from" =>
        |_, acl| many(acl.entries.iter().filter_map(|entry| entry.ports).map(|(from, _)| from));
    "entry.port-range.to" => |_, acl| many(acl.entries.iter().filter_map(|entry| entry.ports).map(|(_, to)| to));
};

fn associations(state: &Snapshot, acl: &NetworkAcl) -> Vec<NetworkAclAssociation> {
    let of_subnet = |subnet: &Subnet| {
        let (association, used) = &subnet.network_acl;
        (*used == acl.id).then(|| NetworkAclAssociation {
            network_acl_association_id: Some(association.to_string()),
            network_acl_id: Some(acl.id.to_string()),
            subnet_id: Some(subnet.id.to_string()),
        })
    };
    state.all::<Subnet>().filter_map(|subnet| of_subnet(subnet)).collect()
}

/// All entries, those for what leaves first, each direction in the order in which they are tried.
fn entries(state: &Snapshot, acl: &NetworkAcl) -> Vec<NetworkAclEntryShape> {
    let has_ipv6 = state.get::<Vpc>(&acl.vpc).is_some_and(|vpc| !vpc.ipv6_cidrs.is_empty());
    let last = |egress| everything(LAST, egress, IpNet::V4(Ipv4Net::default()), false);
    let last_ipv6 = |egress| everything(LAST_IPV6, egress, IpNet::V6(Ipv6Net::default()), false);
    let mut ends = vec![last(true), last(false)];
    if has_ipv6 {
        ends.extend([last_ipv6(true), last_ipv6(false)]);
    }
    let mut entries: Vec<_> = acl.entries.iter().cloned().chain(ends).collect();
    entries.sort_by_key(|entry| (!entry.egress, entry.number));
    let shape = |entry: NetworkAclEntry| NetworkAclEntryShape {
        cidr_block: matches!(entry.cidr, IpNet::V4(_)).then(|| entry.cidr.to_string()),
        ipv6_cidr_block: matches!(entry.cidr, IpNet::V6(_)).then(|| entry.cidr.to_string()),
        egress: Some(entry.egress),
        protocol: Some(entry.protocol.map_or_else(|| "-1".into(), |number| number.to_string())),
        rule_action: Some(if entry.allow { "allow" } else { "deny" }.into()),
        rule_number: Some(entry.number),
        icmp_type_code: entry.icmp.map(|(kind, code)| IcmpTypeCode { code: Some(code), type_: Some(kind) }),
        port_range: entry.ports.map(|(from, to)| PortRange { from: Some(from.into()), to: Some(to.into()) }),
    };
    entries.into_iter().map(shape).collect()
}

pub(super) fn shape(state: &Snapshot, acl: &NetworkAcl) -> NetworkAclShape {
    NetworkAclShape {
        associations: associations(state, acl),
        entries: entries(state, acl),
        is_default: Some(acl.is_default),
        network_acl_id: Some(acl.id.to_string()),
        owner_id: Some(acl.owner.to_string()),
        tags: tags::shape(&acl.tags),
        vpc_id: Some(acl.vpc.to_string()),
    }
}
