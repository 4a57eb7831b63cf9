//! Private DNS: off while it is missed, or on where it cannot work.

use linkway_model::endpoint_service::VerificationState;
use linkway_model::vpc::Vpc;
use linkway_model::vpc_endpoint::VpcEndpoint;

use super::{Findings, Subject};

pub(super) fn look(subject: Subject<'_>, findings: &mut Findings<'_>) {
    let endpoint = subject.endpoint;
    let Some(vpc) = subject.state.get::<Vpc>(&endpoint.vpc) else { return };
    let missing: Vec<&str> =
        [("enableDnsSupport", vpc.enable_dns_support), ("enableDnsHostnames", vpc.enable_dns_hostnames)]
            .into_iter()
            .filter_map(|(attribute, on)| (!on).then_some(attribute))
            .collect();
    if endpoint.private_dns_enabled {
        if !missing.is_empty() {
            let message = format!(
                "private DNS is on, but {} has {} off, so that nobody resolves the private name",
                endpoint.vpc,
                missing.join(" and ")
            );
            let remedy = "turn the VPC's attributes on";
            findings.error("private-dns-impossible", message, remedy, turn_on(subject, &missing));
        }
        return;
    }
    let asked = asked_in_public(subject, vpc);
    if asked.is_empty() || answered_by_another(subject) {
        return;
    }
    let message = format!(
        "private DNS is off, and clients in {} ask for {}, which does not lead to the endpoint",
        endpoint.vpc,
        asked.join(", ")
    );
    if !missing.is_empty() {
        let remedy = format!("turn {} of the VPC on first, then private DNS", missing.join(" and "));
        return findings.warn("private-dns-off", message, remedy, turn_on(subject, &missing));
    }
    let command = format!("ec2 modify-vpc-endpoint --vpc-endpoint-id {} --private-dns-enabled", endpoint.id);
    findings.warn("private-dns-off", message, "turn private DNS on", subject.aws(&command));
}

/// The service's names that clients in the VPC asked for and that were not answered privately.
fn asked_in_public(subject: Subject<'_>, vpc: &Vpc) -> Vec<String> {
    let mut names = match (subject.endpoint.aws_service(), subject.endpoint_service()) {
        (Some(service), _) => service.private_dns_names(&subject.endpoint.region),
        // A name that its provider has not proved to have cannot be turned on.
        (None, Some(service)) => service
            .private_dns
            .iter()
            .filter(|private| private.state == VerificationState::Verified)
            .map(|private| private.name.to_ascii_lowercase())
            .collect(),
        (None, None) => Vec::new(),
    };
    names.retain(|name| subject.public_names.contains(&(vpc.number, name.clone())));
    names
}

/// Whether another endpoint of the VPC to the same service has private DNS on by now.
fn answered_by_another(subject: Subject<'_>) -> bool {
    let endpoint = subject.endpoint;
    subject.state.all::<VpcEndpoint>().any(|other| {
        other.vpc == endpoint.vpc
            && other.service_name == endpoint.service_name
            && other.private_dns_enabled
            && other.state.carries_packets()
    })
}

fn turn_on(subject: Subject<'_>, attributes: &[&str]) -> Option<String> {
    let vpc = &subject.endpoint.vpc;
    let commands = attributes.iter().filter_map(|attribute| {
        let option = if *attribute == "enableDnsSupport" { "support" } else { "hostnames" };
        subject.aws(&format!("ec2 modify-vpc-attribute --vpc-id {vpc} --enable-dns-{option} Value=true"))
    });
    Some(commands.collect::<Vec<_>>().join(" && "))
}
