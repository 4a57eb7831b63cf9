//! Security groups' rules, as far as they let something through.

use ipnet::IpNet;
use linkway_model::network_interface::NetworkInterface;
use linkway_model::prefix_list;
use linkway_model::security_group::{Direction, Peer, SecurityGroupRule, Traffic};
use linkway_model::{SecurityGroupId, Snapshot};

use super::service::Port;

/// The rules of groups in one direction.
pub(super) fn of<'a>(
    state: &'a Snapshot,
    groups: &'a [SecurityGroupId],
    direction: Direction,
) -> impl Iterator<Item = &'a SecurityGroupRule> {
    let rules = state.all::<SecurityGroupRule>().map(AsRef::as_ref);
    rules.filter(move |rule| rule.direction == direction && groups.contains(&rule.group))
}

/// Whether a rule's traffic includes a port.
pub(super) fn includes(traffic: &Traffic, port: Port) -> bool {
    let number = i32::from(port.number);
    traffic.protocol.is_none_or(|protocol| protocol == port.protocol)
        && traffic.from.is_none_or(|from| from <= number)
        && traffic.to.is_none_or(|to| number <= to)
}

/// Whether a rule's peer is this interface.
pub(super) fn is_peer(state: &Snapshot, peer: &Peer, interface: &NetworkInterface) -> bool {
    let within = |network: &IpNet| interface.all_addresses().any(|address| network.contains(&address));
    match peer {
        Peer::Cidr(network) => within(network),
        Peer::PrefixList(list) => prefix_list::ranges(state, &interface.region, list).iter().any(within),
        Peer::Group(group) => interface.groups.contains(group),
    }
}
