//! An endpoint as responses carry it.

use linkway_model::Snapshot;
use linkway_model::endpoint_service::EndpointService;
use linkway_model::vpc_endpoint::VpcEndpoint;
use linkway_wire::ec2;
use linkway_wire::ec2::{DnsEntry, DnsOptions, LastError, SecurityGroupIdentifier};

use crate::ec2::security_group::identifiers;
use crate::{hosted_zone, tags};

pub(super) fn shape(state: &Snapshot, endpoint: &VpcEndpoint) -> ec2::VpcEndpoint {
    let last_error = endpoint.last_error.as_ref();
    ec2::VpcEndpoint {
        creation_timestamp: Some(endpoint.created),
        dns_entries: dns_entries(state, endpoint),
        dns_options: Some(DnsOptions { dns_record_ip_type: Some("ipv4".into()), ..DnsOptions::default() }),
        failure_reason: last_error.map(|(_, message)| message.clone()),
        groups: identifiers(state, &endpoint.groups)
            .into_iter()
            .map(|group| SecurityGroupIdentifier { group_id: group.group_id, group_name: group.group_name })
            .collect(),
        ip_address_type: Some("ipv4".into()),
        last_error: last_error
            .map(|(code, message)| LastError { code: Some(code.clone()), message: Some(message.clone()) }),
        network_interface_ids: endpoint.subnets.iter().map(|place| place.interface.to_string()).collect(),
        owner_id: Some(endpoint.owner.to_string()),
        policy_document: Some(endpoint.policy.clone()),
        private_dns_enabled: Some(endpoint.private_dns_enabled),
        requester_managed: Some(false),
        service_name: Some(endpoint.service_name.clone()),
        service_region: Some(endpoint.region.clone()),
        state: Some(endpoint.state.name().into()),
        subnet_ids: endpoint.subnets.iter().map(|place| place.subnet.to_string()).collect(),
        tags: tags::shape(&endpoint.tags),
        vpc_endpoint_id: Some(endpoint.id.to_string()),
        vpc_endpoint_type: Some("Interface".into()),
        vpc_id: Some(endpoint.vpc.to_string()),
        ..ec2::VpcEndpoint::default()
    }
}

/// An endpoint's DNS names, in AWS's order: the regional one, those of its zones in the order of its subnets, and
/// the private one.
pub(crate) fn dns_entries(state: &Snapshot, endpoint: &VpcEndpoint) -> Vec<DnsEntry> {
    let zone = hosted_zone::of_endpoints(&endpoint.region);
    let entry = |name: String| DnsEntry { dns_name: Some(name), hosted_zone_id: Some(zone.clone()) };
    let mut entries = vec![entry(endpoint.regional_name())];
    entries.extend(endpoint.subnets.iter().map(|place| entry(endpoint.zonal_name(&place.zone))));
    let private = state
        .get::<EndpointService>(&endpoint.service)
        .filter(|_| endpoint.private_dns_enabled)
        .and_then(|service| service.private_dns.as_ref());
    entries.extend(private.map(|dns| DnsEntry {
        dns_name: Some(dns.name.clone()),
        hosted_zone_id: Some(hosted_zone::of_private_name(endpoint.id.as_str())),
    }));
    entries
}
