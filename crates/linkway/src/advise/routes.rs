//! Whether anyone is led to a gateway endpoint, and who is led past it.

use ipnet::IpNet;
use linkway_model::index::Term;
use linkway_model::route_table::{RouteTable, RouteTarget};
use linkway_model::subnet::Subnet;
use linkway_model::vpc::Vpc;
use linkway_model::vpc_endpoint::Gateway;
use linkway_model::{RouteTableId, SubnetId};

use super::{Findings, Subject};

pub(super) fn look(subject: Subject<'_>, findings: &mut Findings<'_>) {
    let endpoint = subject.endpoint;
    let Some(gateway) = &endpoint.gateway else { return };
    let add = |tables: &[String]| {
        let (modify, add) = ("ec2 modify-vpc-endpoint --vpc-endpoint-id", "--add-route-table-ids");
        subject.aws(&format!("{modify} {} {add} {}", endpoint.id, tables.join(" ")))
    };
    if gateway.route_tables.is_empty() {
        let main = subject.state.get::<Vpc>(&endpoint.vpc).map(|vpc| vpc.main_route_table.to_string());
        findings.error(
            "no-route-table",
            "no route table leads to the endpoint: nobody reaches the service through it",
            "add the route tables of the subnets whose workloads call the service, such as the VPC's main one",
            main.and_then(|table| add(&[table])),
        );
        return;
    }
    let past = past(subject, gateway);
    if !past.is_empty() {
        let ways: Vec<String> = past.iter().map(|(table, way)| format!("{table} to {way}")).collect();
        let message = format!("what is sent to the service goes past the endpoint: {}", ways.join(", "));
        let tables: Vec<String> = past.into_iter().map(|(table, _)| table.to_string()).collect();
        findings.warn("past-endpoint", message, "add these route tables to the endpoint", add(&tables));
    }
}

/// Route tables that subnets use, and that lead to a NAT or internet gateway and not to the endpoint.
fn past<'a>(subject: Subject<'a>, gateway: &Gateway) -> Vec<(&'a RouteTableId, String)> {
    let vpc = subject.endpoint.vpc.as_str();
    let tables: Vec<&RouteTable> =
        subject.state.found::<RouteTable>(Term::RouteTableVpc, vpc).map(AsRef::as_ref).collect();
    let main = subject.state.get::<Vpc>(&subject.endpoint.vpc).map(|vpc| &vpc.main_route_table);
    let table_of = |subnet: &SubnetId| {
        let own = tables.iter().find(|table| table.associations.iter().any(|(_, its)| its == subnet));
        own.map(|table| &table.id).or(main)
    };
    let subnets = subject.state.found::<Subnet>(Term::SubnetVpc, vpc);
    let used: Vec<&RouteTableId> = subnets.filter_map(|subnet| table_of(&subnet.id)).collect();
    let past =
        tables.iter().filter(|table| used.contains(&&table.id) && !gateway.route_tables.contains(&table.id));
    past.filter_map(|table| Some((&table.id, way_out(subject, table)?))).collect()
}

/// The gateway that a table leads everything else to.
fn way_out(subject: Subject<'_>, table: &RouteTable) -> Option<String> {
    let everything = IpNet::V4(ipnet::Ipv4Net::default());
    let route = table.routes.iter().find(|route| route.destination == everything)?;
    let leads = route.target.is_usable(subject.state, &table.vpc);
    match &route.target {
        RouteTarget::NatGateway(id) if leads => Some(id.to_string()),
        RouteTarget::InternetGateway(id) if leads => Some(id.to_string()),
        _ => None,
    }
}
