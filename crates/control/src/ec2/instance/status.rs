//! Whether instances are well, as AWS's status checks tell it: an instance is when its current boot runs.

use linkway_model::instance::{Instance, InstanceState};
use linkway_model::region::Zone;
use linkway_wire::ec2::{
    DescribeInstanceStatusRequest, DescribeInstanceStatusResult, EbsStatusDetails, EbsStatusSummary, Filter,
    InstanceStatus, InstanceStatusDetails, InstanceStatusSummary, OperatorResponse,
};

use super::{page, shape};
use crate::describe::select;
use crate::filter::{Field, fields, many, none, one};
use crate::{Caller, Control, Error};

const FILTERS: &[Field<Instance>] = fields! {
    "attached-ebs-status.status" | "instance-status.status" | "system-status.status" =>
        |_, found| one(health(found).status);
    "availability-zone" => |_, found| one(&found.zone);
    "availability-zone-id" => |_, found| many(Zone::find(&found.zone).map(|zone| zone.id));
    "event.code" | "event.description" | "event.instance-event-id" | "event.not-after" | "event.not-before"
        | "event.not-before-deadline" | "operator.principal" => none;
    "instance-state-code" => |_, found| one(found.state.code());
    "instance-state-name" => |_, found| one(found.state.name());
    "instance-status.reachability" | "system-status.reachability" =>
        |_, found| many(health(found).reachability);
    "operator.managed" => |_, _| one(false);
};

pub(crate) fn describe(
    control: &Control,
    caller: &Caller,
    input: DescribeInstanceStatusRequest,
) -> Result<DescribeInstanceStatusResult, Error> {
    let state = control.read(input.dry_run)?;
    let page = page(&input.instance_ids, input.max_results, &input.next_token)?;
    let running = Filter { name: Some("instance-state-name".into()), values: vec!["running".into()] };
    let mut filters = input.filters;
    if input.include_all_instances != Some(true) {
        filters.push(running);
    }
    let (instances, next_token) = select(&state, caller, &input.instance_ids, FILTERS, &filters, page)?;
    let instance_statuses = instances.iter().map(|instance| status(instance)).collect();
    Ok(DescribeInstanceStatusResult { instance_statuses, next_token })
}

/// AWS's words for how an instance is: of its checks, and of the one check behind them, which others do not have.
struct Health {
    status: &'static str,
    reachability: Option<&'static str>,
}

fn health(instance: &Instance) -> Health {
    let boots = instance.launch.as_ref().is_some_and(|launch| launch.booted != Some(launch.boot));
    match instance.state {
        InstanceState::Running if boots => {
            Health { status: "initializing", reachability: Some("initializing") }
        }
        InstanceState::Running => Health { status: "ok", reachability: Some("passed") },
        InstanceState::Pending => Health { status: "initializing", reachability: Some("initializing") },
        _ => Health { status: "not-applicable", reachability: None },
    }
}

fn status(instance: &Instance) -> InstanceStatus {
    let Health { status, reachability } = health(instance);
    let name = || Some("reachability".to_owned());
    let summary = || InstanceStatusSummary {
        details: reachability
            .map(|status| InstanceStatusDetails {
                name: name(),
                status: Some(status.into()),
                ..InstanceStatusDetails::default()
            })
            .into_iter()
            .collect(),
        status: Some(status.into()),
    };
    let ebs = EbsStatusSummary {
        details: reachability
            .map(|status| EbsStatusDetails {
                name: name(),
                status: Some(status.into()),
                ..EbsStatusDetails::default()
            })
            .into_iter()
            .collect(),
        status: Some(status.into()),
    };
    InstanceStatus {
        attached_ebs_status: Some(ebs),
        availability_zone: Some(instance.zone.clone()),
        availability_zone_id: Zone::find(&instance.zone).map(|zone| zone.id.into()),
        instance_id: Some(instance.id.to_string()),
        instance_state: Some(shape::state(instance.state)),
        instance_status: Some(summary()),
        operator: Some(OperatorResponse { managed: Some(false), ..OperatorResponse::default() }),
        system_status: Some(summary()),
        ..InstanceStatus::default()
    }
}
