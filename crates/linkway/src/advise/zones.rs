//! In how many zones an endpoint is.

use std::collections::BTreeSet;

use linkway_model::subnet::Subnet;

use super::{Findings, Subject};

pub(super) fn look(subject: Subject<'_>, findings: &mut Findings<'_>) {
    let endpoint = subject.endpoint;
    let zones: BTreeSet<&str> = endpoint.subnets.iter().map(|place| place.zone.as_str()).collect();
    if zones.len() > 1 {
        return;
    }
    let place = zones.first().map_or_else(|| "no zone".to_owned(), |zone| format!("one zone only, {zone}"));
    let message = format!("the endpoint is in {place}: where that fails, everyone is cut off");
    let offered = subject.endpoint_service().map(|service| &service.zones);
    if offered.is_some_and(|offered| offered.len() < 2) {
        let remedy =
            "have the provider enable more zones on the service's balancer; there is none to add here";
        return findings.warn("single-zone", message, remedy, None);
    }
    let candidate = subject.state.all::<Subnet>().find(|subnet| {
        subnet.vpc == endpoint.vpc
            && !zones.contains(subnet.zone.as_str())
            && offered.is_none_or(|offered| offered.contains(&subnet.zone))
    });
    match candidate {
        Some(subnet) => {
            let command = format!(
                "ec2 modify-vpc-endpoint --vpc-endpoint-id {} --add-subnet-ids {}",
                endpoint.id, subnet.id
            );
            let remedy = format!("add a subnet of another zone, such as {} in {}", subnet.id, subnet.zone);
            findings.warn("single-zone", message, remedy, subject.aws(&command));
        }
        None => {
            let remedy = "make a subnet in another zone where the service is, and add it to the endpoint";
            findings.warn("single-zone", message, remedy, None);
        }
    }
}
