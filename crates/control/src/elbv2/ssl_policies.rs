//! `DescribeSSLPolicies`.

use linkway_model::ssl_policy::{POLICIES, SslPolicy};
use linkway_wire::elbv2;
use linkway_wire::elbv2::{Cipher, DescribeSSLPoliciesInput, DescribeSSLPoliciesOutput};

use super::{invalid, page};
use crate::error::LoadBalancingError;
use crate::{Caller, Control, Error};

pub(crate) fn describe(
    _: &Control,
    _: &Caller,
    input: DescribeSSLPoliciesInput,
) -> Result<DescribeSSLPoliciesOutput, Error> {
    if let Some(unknown) = input.names.iter().find(|name| SslPolicy::find(name).is_none()) {
        return Err(LoadBalancingError::SslPolicyNotFound(unknown.clone()).into());
    }
    let kind = input.load_balancer_type.as_deref();
    if let Some(kind) = kind.filter(|kind| !["application", "network", "gateway"].contains(kind)) {
        return Err(invalid(format!(
            "Load balancer type '{kind}' must be one of 'application,network,gateway'"
        )));
    }
    let asked = |policy: &&SslPolicy| {
        (input.names.is_empty() || input.names.iter().any(|name| name == policy.name))
            && kind != Some("gateway")
    };
    let matching = POLICIES.iter().filter(asked);
    let (found, next_marker) =
        page::cut(input.page_size, &input.marker, matching, |policy| policy.name.to_owned())?;
    Ok(DescribeSSLPoliciesOutput { ssl_policies: found.into_iter().map(shape).collect(), next_marker })
}

fn shape(policy: &SslPolicy) -> elbv2::SslPolicy {
    let cipher =
        |(priority, name): (i32, &str)| Cipher { name: Some(name.to_owned()), priority: Some(priority) };
    elbv2::SslPolicy {
        ciphers: (1..).zip(policy.ciphers()).map(cipher).collect(),
        name: Some(policy.name.to_owned()),
        ssl_protocols: policy.protocols.iter().map(|name| (*name).to_owned()).collect(),
        supported_load_balancer_types: vec!["application".to_owned(), "network".to_owned()],
    }
}
