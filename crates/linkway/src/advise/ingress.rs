//! Whether its security groups let anyone in.

use ipnet::IpNet;
use linkway_model::prefix_list;
use linkway_model::security_group::{Direction, Peer, SecurityGroupRule};
use linkway_model::vpc::Vpc;

use super::service::list;
use super::{Findings, Subject, rules};

/// Ports of databases, which tutorials open for the RDS API by mistake.
const DATABASES: [(u16, &str); 5] = [
    (5432, "PostgreSQL"),
    (3306, "MySQL and MariaDB"),
    (1433, "SQL Server"),
    (1521, "Oracle"),
    (50000, "Db2"),
];

pub(super) fn look(subject: Subject<'_>, findings: &mut Findings<'_>) {
    let ports = subject.ports();
    let endpoint = subject.endpoint;
    let rules: Vec<_> = rules::of(subject.state, &endpoint.groups, Direction::Ingress).collect();
    let useful = |rule: &&&SecurityGroupRule| {
        ports.iter().any(|port| rules::includes(&rule.traffic, *port)) && somebody(subject, &rule.peer)
    };
    let (Some(port), None) = (ports.first(), rules.iter().find(useful)) else { return };
    let groups: Vec<_> = endpoint.groups.iter().map(ToString::to_string).collect();
    let mut message = format!(
        "no rule of {} lets anyone of the VPC in on {}, where {} listens",
        groups.join(", "),
        list(&ports),
        endpoint.service_name
    );
    let opened = |number: u16| {
        rules.iter().any(|rule| rules::includes(&rule.traffic, super::service::Port { protocol: 6, number }))
    };
    if endpoint.aws_service().is_some_and(|service| service.label.starts_with("rds"))
        && let Some((number, engine)) = DATABASES.into_iter().find(|(number, _)| opened(*number))
    {
        message += &format!(
            "; they open {number}, the port of {engine}: that is for a database's own address, while this endpoint \
             leads to the API that manages databases"
        );
    }
    let cidr =
        subject.state.get::<Vpc>(&endpoint.vpc).and_then(|vpc| vpc.cidrs.first().map(|cidr| cidr.cidr));
    let command = endpoint.groups.first().zip(cidr).and_then(|(group, cidr)| {
        subject.aws(&format!(
            "ec2 authorize-security-group-ingress --group-id {group} --protocol {} --port {} --cidr {cidr}",
            port.protocol_name(),
            port.number
        ))
    });
    findings.error("ingress-closed", message, "let the VPC in, or only those who need it", command);
}

/// Whether a rule's peer can be somebody in the endpoint's VPC.
fn somebody(subject: Subject<'_>, peer: &Peer) -> bool {
    let overlaps = |network: &IpNet| {
        let IpNet::V4(network) = network else { return false };
        let vpc = subject.state.get::<Vpc>(&subject.endpoint.vpc);
        let mut ranges = vpc.iter().flat_map(|vpc| &vpc.cidrs).map(|cidr| &cidr.cidr);
        ranges.any(|range| range.contains(network) || network.contains(range))
    };
    match peer {
        Peer::Group(_) => true,
        Peer::Cidr(network) => overlaps(network),
        Peer::PrefixList(list) => {
            prefix_list::ranges(subject.state, &subject.endpoint.region, list).iter().any(overlaps)
        }
    }
}
