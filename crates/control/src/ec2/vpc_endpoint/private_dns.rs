//! Whether an endpoint's service is reached under its own name in the endpoint's VPC.

use linkway_model::endpoint_service::{EndpointService, VerificationState};
use linkway_model::vpc::Vpc;
use linkway_model::vpc_endpoint::{EndpointState, VpcEndpoint};
use linkway_model::{Snapshot, VpcEndpointId};

use crate::Error;

/// Whether private DNS is on for an endpoint, from what its request says: by default where the service has a
/// name that is verified. Fails when the request wants it and the service, the VPC or another endpoint stands
/// against it. `endpoint` is the one that is asked for, if it exists.
pub(super) fn decide(
    state: &Snapshot,
    vpc: &Vpc,
    service: &EndpointService,
    wanted: Option<bool>,
    endpoint: Option<&VpcEndpointId>,
) -> Result<bool, Error> {
    let verified = service.private_dns.as_ref().filter(|dns| dns.state == VerificationState::Verified);
    if !wanted.unwrap_or(verified.is_some()) {
        return Ok(false);
    }
    if !(vpc.enable_dns_support && vpc.enable_dns_hostnames) {
        return Err(Error::InvalidParameter(format!(
            "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true \
             for {}",
            vpc.id
        )));
    }
    let Some(dns) = verified else {
        let because = match service.private_dns {
            None => "does not provide a private DNS name",
            Some(_) => "has not verified the private DNS name",
        };
        return Err(Error::InvalidParameter(format!(
            "Private DNS can't be enabled because the service {} {because}.",
            service.name()
        )));
    };
    let conflicts = |other: &VpcEndpoint| {
        other.vpc == vpc.id
            && other.private_dns_enabled
            && endpoint != Some(&other.id)
            && !matches!(
                other.state,
                EndpointState::Deleting | EndpointState::Deleted | EndpointState::Failed
            )
            && state
                .get::<EndpointService>(&other.service)
                .and_then(|service| service.private_dns.as_ref())
                .is_some_and(|others| others.name == dns.name)
    };
    if state.all::<VpcEndpoint>().any(|other| conflicts(other)) {
        return Err(Error::InvalidParameter(format!(
            "private-dns-enabled cannot be set because there is already a conflicting DNS domain for {} in the VPC \
             {}",
            dns.name, vpc.id
        )));
    }
    Ok(true)
}
