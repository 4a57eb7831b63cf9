//! A balancer's attributes.

use linkway_model::load_balancer::{
    ALWAYS_OWN_ZONE, ANY_ZONE, CLIENT_ROUTING_POLICY, CROSS_ZONE, LoadBalancer, MOSTLY_OWN_ZONE,
};
use linkway_wire::elbv2::{
    DescribeLoadBalancerAttributesInput, DescribeLoadBalancerAttributesOutput, LoadBalancerAttribute,
    ModifyLoadBalancerAttributesInput, ModifyLoadBalancerAttributesOutput,
};

use crate::elbv2::attributes::{Accepts, Attribute, all, attribute, set};
use crate::elbv2::{arn, invalid};
use crate::{Caller, Control, Error};

/// AWS's attributes of Network Load Balancers, and its defaults.
const KNOWN: &[Attribute] = &[
    attribute("access_logs.s3.enabled", "false", Accepts::OnlyDefault),
    attribute("access_logs.s3.bucket", "", Accepts::OnlyDefault),
    attribute("access_logs.s3.prefix", "", Accepts::OnlyDefault),
    attribute("deletion_protection.enabled", "false", Accepts::Boolean),
    attribute(CROSS_ZONE, "false", Accepts::Boolean),
    attribute(CLIENT_ROUTING_POLICY, ANY_ZONE, Accepts::OneOf(&[ALWAYS_OWN_ZONE, MOSTLY_OWN_ZONE, ANY_ZONE])),
    attribute("ipv6.deny_all_igw_traffic", "false", Accepts::Boolean),
    attribute("secondary_ips.auto_assigned.per_subnet", "0", Accepts::OnlyDefault),
    attribute("zonal_shift.config.enabled", "false", Accepts::OnlyDefault),
];

/// Attributes that AWS has for other types of balancers begin with these.
const OF_OTHER_TYPES: &[&str] =
    &["client_keep_alive.", "connection_logs.", "health_check_logs.", "idle_timeout.", "routing.", "waf."];

pub(crate) fn describe(
    control: &Control,
    caller: &Caller,
    input: DescribeLoadBalancerAttributesInput,
) -> Result<DescribeLoadBalancerAttributesOutput, Error> {
    let state = control.read(None)?;
    let balancer = arn::required::<LoadBalancer>(&state, caller, input.load_balancer_arn.as_deref())?;
    Ok(DescribeLoadBalancerAttributesOutput { attributes: shape(balancer) })
}

pub(crate) fn modify(
    control: &Control,
    caller: &Caller,
    input: ModifyLoadBalancerAttributesInput,
) -> Result<ModifyLoadBalancerAttributesOutput, Error> {
    control.write(None, |tx| {
        let before = arn::required::<LoadBalancer>(tx, caller, input.load_balancer_arn.as_deref())?;
        let mut balancer = LoadBalancer::clone(before);
        let of_other_types = |key: &&str| OF_OTHER_TYPES.iter().any(|prefix| key.starts_with(prefix));
        let keys = input.attributes.iter().filter_map(|given| given.key.as_deref());
        if let Some(key) = keys.into_iter().find(of_other_types) {
            return Err(invalid(format!(
                "Load balancer attribute key '{key}' is not supported by load balancers with type 'network'"
            )));
        }
        let given = input.attributes.iter().map(|given| (given.key.clone(), given.value.clone()));
        set("Load balancer", KNOWN, &mut balancer.attributes, given)?;
        let attributes = shape(&balancer);
        tx.update::<LoadBalancer>(balancer.arn.clone(), |kept| kept.attributes = balancer.attributes);
        Ok(ModifyLoadBalancerAttributesOutput { attributes })
    })
}

fn shape(balancer: &LoadBalancer) -> Vec<LoadBalancerAttribute> {
    let shape = |(key, value)| LoadBalancerAttribute { key: Some(key), value: Some(value) };
    all(KNOWN, &balancer.attributes).into_iter().map(shape).collect()
}
