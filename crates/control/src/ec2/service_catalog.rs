//! `DescribeVpcEndpointServices`: the services that a caller may connect to, customers' and AWS's own. Whoever is
//! not permitted cannot tell a service from one that does not exist.

use std::borrow::Cow;
use std::collections::BTreeMap;

use linkway_model::{Snapshot, Tags};
use linkway_wire::ec2::{
    DescribeVpcEndpointServicesRequest, DescribeVpcEndpointServicesResult, PrivateDnsDetails, ServiceDetail,
};

use super::endpoint_service::{responsibility, service_type};
use super::offered::{NoPrivateName, Offered};
use super::vpc_endpoint::{UP_TO_1000, filter_errors};
use crate::error::EndpointError;
use crate::filter::{Field, Filters, fields, many, one};
use crate::page::Page;
use crate::{Caller, Control, Error, tags};

/// The service of this name, if the caller may connect to it.
pub(crate) fn visible(state: &Snapshot, caller: &Caller, name: &str) -> Result<Offered, Error> {
    Offered::find(state, caller, name).ok_or_else(|| EndpointError::ServiceNotFound(name.to_owned()).into())
}

/// A service, for endpoints of one type: S3 and DynamoDB are offered for two.
struct Offer {
    service: Offered,
    gateway: bool,
}

impl Offer {
    fn all(service: Offered) -> impl Iterator<Item = Self> {
        let gateway = matches!(service, Offered::Aws(service, _) if service.gateway);
        let gateway = gateway.then(|| Self { service: service.clone(), gateway: true });
        gateway.into_iter().chain([Self { service, gateway: false }])
    }

    /// Routes through a gateway endpoint lead to IPv4 addresses.
    fn ip_address_types(&self) -> Cow<'_, [String]> {
        if self.gateway { Cow::Owned(vec!["ipv4".to_owned()]) } else { self.service.ip_address_types() }
    }

    fn type_name(&self) -> &'static str {
        if self.gateway { "Gateway" } else { "Interface" }
    }
}

const FIELDS: &[Field<Offer>] = fields! {
    "owner" => |_, offer| one(offer.service.owner());
    "service-name" => |_, offer| one(offer.service.name());
    "service-region" => |_, offer| one(offer.service.region());
    "service-type" => |_, offer| one(offer.type_name());
    "supported-ip-address-types" => |_, offer| many(offer.ip_address_types().iter());
};

pub(crate) fn describe(
    control: &Control,
    caller: &Caller,
    input: DescribeVpcEndpointServicesRequest,
) -> Result<DescribeVpcEndpointServicesResult, Error> {
    let state = control.read(input.dry_run)?;
    let filters = Filters::new(FIELDS, &input.filters).map_err(filter_errors)?;
    let services: Vec<Offered> = match input.service_names.is_empty() {
        true => Offered::all(&state, caller).collect(),
        false => {
            input.service_names.iter().map(|name| visible(&state, caller, name)).collect::<Result<_, _>>()?
        }
    };
    let in_regions = |service: &Offered| {
        input.service_regions.is_empty()
            || input.service_regions.iter().any(|region| region == service.region())
    };
    let mut offers: BTreeMap<String, Vec<Offer>> = BTreeMap::new();
    for service in services.into_iter().filter(in_regions) {
        let its = Offer::all(service)
            .filter(|offer| filters.matches(&state, offer, tags_for(caller, &offer.service)));
        let its: Vec<_> = its.collect();
        if let Some(first) = its.first() {
            offers.insert(first.service.name(), its);
        }
    }
    // What is offered for two types is on one page, so that no name is on two.
    let page = Page::new(UP_TO_1000, input.max_results, &input.next_token);
    let (found, next_token) = page.cut(offers, |(name, _)| name.clone())?;
    Ok(DescribeVpcEndpointServicesResult {
        next_token,
        service_details: found
            .iter()
            .flat_map(|(_, offers)| offers)
            .map(|offer| detail(caller, offer))
            .collect(),
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

fn detail(caller: &Caller, offer: &Offer) -> ServiceDetail {
    let service = &offer.service;
    // A gateway endpoint leads to the public addresses of the public names.
    let names = if offer.gateway { Err(NoPrivateName::Missing) } else { service.private_names() };
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
        base_endpoint_dns_names: vec![match service {
            Offered::Aws(aws, region) if offer.gateway => {
                aws.public_host(region.name).unwrap_or_else(|| service.base_dns_name())
            }
            service => service.base_dns_name(),
        }],
        manages_vpc_endpoints: Some(false),
        owner: Some(service.owner().to_owned()),
        payer_responsibility: payer,
        private_dns_name: names.first().cloned(),
        private_dns_name_verification_state: verification.map(str::to_owned),
        private_dns_names: names
            .into_iter()
            .map(|name| PrivateDnsDetails { private_dns_name: Some(name) })
            .collect(),
        service_id: Some(match service {
            Offered::Aws(aws, region) if offer.gateway => aws.gateway_id(region.name).to_string(),
            service => service.id().to_string(),
        }),
        service_name: Some(service.name()),
        service_region: Some(service.region().to_owned()),
        service_type: service_type(offer.type_name()),
        supported_ip_address_types: offer.ip_address_types().into_owned(),
        tags: tags::shape(tags_for(caller, service)),
        vpc_endpoint_policy_supported: Some(policies),
    }
}
