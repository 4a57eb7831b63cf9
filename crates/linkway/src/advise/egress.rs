//! Whether those whom the endpoint lets in may send to it.

use linkway_model::network_interface::{InterfaceRole, NetworkInterface};
use linkway_model::security_group::Direction;

use super::service::{Port, list};
use super::{Findings, Subject, rules};

/// Senders that are named; the others are counted.
pub(super) const NAMED: usize = 3;

pub(super) fn look(subject: Subject<'_>, findings: &mut Findings<'_>) {
    let ports = subject.ports();
    let interfaces: Vec<_> = subject
        .endpoint
        .subnets
        .iter()
        .filter_map(|place| subject.state.get::<NetworkInterface>(&place.interface).map(AsRef::as_ref))
        .collect();
    let let_in: Vec<_> = senders(subject).filter(|sender| admits(subject, sender, &ports)).collect();
    let stopped: Vec<_> =
        let_in.iter().filter(|sender| !may_send(subject, sender, &interfaces, &ports)).collect();
    let (Some(first), Some(port)) = (stopped.first(), ports.first()) else { return };
    let mut names: Vec<_> = stopped.iter().take(NAMED).map(|sender| name(sender)).collect();
    if stopped.len() > NAMED {
        names.push(format!("{} more", stopped.len() - NAMED));
    }
    let message = format!(
        "the endpoint lets {} in, but their own groups let nothing out to it on {}",
        names.join(", "),
        list(&ports)
    );
    let command = first.groups.first().zip(subject.endpoint.groups.first()).and_then(|(own, group)| {
        let Port { number, .. } = *port;
        subject.aws(&format!(
            "ec2 authorize-security-group-egress --group-id {own} --ip-permissions \
             'IpProtocol={},FromPort={number},ToPort={number},UserIdGroupPairs=[{{GroupId={group}}}]'",
            port.protocol_name()
        ))
    });
    let remedy = "let their groups send to the endpoint's";
    match stopped.len() == let_in.len() {
        true => findings.error("egress-closed", message, remedy, command),
        false => findings.warn("egress-closed", message, remedy, command),
    }
}

/// The interfaces of workloads in the endpoint's VPC.
pub(super) fn senders<'a>(subject: Subject<'a>) -> impl Iterator<Item = &'a NetworkInterface> {
    let interfaces = subject.state.all::<NetworkInterface>().map(AsRef::as_ref);
    interfaces.filter(move |interface| {
        interface.vpc == subject.endpoint.vpc
            && matches!(interface.role, InterfaceRole::Instance { .. } | InterfaceRole::Namespace { .. })
    })
}

/// Whether the endpoint's groups let a sender in.
pub(super) fn admits(subject: Subject<'_>, sender: &NetworkInterface, ports: &[Port]) -> bool {
    rules::of(subject.state, &subject.endpoint.groups, Direction::Ingress).any(|rule| {
        rules::is_peer(subject.state, &rule.peer, sender)
            && ports.iter().any(|port| rules::includes(&rule.traffic, *port))
    })
}

/// Whether a sender's groups let it send to the endpoint, in one zone at least.
pub(super) fn may_send(
    subject: Subject<'_>,
    sender: &NetworkInterface,
    interfaces: &[&NetworkInterface],
    ports: &[Port],
) -> bool {
    rules::of(subject.state, &sender.groups, Direction::Egress).any(|rule| {
        interfaces.iter().any(|interface| rules::is_peer(subject.state, &rule.peer, interface))
            && ports.iter().any(|port| rules::includes(&rule.traffic, *port))
    })
}

pub(super) fn name(sender: &NetworkInterface) -> String {
    match &sender.role {
        InterfaceRole::Instance { instance, .. } => instance.to_string(),
        _ => sender.id.to_string(),
    }
}
