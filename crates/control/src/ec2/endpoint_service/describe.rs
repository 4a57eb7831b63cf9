//! `DescribeVpcEndpointServiceConfigurations`: the provider's view of its services.

use linkway_model::endpoint_service::{EndpointService, PrivateDns};
use linkway_wire::ec2::{
    DescribeVpcEndpointServiceConfigurationsRequest, DescribeVpcEndpointServiceConfigurationsResult,
    PrivateDnsNameConfiguration, ServiceConfiguration, SupportedRegionDetail,
};

use super::{FROM_5_TO_1000, responsibility, service_type, zone_ids};
use crate::describe::select;
use crate::ec2::vpc_endpoint::filter_errors;
use crate::filter::{Field, fields, many, one};
use crate::page::Page;
use crate::{Caller, Control, Error, tags};

const FIELDS: &[Field<EndpointService>] = fields! {
    "service-name" => |_, service| one(service.name());
    "service-id" => |_, service| one(&service.id);
    "service-state" => |_, service| one(service.state.name());
    "supported-ip-address-types" => |_, service| many(&service.supported_ip_address_types);
};

pub(crate) fn describe(
    control: &Control,
    caller: &Caller,
    input: DescribeVpcEndpointServiceConfigurationsRequest,
) -> Result<DescribeVpcEndpointServiceConfigurationsResult, Error> {
    let state = control.read(input.dry_run)?;
    let page = Page::new(FROM_5_TO_1000, input.max_results, &input.next_token);
    let (found, next_token) =
        select(&state, caller, &input.service_ids, FIELDS, &input.filters, page).map_err(filter_errors)?;
    let service_configurations = found.iter().map(|service| shape(service)).collect();
    Ok(DescribeVpcEndpointServiceConfigurationsResult { next_token, service_configurations })
}

pub(super) fn shape(service: &EndpointService) -> ServiceConfiguration {
    let dns = service.private_dns.as_ref();
    ServiceConfiguration {
        acceptance_required: Some(service.acceptance_required),
        availability_zone_ids: zone_ids(service),
        availability_zones: service.zones.clone(),
        base_endpoint_dns_names: vec![service.base_dns_name()],
        manages_vpc_endpoints: Some(false),
        network_load_balancer_arns: service.load_balancers.clone(),
        payer_responsibility: responsibility(service),
        private_dns_name: dns.map(|dns| dns.name.clone()),
        private_dns_name_configuration: dns.map(record),
        remote_access_enabled: Some(false),
        service_id: Some(service.id.to_string()),
        service_name: Some(service.name()),
        service_state: Some(service.state.name().into()),
        service_type: service_type("Interface"),
        supported_ip_address_types: service.supported_ip_address_types.clone(),
        supported_regions: vec![SupportedRegionDetail {
            region: Some(service.region.clone()),
            service_state: Some("Available".into()),
        }],
        tags: tags::shape(&service.tags),
        ..ServiceConfiguration::default()
    }
}

fn record(dns: &PrivateDns) -> PrivateDnsNameConfiguration {
    PrivateDnsNameConfiguration {
        name: Some(dns.record_name.clone()),
        state: Some(dns.state.name().into()),
        type_: Some("TXT".into()),
        value: Some(dns.record_value.clone()),
    }
}
