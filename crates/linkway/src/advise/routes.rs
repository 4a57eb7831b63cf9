//! Whether anyone is led to a gateway endpoint.

use linkway_model::vpc::Vpc;

use super::{Findings, Subject};

pub(super) fn look(subject: Subject<'_>, findings: &mut Findings<'_>) {
    let endpoint = subject.endpoint;
    let Some(gateway) = &endpoint.gateway else { return };
    if gateway.route_tables.is_empty() {
        let main = subject.state.get::<Vpc>(&endpoint.vpc).map(|vpc| &vpc.main_route_table);
        let command = main.and_then(|table| {
            let (modify, add) = ("ec2 modify-vpc-endpoint --vpc-endpoint-id", "--add-route-table-ids");
            subject.aws(&format!("{modify} {} {add} {table}", endpoint.id))
        });
        findings.error(
            "no-route-table",
            "no route table leads to the endpoint: nobody reaches the service through it",
            "add the route tables of the subnets whose workloads call the service, such as the VPC's main one",
            command,
        );
    }
}
