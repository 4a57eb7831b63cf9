//! A target group's attributes.

use linkway_model::load_balancer::{CROSS_ZONE, PROXY_PROTOCOL, TargetGroup, TargetType};
use linkway_wire::elbv2::{
    DescribeTargetGroupAttributesInput, DescribeTargetGroupAttributesOutput,
    ModifyTargetGroupAttributesInput, ModifyTargetGroupAttributesOutput, TargetGroupAttribute,
};

use super::DEREGISTRATION_DELAY;
use crate::elbv2::arn;
use crate::elbv2::attributes::{Accepts, Attribute, all, attribute, set};
use crate::{Caller, Control, Error};

/// Of the attribute for other zones' targets: the balancer's own says.
const BY_BALANCER: &str = "use_load_balancer_configuration";

/// AWS's attributes of the target groups of Network Load Balancers, and its defaults, which depend on the group.
fn known(group: &TargetGroup) -> [Attribute; 13] {
    let datagrams = !group.protocol.is_stream();
    let preserved = datagrams || group.target_type == TargetType::Instance;
    let word = |yes: bool| if yes { "true" } else { "false" };
    [
        attribute(DEREGISTRATION_DELAY, "300", Accepts::Number(0..=3600)),
        attribute("deregistration_delay.connection_termination.enabled", word(datagrams), Accepts::Boolean),
        attribute("stickiness.enabled", "false", Accepts::OnlyDefault),
        attribute("stickiness.type", "source_ip", Accepts::OneOf(&["source_ip"])),
        attribute(CROSS_ZONE, BY_BALANCER, Accepts::OneOf(&["true", "false", BY_BALANCER])),
        attribute(
            "target_group_health.dns_failover.minimum_healthy_targets.count",
            "1",
            Accepts::OnlyDefault,
        ),
        attribute(
            "target_group_health.dns_failover.minimum_healthy_targets.percentage",
            "off",
            Accepts::OnlyDefault,
        ),
        attribute(
            "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count",
            "1",
            Accepts::OnlyDefault,
        ),
        attribute(
            "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage",
            "off",
            Accepts::OnlyDefault,
        ),
        // Of no consequence here: all connections come through endpoints, whose clients are never preserved.
        attribute("preserve_client_ip.enabled", word(preserved), Accepts::Boolean),
        attribute(PROXY_PROTOCOL, "false", if datagrams { Accepts::OnlyDefault } else { Accepts::Boolean }),
        attribute(
            "target_health_state.unhealthy.connection_termination.enabled",
            word(!datagrams),
            Accepts::Boolean,
        ),
        attribute("target_health_state.unhealthy.draining_interval_seconds", "0", Accepts::OnlyDefault),
    ]
}

pub(crate) fn describe(
    control: &Control,
    caller: &Caller,
    input: DescribeTargetGroupAttributesInput,
) -> Result<DescribeTargetGroupAttributesOutput, Error> {
    let state = control.read(None)?;
    let group = arn::required::<TargetGroup>(&state, caller, input.target_group_arn.as_deref())?;
    Ok(DescribeTargetGroupAttributesOutput { attributes: shape(group) })
}

pub(crate) fn modify(
    control: &Control,
    caller: &Caller,
    input: ModifyTargetGroupAttributesInput,
) -> Result<ModifyTargetGroupAttributesOutput, Error> {
    control.write(None, |tx| {
        let before = arn::required::<TargetGroup>(tx, caller, input.target_group_arn.as_deref())?;
        let mut group = TargetGroup::clone(before);
        let given = input.attributes.iter().map(|given| (given.key.clone(), given.value.clone()));
        set("Target group", &known(before), &mut group.attributes, given)?;
        let attributes = shape(&group);
        tx.update::<TargetGroup>(group.arn.clone(), |kept| kept.attributes = group.attributes);
        Ok(ModifyTargetGroupAttributesOutput { attributes })
    })
}

fn shape(group: &TargetGroup) -> Vec<TargetGroupAttribute> {
    let shape = |(key, value)| TargetGroupAttribute { key: Some(key), value: Some(value) };
    all(&known(group), &group.attributes).into_iter().map(shape).collect()
}
