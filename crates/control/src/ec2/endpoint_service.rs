//! Endpoint services: what a provider publishes behind its load balancers.

mod balancers;
mod create;
mod delete;
mod describe;
mod modify;
mod payer;
mod permissions;
mod private_dns;
mod reconcile;

use std::sync::Arc;

use linkway_model::endpoint_service::EndpointService;
use linkway_model::ip_address_type::IpAddressType;
use linkway_model::region::Zone;
use linkway_model::vpc_endpoint::VpcEndpoint;
use linkway_model::{EndpointServiceId, Snapshot};
use linkway_wire::ec2::ServiceTypeDetail;

use super::vpc_endpoint::holds_its_service;
use crate::page;

pub(crate) use create::create;
pub(crate) use delete::delete;
pub(crate) use describe::describe;
pub(crate) use modify::modify;
pub(crate) use payer::{modify as modify_payer, responsibility};
pub(crate) use permissions::{describe as describe_permissions, modify as modify_permissions};
pub(crate) use private_dns::{domain, start_verification};
pub(crate) use reconcile::reconcile;

/// The limits of the provider's describe calls.
pub(crate) const FROM_5_TO_1000: page::Limits = page::Limits { least: 5, most: 1000, clamp: true };

/// Endpoints that are connected to a service, or are to be.
fn connected<'a>(
    state: &'a Snapshot,
    service: &'a EndpointServiceId,
) -> impl Iterator<Item = &'a Arc<VpcEndpoint>> {
    state
        .all::<VpcEndpoint>()
        .filter(move |endpoint| endpoint.service == *service && holds_its_service(endpoint))
}

/// The type of endpoints that a service is for.
pub(crate) fn service_type(name: &str) -> Vec<ServiceTypeDetail> {
    vec![ServiceTypeDetail { service_type: Some(name.to_owned()) }]
}

/// Ids of the zones that a service is offered in.
fn zone_ids(service: &EndpointService) -> Vec<String> {
    service.zones.iter().filter_map(|name| Zone::find(name)).map(|zone| zone.id.to_owned()).collect()
}

/// Whether a service that supports these types of addresses can have endpoints with addresses of one.
pub(crate) fn supports(types: &[String], wanted: IpAddressType) -> bool {
    let has = |known: IpAddressType| types.iter().any(|its| its == known.name());
    (!wanted.has_ipv4() || has(IpAddressType::Ipv4)) && (!wanted.has_ipv6() || has(IpAddressType::Ipv6))
}
