//! The load balancers behind a service.

use std::collections::BTreeSet;

use linkway_model::endpoint_service::{EndpointService, ServiceState};
use linkway_model::ip_address_type::IpAddressType;
use linkway_model::load_balancer::LoadBalancer;
use linkway_model::{EndpointServiceId, Snapshot};

use crate::error::EndpointError;
use crate::{Caller, Error};

/// A balancer of the caller's that `service` may use: no other service does.
pub(super) fn usable(
    state: &Snapshot,
    caller: &Caller,
    arn: &str,
    service: Option<&EndpointServiceId>,
) -> Result<(), Error> {
    if !arn.starts_with("arn:aws:elasticloadbalancing:") || !arn.contains(":loadbalancer/net/") {
        return Err(EndpointError::MalformedLoadBalancer(arn.to_owned()).into());
    }
    state
        .get::<LoadBalancer>(arn)
        .filter(|balancer| balancer.owner == caller.account && balancer.region == caller.region)
        .ok_or_else(|| EndpointError::LoadBalancerNotFound(arn.to_owned()))?;
    let user = state
        .all::<EndpointService>()
        .find(|other| service != Some(&other.id) && other.load_balancers.iter().any(|used| used == arn));
    match user {
        Some(other) => Err(Error::InvalidParameter(format!(
            "The Network Load Balancer {arn} is already associated with the VPC endpoint service {}.",
            other.id
        ))),
        None => Ok(()),
    }
}

/// The zones that balancers have nodes in, by name.
pub(super) fn zones(state: &Snapshot, balancers: &[String]) -> Vec<String> {
    let zones: BTreeSet<&String> = balancers
        .iter()
        .filter_map(|arn| state.get::<LoadBalancer>(arn))
        .flat_map(|balancer| balancer.nodes.iter().map(|node| &node.zone))
        .collect();
    zones.into_iter().cloned().collect()
}

/// A service is available once its balancers are active.
pub(crate) fn service_state(state: &Snapshot, balancers: &[String]) -> ServiceState {
    let active = |arn: &String| state.get::<LoadBalancer>(arn).is_some_and(|balancer| balancer.active);
    if balancers.iter().all(active) { ServiceState::Available } else { ServiceState::Pending }
}

pub(super) fn gateway_refused() -> Error {
    Error::Unsupported("Gateway Load Balancers are not supported: use Network Load Balancers.".into())
}

/// The types of addresses that a request names, each once.
pub(super) fn ip_address_types(given: &[String]) -> Result<Vec<String>, Error> {
    let known = [IpAddressType::Ipv4.name(), IpAddressType::Ipv6.name()];
    if let Some(other) = given.iter().find(|given| !known.contains(&given.as_str())) {
        return Err(Error::InvalidParameterValue(format!(
            "Value ({other}) for parameter SupportedIpAddressTypes is invalid. Valid values: ipv4, ipv6."
        )));
    }
    let named = known.into_iter().filter(|known| given.iter().any(|given| given == known));
    Ok(named.map(str::to_owned).collect())
}

/// Whether the balancers have what the service offers: for IPv6, each has addresses of both families. Source: AWS
/// PrivateLink's guide, "Create a service powered by AWS PrivateLink".
pub(super) fn check_ip_address_types(state: &Snapshot, service: &EndpointService) -> Result<(), Error> {
    if !service.supported_ip_address_types.iter().any(|its| its == IpAddressType::Ipv6.name()) {
        return Ok(());
    }
    let lacks = |arn: &&String| {
        state.get::<LoadBalancer>(*arn).is_some_and(|balancer| !balancer.ip_address_type.has_ipv6())
    };
    match service.load_balancers.iter().find(lacks) {
        None => Ok(()),
        Some(arn) => Err(Error::InvalidParameter(format!(
            "The IP address type ipv6 is not supported by the Network Load Balancer {arn}: its IP address type must be \
             dualstack."
        ))),
    }
}

/// Services are offered in their own region.
pub(super) fn regions(given: &[String], caller: &Caller) -> Result<(), Error> {
    match given.iter().find(|region| **region != caller.region) {
        None => Ok(()),
        Some(region) => Err(Error::Unsupported(format!(
            "Cross-region access is not supported: {region} is not the service's region {}.",
            caller.region
        ))),
    }
}
