//! `DescribeVpcEndpointServices`: the services that a caller may connect to. Whoever is not permitted cannot tell
//! a service from one that does not exist.

use std::collections::BTreeMap;
use std::sync::Arc;

use linkway_model::Snapshot;
use linkway_model::endpoint_service::{EndpointService, ServiceState, VerificationState};
use linkway_wire::ec2::{
    DescribeVpcEndpointServicesRequest, DescribeVpcEndpointServicesResult, PrivateDnsDetails, ServiceDetail,
};

use super::endpoint_service::{service_type, zone_ids};
use super::vpc_endpoint::{UP_TO_1000, filter_errors};
use crate::error::EndpointError;
use crate::filter::{Field, Filters, fields, many, one};
use crate::page::Page;
use crate::{Caller, Control, Error, tags};

/// The service of this name, if the caller may connect to it.
pub(crate) fn visible<'a>(
    state: &'a Snapshot,
    caller: &Caller,
    name: &str,
) -> Result<&'a Arc<EndpointService>, Error> {
    let prefix = format!("com.amazonaws.vpce.{}.", caller.region);
    name.strip_prefix(&prefix)
        .and_then(|id| state.get::<EndpointService>(id))
        .filter(|service| may_see(caller, service))
        .ok_or_else(|| EndpointError::ServiceNotFound(name.to_owned()).into())
}

fn may_see(caller: &Caller, service: &EndpointService) -> bool {
    service.region == caller.region
        && matches!(service.state, ServiceState::Pending | ServiceState::Available)
        && service.permits(&caller.account, &caller.principal)
}

const FIELDS: &[Field<EndpointService>] = fields! {
    "owner" => |_, service| one(&service.owner);
    "service-name" => |_, service| one(service.name());
    "service-region" => |_, service| one(&service.region);
    "service-type" => |_, _| one("Interface");
    "supported-ip-address-types" => |_, service| many(&service.supported_ip_address_types);
};

pub(crate) fn describe(
    control: &Control,
    caller: &Caller,
    input: DescribeVpcEndpointServicesRequest,
) -> Result<DescribeVpcEndpointServicesResult, Error> {
    let state = control.read(input.dry_run)?;
    let filters = Filters::new(FIELDS, &input.filters).map_err(filter_errors)?;
    let mut offered: BTreeMap<String, &Arc<EndpointService>> = BTreeMap::new();
    if input.service_names.is_empty() {
        let all = state.all::<EndpointService>().filter(|service| may_see(caller, service));
        offered.extend(all.map(|service| (service.name(), service)));
    }
    for name in &input.service_names {
        offered.insert(name.clone(), visible(&state, caller, name)?);
    }
    let in_regions = |service: &EndpointService| {
        input.service_regions.is_empty() || input.service_regions.contains(&service.region)
    };
    let found = offered
        .into_values()
        .filter(|service| in_regions(service) && filters.matches(&state, service, &service.tags));
    let page = Page::new(UP_TO_1000, input.max_results, &input.next_token);
    let (found, next_token) = page.cut(found, |service| service.name())?;
    Ok(DescribeVpcEndpointServicesResult {
        next_token,
        service_details: found.iter().map(|service| detail(caller, service)).collect(),
        service_names: found.iter().map(|service| service.name()).collect(),
    })
}

fn detail(caller: &Caller, service: &EndpointService) -> ServiceDetail {
    let dns = service.private_dns.as_ref();
    let verified = dns.filter(|dns| dns.state == VerificationState::Verified);
    ServiceDetail {
        acceptance_required: Some(service.acceptance_required),
        availability_zone_ids: zone_ids(service),
        availability_zones: service.zones.clone(),
        base_endpoint_dns_names: vec![service.base_dns_name()],
        manages_vpc_endpoints: Some(false),
        owner: Some(service.owner.to_string()),
        private_dns_name: verified.map(|dns| dns.name.clone()),
        private_dns_name_verification_state: dns.map(|dns| dns.state.name().to_owned()),
        private_dns_names: verified
            .map(|dns| PrivateDnsDetails { private_dns_name: Some(dns.name.clone()) })
            .into_iter()
            .collect(),
        service_id: Some(service.id.to_string()),
        service_name: Some(service.name()),
        service_region: Some(service.region.clone()),
        service_type: service_type(),
        supported_ip_address_types: service.supported_ip_address_types.clone(),
        // A provider's tags are its own business.
        tags: if service.owner == caller.account { tags::shape(&service.tags) } else { Vec::new() },
        vpc_endpoint_policy_supported: Some(false),
        ..ServiceDetail::default()
    }
}
