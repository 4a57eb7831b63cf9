//! Whether network ACLs and route tables let workloads and the endpoint talk, and the balancer with its targets: both
//! ways, as an ACL remembers nothing of what it has let through.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnet::IpNet;
use linkway_model::aws_prefix_list::AwsPrefixList;
use linkway_model::crossing::{Hop, Obstacle, RouteFault};
use linkway_model::index::{self, Term};
use linkway_model::network_acl::NetworkAcl;
use linkway_model::network_interface::NetworkInterface;
use linkway_model::route_table::RouteTable;
use linkway_model::routing::Routing;
use linkway_model::subnet::Subnet;

use super::egress::{NAMED, admits, may_send, name, senders};
use super::service::Port;
use super::{Findings, Subject};
use crate::admin::protocol::Decider;

/// The ports that Linux sends from. Source: `net.ipv4.ip_local_port_range`, Documentation/networking/ip-sysctl.rst.
const EPHEMERAL: (u16, u16) = (32768, 60999);

/// An obstacle, and all that it stops.
struct Stopped<'a> {
    obstacle: Obstacle<'a>,
    hop: Hop<'a>,
    answer: bool,
    /// Whom.
    between: BTreeSet<String>,
}

/// What was found, by what decides.
#[derive(Default)]
struct Found<'a> {
    stopped: BTreeMap<(String, bool), Stopped<'a>>,
    /// Pairs that were looked at, and those of them that are stopped.
    pairs: (usize, usize),
}

impl<'a> Found<'a> {
    /// Look at a question and its answers.
    fn look(&mut self, subject: Subject<'a>, question: Hop<'a>, who: &str) {
        let answer = Hop {
            from: question.to,
            to: question.from,
            source: question.destination,
            destination: question.source,
            ..question
        };
        let asked = question.obstacle(subject.state).map(|obstacle| (obstacle, question, false));
        let answered = || {
            let mut ports = answer_ports(subject, &answer).into_iter().map(|port| Hop { port, ..answer });
            ports.find_map(|answer| Some((answer.obstacle(subject.state)?, answer, true)))
        };
        self.pairs.0 += 1;
        let Some((obstacle, hop, answer)) = asked.or_else(answered) else { return };
        self.pairs.1 += 1;
        let key = (Decider::from(obstacle).to_string(), answer);
        let stopped = self.stopped.entry(key);
        let stopped = stopped.or_insert_with(|| Stopped { obstacle, hop, answer, between: BTreeSet::new() });
        stopped.between.insert(who.to_owned());
    }

    fn tell(self, subject: Subject<'_>, findings: &mut Findings<'_>) {
        let all = self.pairs.0 == self.pairs.1;
        for stopped in self.stopped.into_values() {
            let (id, message, remedy, command) = stopped.tell(subject);
            match all {
                true => findings.error(id, message, remedy, command),
                false => findings.warn(id, message, remedy, command),
            }
        }
    }
}

/// Ports of answers that stand for all: the ends of the range, and of the entries within it.
fn answer_ports(subject: Subject<'_>, answer: &Hop<'_>) -> BTreeSet<u16> {
    let (first, last) = EPHEMERAL;
    let subnets = [answer.from, answer.to].into_iter().flatten();
    let acls = subnets.filter_map(|subnet| subject.state.get::<NetworkAcl>(&subnet.network_acl.1));
    let bounds = acls.flat_map(|acl| acl.entries.iter().filter_map(|entry| entry.ports));
    let bounds = bounds.flat_map(|(from, to)| [from, from.saturating_sub(1), to, to.saturating_add(1)]);
    bounds.chain([first, last]).filter(|port| (first..=last).contains(port)).collect()
}

pub(super) fn look(subject: Subject<'_>, findings: &mut Findings<'_>) {
    let mut found = Found::default();
    let ports = subject.ports();
    let interface = |id| subject.state.get::<NetworkInterface>(id).map(AsRef::as_ref);
    let doors: Vec<&NetworkInterface> =
        subject.endpoint.subnets.iter().filter_map(|place| interface(&place.interface)).collect();
    // Whom the groups stop already is told of in their words.
    let talking = senders(subject)
        .filter(|sender| admits(subject, sender, &ports) && may_send(subject, sender, &doors, &ports));
    for sender in talking {
        for (door, port) in doors.iter().flat_map(|door| ports.iter().map(move |port| (*door, *port))) {
            let who = format!("{} and {}", name(sender), door.id);
            let hop = hop(subject, (sender, sender.address.into()), (door, door.address.into()), port);
            hop.into_iter().for_each(|hop| found.look(subject, hop, &who));
        }
    }
    found.tell(subject, findings);
    let mut behind = Found::default();
    for (node, address, target, port) in behind_it(subject) {
        let Some(source) = node.first_address(address.is_ipv6()) else { continue };
        let who = format!("{} and the target {address}", node.id);
        let hop = hop(subject, (node, source), (target, address), port);
        hop.into_iter().for_each(|hop| behind.look(subject, hop, &who));
    }
    behind.tell(subject, findings);
}

/// The same of a gateway endpoint, for workloads in subnets whose table leads there. What is beyond is in no subnet.
pub(super) fn look_at_gateway(subject: Subject<'_>, findings: &mut Findings<'_>) {
    let endpoint = subject.endpoint;
    let Some(gateway) = &endpoint.gateway else { return };
    let list = AwsPrefixList::find(&endpoint.region, &gateway.prefix_list);
    let ranges = list.map(|list| list.ranges()).unwrap_or_default();
    let mut found = Found::default();
    for sender in senders(subject) {
        let Some(subnet) = subject.state.get::<Subnet>(&sender.subnet) else { continue };
        if !RouteTable::of(subject.state, subnet).is_some_and(|table| endpoint.is_routed_from(&table.id)) {
            continue;
        }
        for range in &ranges {
            let IpNet::V4(range) = range else { continue };
            let question = Hop {
                from: Some(subnet),
                to: None,
                source: sender.address.into(),
                destination: range.addr().into(),
                protocol: 6,
                port: 443,
            };
            found.look(subject, question, &format!("{} and {range}", name(sender)));
        }
    }
    found.tell(subject, findings);
}

fn hop<'a>(
    subject: Subject<'a>,
    (from, source): (&NetworkInterface, IpAddr),
    (to, destination): (&NetworkInterface, IpAddr),
    port: Port,
) -> Option<Hop<'a>> {
    let subnet = |interface: &NetworkInterface| subject.state.get::<Subnet>(&interface.subnet);
    let Port { protocol, number } = port;
    Some(Hop {
        from: Some(subnet(from)?),
        to: Some(subnet(to)?),
        source,
        destination,
        protocol,
        port: number,
    })
}

/// Nodes that the endpoint leads to, and what each sends to: the target's address, its interface, and its port.
fn behind_it<'a>(subject: Subject<'a>) -> Vec<(&'a NetworkInterface, IpAddr, &'a NetworkInterface, Port)> {
    let Some(service) = subject.endpoint_service() else { return Vec::new() };
    let routing = Routing::new(subject.state);
    let mut behind = Vec::new();
    for place in &subject.endpoint.subnets {
        let Some((balancer, node)) = routing.node(service, &place.zone) else { continue };
        let Some(node) = subject.state.get::<NetworkInterface>(&node.interface) else { continue };
        for listener in routing.listeners(balancer) {
            let Some(group) = subject.target_group(listener) else { continue };
            for target in routing.reachable(balancer, &place.zone, group) {
                let Some(address) = routing.address(group, target) else { continue };
                let text = index::address(&group.vpc, address);
                let mut there = subject.state.found::<NetworkInterface>(Term::InterfaceAddress, &text);
                let Some(there) = there.next() else { continue };
                for protocol in listener.protocol.numbers() {
                    let port = Port { protocol: *protocol, number: target.port };
                    behind.push((node.as_ref(), address, there.as_ref(), port));
                }
            }
        }
    }
    behind
}

impl Stopped<'_> {
    /// The finding: its id, what is found, the remedy, a command.
    fn tell(&self, subject: Subject<'_>) -> (&'static str, String, String, Option<String>) {
        let mut pairs: Vec<_> = self.between.iter().take(NAMED).cloned().collect();
        if self.between.len() > NAMED {
            pairs.push(format!("{} more", self.between.len() - NAMED));
        }
        let Hop { source, destination, protocol, port, .. } = self.hop;
        let port = Port { protocol, number: port };
        let what = match self.answer {
            true => format!("answers to {} {}", port.protocol_name(), port.number),
            false => format!("{} {}", port.protocol_name(), port.number),
        };
        let between = pairs.join(", ");
        match self.obstacle {
            Obstacle::Acl { acl, egress, entry } => {
                let number = entry.map_or_else(|| "*".to_owned(), |entry| entry.number.to_string());
                let (way, other) = if egress { ("out to", destination) } else { ("in from", source) };
                let message = format!(
                    "{} denies {what} {way} {other} by its entry {number}, so that these cannot talk: {between}",
                    acl.id
                );
                let remedy = match self.answer {
                    true => {
                        "let answers through: an ACL knows of no connections, and answers go to the port that the \
                             client has sent from"
                    }
                    false => "let it through by an entry with a lower number",
                };
                let (from, to) = if self.answer { EPHEMERAL } else { (port.number, port.number) };
                let (range, length) = match other {
                    IpAddr::V4(_) => ("cidr-block", 32),
                    IpAddr::V6(_) => ("ipv6-cidr-block", 128),
                };
                let command = free_number(acl, egress, entry.map(|entry| entry.number)).and_then(|number| {
                    let way = if egress { "egress" } else { "ingress" };
                    subject.aws(&format!(
                        "ec2 create-network-acl-entry --network-acl-id {} --{way} --rule-number {number} \
                         --protocol {protocol} --port-range From={from},To={to} --{range} {other}/{length} \
                         --rule-action allow",
                        acl.id
                    ))
                });
                ("acl-closed", message, remedy.to_owned(), command)
            }
            Obstacle::Route { table, route, fault } => {
                let why = match fault {
                    RouteFault::Missing => "has no route there",
                    RouteFault::Blackhole => "has a route there whose target is gone, or attached to nothing",
                    RouteFault::Uplink => "has a route there that leads out of the VPC",
                    RouteFault::NotForwarded => "has a route there to an interface that does not send on",
                };
                let route = route.map(|route| route.destination);
                let which = route.map(|route| format!(" ({route})")).unwrap_or_default();
                let message = format!(
                    "{} {why}{which}, so that {what} does not get to {destination}: these cannot talk: {between}",
                    table.id
                );
                let command = route.and_then(|route| {
                    subject.aws(&format!(
                        "ec2 delete-route --route-table-id {} --destination-{} {route}",
                        table.id,
                        if route.addr().is_ipv4() { "cidr-block" } else { "ipv6-cidr-block" }
                    ))
                });
                (
                    "route-astray",
                    message,
                    "take the route out, or lead it where it gets through".into(),
                    command,
                )
            }
        }
    }
}

/// A number for an entry that comes before the one that decides. `None`: there is none left.
fn free_number(acl: &NetworkAcl, egress: bool, decides: Option<i32>) -> Option<i32> {
    let taken =
        |number: &i32| acl.entries.iter().any(|entry| entry.egress == egress && entry.number == *number);
    (1..decides.unwrap_or(32767)).rev().find(|number| !taken(number))
}
