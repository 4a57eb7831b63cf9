//! Whether anything is left behind an endpoint service to answer.

use std::collections::BTreeSet;

use linkway_model::endpoint_service::EndpointService;
use linkway_model::load_balancer::{CROSS_ZONE, Target, TargetGroup, TargetHealth, TargetId};
use linkway_model::routing::Routing;

use super::{Findings, Subject};

pub(super) fn look(subject: Subject<'_>, findings: &mut Findings<'_>) {
    let Some(service) = subject.endpoint_service() else { return };
    let listeners = subject.listeners();
    if listeners.is_empty() {
        let message = format!("no balancer of {} listens on any port", service.id);
        let command = service.load_balancers.first().and_then(|balancer| {
            subject.aws(&format!(
                "elbv2 create-listener --load-balancer-arn {balancer} --protocol TCP --port PORT \
                 --default-actions Type=forward,TargetGroupArn=ARN"
            ))
        });
        return findings.error("no-listener", message, "have the provider make a listener", command);
    }
    let mut seen = BTreeSet::new();
    for listener in &listeners {
        let Some(group) = subject.target_group(listener).filter(|group| seen.insert(&group.arn)) else {
            continue;
        };
        health(subject, group, listener.port, findings);
        zones(subject, service, group, findings);
    }
}

fn is_healthy(target: &Target) -> bool {
    target.draining_since.is_none() && target.health == TargetHealth::Healthy
}

fn health(subject: Subject<'_>, group: &TargetGroup, port: u16, findings: &mut Findings<'_>) {
    let TargetGroup { arn, name, .. } = group;
    let behind = format!("behind port {port}, in the target group {name}");
    let targets: Vec<_> = group.targets.iter().filter(|target| target.draining_since.is_none()).collect();
    let down: Vec<_> = targets
        .iter()
        .filter(|target| matches!(target.health, TargetHealth::Unhealthy(_)))
        .map(|t| name_of(t))
        .collect();
    let describe = subject.aws(&format!("elbv2 describe-target-health --target-group-arn {arn}"));
    if targets.is_empty() {
        let register =
            subject.aws(&format!("elbv2 register-targets --target-group-arn {arn} --targets Id=TARGET"));
        findings.error(
            "no-targets",
            format!("no target is registered {behind}"),
            "have the provider register one",
            register,
        );
    } else if down.len() == targets.len() {
        let message = format!("all targets {behind}, are down: {}", down.join(", "));
        findings.error("targets-down", message, "look at the targets and at their health checks", describe);
    } else if !down.is_empty() {
        let message = format!("some targets {behind}, are down: {}", down.join(", "));
        findings.warn("target-down", message, "look at the targets and at their health checks", describe);
    } else if !targets.iter().any(|target| is_healthy(target)) {
        let message = format!("no target {behind}, has passed its health checks yet");
        findings.warn("targets-initial", message, "wait for the health checks", describe);
    }
}

/// Zones of the endpoint whose balancer's node sends to targets of which none is healthy, while others are.
fn zones(subject: Subject<'_>, service: &EndpointService, group: &TargetGroup, findings: &mut Findings<'_>) {
    if !group.targets.iter().any(is_healthy) {
        return;
    }
    let routing = Routing::new(subject.state);
    let nodes = subject.endpoint.subnets.iter().filter_map(|place| {
        let (balancer, _) = routing.node(service, &place.zone)?;
        Some((balancer, place.zone.as_str()))
    });
    let failing: Vec<_> = nodes
        .filter(|(balancer, zone)| !routing.reachable(balancer, zone, group).into_iter().any(is_healthy))
        .collect();
    let Some((balancer, _)) = failing.first() else { return };
    let zones: Vec<&str> = failing.iter().map(|(_, zone)| *zone).collect();
    let message = format!(
        "the targets of {} in {}, where the endpoint is, are down, and the balancer sends to no other zone's",
        group.name,
        zones.join(", ")
    );
    // A group that says for itself does not go by its balancer.
    let which = match group.attributes.contains_key(CROSS_ZONE) {
        true => format!("target-group-attributes --target-group-arn {}", group.arn),
        false => format!("load-balancer-attributes --load-balancer-arn {}", balancer.arn),
    };
    let command = subject.aws(&format!("elbv2 modify-{which} --attributes Key={CROSS_ZONE},Value=true"));
    findings.warn("zone-down", message, "mend the targets there, or balance across zones", command);
}

fn name_of(target: &Target) -> String {
    match &target.id {
        TargetId::Instance(instance) => format!("{instance}:{}", target.port),
        TargetId::Ip(address) => format!("{address}:{}", target.port),
    }
}
