//! What a listener does: forward to one target group, of its balancer's VPC, that speaks as it does.

use linkway_model::Snapshot;
use linkway_model::load_balancer::{Listener, LoadBalancer, Protocol, TargetGroup};
use linkway_wire::elbv2::{Action, ForwardActionConfig, TargetGroupTuple};

use crate::elbv2::target_group::listeners_of;
use crate::elbv2::{arn, invalid};
use crate::error::LoadBalancingError;
use crate::{Caller, Error};

/// Orders that an action may have. Source: ELBv2's API reference, `Action`.
const ORDERS: std::ops::RangeInclusive<i32> = 1..=50_000;

/// The only action of a listener.
pub(super) fn only(actions: &[Action]) -> Result<&Action, Error> {
    let [action] = actions else { return Err(invalid("Exactly one default action must be specified")) };
    if let Some(order) = action.order.filter(|order| !ORDERS.contains(order)) {
        return Err(invalid(format!("Action order '{order}' must be between 1 and 50000, inclusive")));
    }
    Ok(action)
}

/// ARN of the group that a default action forwards to.
pub(super) fn target_group(action: &Action) -> Result<&str, Error> {
    if action.type_.as_deref() != Some("forward") {
        return Err(invalid(format!(
            "Action type '{}' is not supported by listeners of network load balancers: it must be 'forward'",
            action.type_.as_deref().unwrap_or_default()
        )));
    }
    let config = action.forward_config.as_ref();
    if config
        .and_then(|config| config.target_group_stickiness_config.as_ref())
        .is_some_and(|its| its.enabled == Some(true))
    {
        return Err(invalid(
            "Target group stickiness is not supported by listeners of network load balancers",
        ));
    }
    let listed = match config.map_or(&[] as &[TargetGroupTuple], |config| &config.target_groups) {
        [] => None,
        [only] => only.target_group_arn.as_deref(),
        _ => return Err(invalid("Forwarding to more than one target group is not supported")),
    };
    match (action.target_group_arn.as_deref(), listed) {
        (Some(one), Some(other)) if one != other => {
            Err(invalid("The target group ARN and the forward configuration must name the same target group"))
        }
        (Some(arn), _) | (None, Some(arn)) => Ok(arn),
        (None, None) => Err(invalid("A target group ARN must be specified")),
    }
}

/// The action as responses carry it.
pub(super) fn action(listener: &Listener) -> Action {
    let arn = Some(listener.target_group.clone());
    Action {
        type_: Some("forward".into()),
        target_group_arn: arn.clone(),
        order: listener.order,
        forward_config: Some(ForwardActionConfig {
            target_groups: vec![TargetGroupTuple { target_group_arn: arn, weight: Some(1) }],
            ..ForwardActionConfig::default()
        }),
        ..Action::default()
    }
}

/// What a listener speaks.
pub(super) fn protocol(given: Option<&str>) -> Result<Protocol, Error> {
    match given.ok_or_else(|| invalid("A listener protocol must be specified"))? {
        "TCP" => Ok(Protocol::Tcp),
        "TLS" => Ok(Protocol::Tls),
        "UDP" => Ok(Protocol::Udp),
        "TCP_UDP" => Ok(Protocol::TcpUdp),
        known @ ("QUIC" | "TCP_QUIC") => Err(invalid(format!(
            "Listeners with protocol '{known}' are not supported. Specify 'TCP', 'TLS', 'UDP' or 'TCP_UDP'"
        ))),
        other => Err(invalid(format!("Listener protocol '{other}' must be one of 'UDP, TCP, TCP_UDP, TLS'"))),
    }
}

/// Whether a listener of `balancer` that speaks `protocol` may forward to the group of this ARN.
pub(super) fn check(
    state: &Snapshot,
    caller: &Caller,
    balancer: &LoadBalancer,
    protocol: Protocol,
    group: &str,
) -> Result<(), Error> {
    let group = arn::find::<TargetGroup>(state, caller, group)?;
    if group.vpc != balancer.vpc {
        return Err(LoadBalancingError::InvalidConfiguration(format!(
            "The target group '{}' is in the VPC {} and the load balancer '{}' is in the VPC {}",
            group.arn, group.vpc, balancer.arn, balancer.vpc
        ))
        .into());
    }
    // AWS's words are from a response in zalando-incubator/kube-ingress-aws-controller#752.
    if group.ip_address_type.has_ipv6() && !balancer.ip_address_type.has_ipv6() {
        return Err(LoadBalancingError::InvalidConfiguration(
            "You cannot associate an IPv6 target group with a load balancer that has an 'ipv4' IP address type"
                .into(),
        )
        .into());
    }
    // Source: "Listeners for your Network Load Balancers", the table of listeners and target groups.
    let fits = match protocol {
        Protocol::Tls => group.protocol.is_stream(),
        _ => group.protocol == protocol || group.protocol == Protocol::TcpUdp,
    };
    if !fits {
        return Err(LoadBalancingError::IncompatibleProtocols(format!(
            "A listener with protocol '{}' cannot forward to a target group with protocol '{}'",
            protocol.name(),
            group.protocol.name()
        ))
        .into());
    }
    if listeners_of(state, group).any(|listener| listener.load_balancer != balancer.arn) {
        return Err(LoadBalancingError::TargetGroupAssociationLimit(group.arn.clone()).into());
    }
    Ok(())
}
