//! `DescribeTargetHealth`.

use linkway_model::Snapshot;
use linkway_model::instance::{Instance, InstanceState};
use linkway_model::load_balancer::{HealthReason, Target, TargetGroup, TargetHealth, TargetId};
use linkway_model::routing::Routing;
use linkway_wire::elbv2;
use linkway_wire::elbv2::{
    DescribeTargetHealthInput, DescribeTargetHealthOutput, TargetDescription, TargetHealthDescription,
};

use super::arn;
use super::target::identify;
use super::target_group::listeners_of;
use crate::{Caller, Control, Error};

pub(crate) fn describe(
    control: &Control,
    caller: &Caller,
    input: DescribeTargetHealthInput,
) -> Result<DescribeTargetHealthOutput, Error> {
    let state = control.read(None)?;
    let group = arn::required::<TargetGroup>(&state, caller, input.target_group_arn.as_deref())?;
    let described = Described::new(&state, group);
    let mut target_health_descriptions = Vec::new();
    if input.targets.is_empty() {
        target_health_descriptions.extend(group.targets.iter().map(|target| described.registered(target)));
    }
    for given in &input.targets {
        let (id, port) = identify(group, given)?;
        let found = group.targets.iter().find(|target| target.id == id && target.port == port);
        target_health_descriptions.push(match found {
            Some(target) => described.registered(target),
            None => described.missing(&id, port),
        });
    }
    Ok(DescribeTargetHealthOutput { target_health_descriptions })
}

/// What all targets of a group are described by.
struct Described<'a> {
    state: &'a Snapshot,
    group: &'a TargetGroup,
    routing: Routing<'a>,
    in_use: bool,
}

impl<'a> Described<'a> {
    fn new(state: &'a Snapshot, group: &'a TargetGroup) -> Self {
        Self {
            state,
            group,
            routing: Routing::new(state),
            in_use: listeners_of(state, group).next().is_some(),
        }
    }

    fn registered(&self, target: &'a Target) -> TargetHealthDescription {
        let zone = match target.id {
            TargetId::Instance(_) => None,
            TargetId::Ip(_) => self.routing.zone(self.group, target).map(str::to_owned),
        };
        let health = match self.is_stopped(target) {
            true if target.draining_since.is_none() => {
                ("unused", "Target.InvalidState", "Target is in the stopped state")
            }
            _ => health(target, self.in_use),
        };
        self.describe(&target.id, target.port, zone, health)
    }

    fn is_stopped(&self, target: &Target) -> bool {
        match &target.id {
            TargetId::Instance(id) => {
                self.state.get::<Instance>(id).is_some_and(|found| found.state == InstanceState::Stopped)
            }
            TargetId::Ip(_) => false,
        }
    }

    fn missing(&self, id: &TargetId, port: u16) -> TargetHealthDescription {
        let health = ("unused", "Target.NotRegistered", "Target is not registered to the target group");
        self.describe(id, port, None, health)
    }

    fn describe(
        &self,
        id: &TargetId,
        port: u16,
        zone: Option<String>,
        (state, reason, description): (&str, &str, &str),
    ) -> TargetHealthDescription {
        let present = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        TargetHealthDescription {
            health_check_port: Some(self.group.health_check.port.unwrap_or(port).to_string()),
            target: Some(TargetDescription {
                availability_zone: zone,
                id: Some(match id {
                    TargetId::Instance(id) => id.to_string(),
                    TargetId::Ip(address) => address.to_string(),
                }),
                port: Some(port.into()),
                ..TargetDescription::default()
            }),
            target_health: Some(elbv2::TargetHealth {
                state: present(state),
                reason: present(reason),
                description: present(description),
            }),
            ..TargetHealthDescription::default()
        }
    }
}

/// AWS's state, reason and description. Of a group that no listener forwards to, nothing is known.
fn health(target: &Target, in_use: bool) -> (&'static str, &'static str, &'static str) {
    if target.draining_since.is_some() {
        return ("draining", "Target.DeregistrationInProgress", "Target deregistration is in progress");
    }
    if !in_use {
        return (
            "unused",
            "Target.NotInUse",
            "Target group is not configured to receive traffic from the load balancer",
        );
    }
    match target.health {
        TargetHealth::Initial => {
            ("initial", "Elb.RegistrationInProgress", "Target registration is in progress")
        }
        TargetHealth::Healthy => ("healthy", "", ""),
        TargetHealth::Unhealthy(HealthReason::Timeout) => {
            ("unhealthy", "Target.Timeout", "Request timed out")
        }
        TargetHealth::Unhealthy(HealthReason::FailedHealthChecks) => {
            ("unhealthy", "Target.FailedHealthChecks", "Health checks failed")
        }
        TargetHealth::Unhealthy(HealthReason::ResponseCodeMismatch) => (
            "unhealthy",
            "Target.ResponseCodeMismatch",
            "Health checks failed with an unexpected response code",
        ),
    }
}
