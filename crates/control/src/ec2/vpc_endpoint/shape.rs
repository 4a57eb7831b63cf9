//! An endpoint as responses carry it.

use linkway_model::Snapshot;
use linkway_model::vpc_endpoint::VpcEndpoint;
use linkway_wire::ec2;
use linkway_wire::ec2::{DnsEntry, DnsOptions, LastError, SecurityGroupIdentifier};

use crate::ec2::endpoint_service::domain;
use crate::ec2::offered::Offered;
use crate::ec2::security_group::identifiers;
use crate::{hosted_zone, tags};

pub(super) fn shape(state: &Snapshot, endpoint: &VpcEndpoint) -> ec2::VpcEndpoint {
    let last_error = endpoint.last_error.as_ref();
    let gateway = endpoint.gateway.as_ref();
    let interface = gateway.is_none();
    ec2::VpcEndpoint {
        creation_timestamp: Some(endpoint.created),
        dns_entries: if interface { dns_entries(state, endpoint) } else { Vec::new() },
        dns_options: interface.then(|| DnsOptions {
            dns_record_ip_type: Some(endpoint.dns_record_ip_type.name().into()),
            ..DnsOptions::default()
        }),
        failure_reason: last_error.map(|(_, message)| message.clone()),
        groups: identifiers(state, &endpoint.groups)
            .into_iter()
            .map(|group| SecurityGroupIdentifier { group_id: group.group_id, group_name: group.group_name })
            .collect(),
        ip_address_type: Some(endpoint.ip_address_type.name().into()),
        last_error: last_error
            .map(|(code, message)| LastError { code: Some(code.clone()), message: Some(message.clone()) }),
        network_interface_ids: endpoint.subnets.iter().map(|place| place.interface.to_string()).collect(),
        owner_id: Some(endpoint.owner.to_string()),
        policy_document: Some(endpoint.policy.clone()),
        private_dns_enabled: Some(endpoint.private_dns_enabled),
        requester_managed: Some(false),
        route_table_ids: gateway.iter().flat_map(|its| &its.route_tables).map(ToString::to_string).collect(),
        service_name: Some(endpoint.service_name.clone()),
        service_region: Some(endpoint.region.clone()),
        state: Some(endpoint.state.name().into()),
        subnet_ids: endpoint.subnets.iter().map(|place| place.subnet.to_string()).collect(),
        tags: tags::shape(&endpoint.tags),
        vpc_endpoint_id: Some(endpoint.id.to_string()),
        vpc_endpoint_type: Some(endpoint.type_name().into()),
        vpc_id: Some(endpoint.vpc.to_string()),
        ..ec2::VpcEndpoint::default()
    }
}

/// An endpoint's DNS names, in AWS's order: the regional one, those of its zones in the order of its subnets, and
/// the private ones, each with the hosted zone that it is in.
pub(crate) fn dns_entries(state: &Snapshot, endpoint: &VpcEndpoint) -> Vec<DnsEntry> {
    let zone = hosted_zone::of_endpoints(&endpoint.region);
    let below = if endpoint.names_are_wildcards() { "*." } else { "" };
    let entry = |name: String| DnsEntry {
        dns_name: Some(below.to_owned() + &name),
        hosted_zone_id: Some(zone.clone()),
    };
    let mut entries = vec![entry(endpoint.regional_name())];
    entries.extend(endpoint.subnets.iter().map(|place| entry(endpoint.zonal_name(&place.zone))));
    let service = Offered::of(state, endpoint).filter(|_| endpoint.private_dns_enabled);
    let private = service.map(|service| service.served_names()).unwrap_or_default();
    entries.extend(private.into_iter().map(|name| DnsEntry {
        hosted_zone_id: Some(hosted_zone::of_private_name(endpoint.id.as_str(), domain(&name))),
        dns_name: Some(name),
    }));
    entries
}
