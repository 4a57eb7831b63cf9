//! Whether an endpoint's service is reached under its own names in the endpoint's VPC.

use linkway_model::index::Term;
use linkway_model::vpc::Vpc;
use linkway_model::vpc_endpoint::VpcEndpoint;
use linkway_model::{Snapshot, VpcEndpointId};

use super::has_ended;
use crate::Error;
use crate::ec2::offered::{NoPrivateName, Offered, conflict};

/// Whether private DNS is on for an endpoint, from what its request says: by default where the service has
/// names, and they are verified. Fails when the request wants it and the service, the VPC or another endpoint
/// stands against it. `endpoint` is the one that is asked for, if it exists.
pub(super) fn decide(
    state: &Snapshot,
    vpc: &Vpc,
    service: &Offered,
    wanted: Option<bool>,
    endpoint: Option<&VpcEndpointId>,
) -> Result<bool, Error> {
    let names = service.private_names();
    if !wanted.unwrap_or(names.is_ok()) {
        return Ok(false);
    }
    if !(vpc.enable_dns_support && vpc.enable_dns_hostnames) {
        return Err(Error::InvalidParameter(format!(
            "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true \
             for {}",
            vpc.id
        )));
    }
    let names = names.map_err(|none| {
        let because = match none {
            NoPrivateName::Missing => "does not provide a private DNS name",
            NoPrivateName::Unverified => "has not verified the private DNS name",
        };
        Error::InvalidParameter(format!(
            "Private DNS can't be enabled because the service {} {because}.",
            service.name()
        ))
    })?;
    let rivals = state
        .found::<VpcEndpoint>(Term::EndpointVpc, vpc.id.as_str())
        .filter(|other| other.private_dns_enabled && endpoint != Some(&other.id) && !has_ended(other));
    for rival in rivals.filter_map(|endpoint| Offered::of(state, endpoint)) {
        if let Some(name) = conflict(&names, &rival.served_names()) {
            return Err(Error::InvalidParameter(format!(
                "private-dns-enabled cannot be set because there is already a conflicting DNS domain for {name} in \
                 the VPC {}",
                vpc.id
            )));
        }
    }
    Ok(true)
}
