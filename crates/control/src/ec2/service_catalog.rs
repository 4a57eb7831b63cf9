//! `DescribeVpcEndpointServices`: the services that a caller may connect to, customers' and AWS's own. Whoever is
//! not permitted cannot tell a service from one that does not exist.

use std::collections::BTreeMap;

use linkway_model::{Snapshot, Tags};
use linkway_wire::ec2::{
    DescribeVpcEndpointServicesRequest, DescribeVpcEndpointServicesResult, PrivateDnsDetails, ServiceDetail,
};

use super::endpoint_service::{responsibility, service_type};
use super::offered::Offered;
use super::vpc_endpoint::{UP_TO_1000, filter_errors};
use crate::error::EndpointError;
use crate::filter::{Field, Filters, fields, many, one};
use crate::page::Page;
use crate::{Caller, Control, Error, tags};

/// The service of this name, if the caller may connect to it.
pub(crate) fn visible(state: &Snapshot, caller: &Caller, name: &str) -> Result<Offered, Error> {
    Offered::find(state, caller, name).ok_or_else(|| EndpointError::ServiceNotFound(name.to_owned()).into())
}

const FIELDS: &[Field<Offered>] = fields! {
    "owner" => |_, service| one(service.owner());
    "service-name" => |_, service| one(service.name());
    "service-region" => |_, service| one(service.region());
    "service-type" => |_, _| one("Interface");
    "supported-ip-address-types" => |_, service| many(service.ip_address_types().iter());
};

pub(crate) fn describe(
    control: &Control,
    caller: &Caller,
    input: DescribeVpcEndpointServicesRequest,
) -> Result<DescribeVpcEndpointServicesResult, Error> {
    let state = control.read(input.dry_run)?;
    let filters = Filters::new(FIELDS, &input.filters).map_err(filter_errors)?;
    let mut offered: BTreeMap<String, Offered> = BTreeMap::new();
    if input.service_names.is_empty() {
        offered.extend(Offered::all(&state, caller).map(|service| (service.name(), service)));
    }
    for name in &input.service_names {
        offered.insert(name.clone(), visible(&state, caller, name)?);
    }
    let in_regions = |service: &Offered| {
        input.service_regions.is_empty()
            || input.service_regions.iter().any(|region| region == service.region())
    };
    let found = offered.into_iter().filter(|(_, service)| {
        in_regions(service) && filters.matches(&state, service, tags_for(caller, service))
    });
    let page = Page::new(UP_TO_1000, input.max_results, &input.next_token);
    let (found, next_token) = page.cut(found, |(name, _)| name.clone())?;
    Ok(DescribeVpcEndpointServicesResult {
        next_token,
        service_details: found.iter().map(|(_, service)| detail(caller, service)).collect(),
        service_names: found.into_iter().map(|(name, _)| name).collect(),
    })
}

/// The tags that a caller sees: a provider's are its own business, and AWS's services have none.
fn tags_for<'a>(caller: &Caller, service: &'a Offered) -> &'a Tags {
    static NONE: Tags = Tags::new();
    match service {
        Offered::Customer(service) if service.owner == caller.account => &service.tags,
        _ => &NONE,
    }
}

fn detail(caller: &Caller, service: &Offered) -> ServiceDetail {
    let names = service.private_names();
    let verification = match service {
        Offered::Customer(service) => service.private_dns.as_ref().map(|dns| dns.state.name()),
        Offered::Aws(..) => names.is_ok().then_some("verified"),
    };
    let payer = match service {
        Offered::Customer(service) => responsibility(service),
        Offered::Aws(..) => None,
    };
    let policies = matches!(service, Offered::Aws(service, _) if service.policies);
    let (names, zones) = (names.unwrap_or_default(), service.zones());
    ServiceDetail {
        acceptance_required: Some(service.acceptance_required()),
        availability_zone_ids: zones.iter().map(|zone| zone.id.to_owned()).collect(),
        availability_zones: zones.iter().map(|zone| zone.name.to_owned()).collect(),
        base_endpoint_dns_names: vec![service.base_dns_name()],
        manages_vpc_endpoints: Some(false),
        owner: Some(service.owner().to_owned()),
        payer_responsibility: payer,
        private_dns_name: names.first().cloned(),
        private_dns_name_verification_state: verification.map(str::to_owned),
        private_dns_names: names
            .into_iter()
            .map(|name| PrivateDnsDetails { private_dns_name: Some(name) })
            .collect(),
        service_id: Some(service.id().to_string()),
        service_name: Some(service.name()),
        service_region: Some(service.region().to_owned()),
        service_type: service_type(),
        supported_ip_address_types: service.ip_address_types().into_owned(),
        tags: tags::shape(tags_for(caller, service)),
        vpc_endpoint_policy_supported: Some(policies),
    }
}
