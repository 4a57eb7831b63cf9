//! Starting, stopping, rebooting and terminating instances: of several, all or none. What is set here is where an
//! instance is to go; what runs it says when it is there.

use std::sync::Arc;

use linkway_model::Timestamp;
use linkway_model::instance::{Instance, InstanceState, StateCause};
use linkway_store::Transaction;
use linkway_wire::ec2::{
    InstanceStateChange, RebootInstancesRequest, StartInstancesRequest, StartInstancesResult,
    StopInstancesRequest, StopInstancesResult, TerminateInstancesRequest, TerminateInstancesResult,
};

use super::shape;
use crate::describe::by_ids;
use crate::{Caller, Control, Error};

pub(crate) fn start(
    control: &Control,
    caller: &Caller,
    input: StartInstancesRequest,
) -> Result<StartInstancesResult, Error> {
    let now = control.now();
    control.write(input.dry_run, |tx| {
        let starting_instances = change_all(tx, caller, &input.instance_ids, |instance| {
            let Some(launch) = &mut instance.launch else { return Err(not_to_be(instance, "started")) };
            match instance.state {
                InstanceState::Stopped => {
                    launch.boot += 1;
                    launch.abruptly = false;
                    instance.state = InstanceState::Pending;
                    instance.cause = None;
                    instance.reason = String::new();
                    instance.launched = now;
                    Ok(())
                }
                InstanceState::Pending | InstanceState::Running => Ok(()),
                _ => Err(not_to_be(instance, "started")),
            }
        })?;
        Ok(StartInstancesResult { starting_instances })
    })
}

pub(crate) fn stop(
    control: &Control,
    caller: &Caller,
    input: StopInstancesRequest,
) -> Result<StopInstancesResult, Error> {
    if input.hibernate == Some(true) {
        return Err(Error::Unsupported("Instances cannot be hibernated.".into()));
    }
    let now = control.now();
    let abruptly = input.force == Some(true) || input.skip_os_shutdown == Some(true);
    control.write(input.dry_run, |tx| {
        let stopping_instances = change_all(tx, caller, &input.instance_ids, |instance| {
            let Some(launch) = &mut instance.launch else {
                return Err(Error::Unsupported(format!(
                    "The instance '{}' does not have an 'ebs' root device type and cannot be stopped.",
                    instance.id
                )));
            };
            if launch.stop_protection {
                return Err(protected(instance, "stopped", "disableApiStop"));
            }
            match instance.state {
                InstanceState::Running | InstanceState::Stopping => {
                    launch.abruptly |= abruptly;
                    end(instance, InstanceState::Stopping, now);
                    Ok(())
                }
                InstanceState::Stopped => Ok(()),
                _ => Err(not_to_be(instance, "stopped")),
            }
        })?;
        Ok(StopInstancesResult { stopping_instances })
    })
}

pub(crate) fn reboot(control: &Control, caller: &Caller, input: RebootInstancesRequest) -> Result<(), Error> {
    control.write(input.dry_run, |tx| {
        change_all(tx, caller, &input.instance_ids, |instance| {
            let Some(launch) = &mut instance.launch else {
                return Err(Error::Unsupported(format!(
                    "The instance '{}' was made by the command line, of a command, and cannot be rebooted.",
                    instance.id
                )));
            };
            match instance.state {
                InstanceState::Running => {
                    // A reboot that has not begun yet is this one.
                    launch.boot = launch.booted.map_or(launch.boot, |booted| booted + 1);
                    Ok(())
                }
                // It boots anyway.
                InstanceState::Pending => Ok(()),
                _ => Err(not_to_be(instance, "rebooted")),
            }
        })
        .map(drop)
    })
}

pub(crate) fn terminate(
    control: &Control,
    caller: &Caller,
    input: TerminateInstancesRequest,
) -> Result<TerminateInstancesResult, Error> {
    let now = control.now();
    let abruptly = input.force == Some(true) || input.skip_os_shutdown == Some(true);
    control.write(input.dry_run, |tx| {
        let terminating_instances = change_all(tx, caller, &input.instance_ids, |instance| {
            if let Some(launch) = &mut instance.launch {
                if launch.termination_protection {
                    return Err(protected(instance, "terminated", "disableApiTermination"));
                }
                launch.abruptly |= abruptly;
            }
            if instance.state != InstanceState::Terminated {
                end(instance, InstanceState::ShuttingDown, now);
            }
            Ok(())
        })?;
        Ok(TerminateInstancesResult { terminating_instances })
    })
}

/// Change the caller's instances of these ids, and tell what became of their states.
fn change_all(
    tx: &mut Transaction,
    caller: &Caller,
    ids: &[String],
    change: impl Fn(&mut Instance) -> Result<(), Error>,
) -> Result<Vec<InstanceStateChange>, Error> {
    if ids.is_empty() {
        return Err(Error::MissingParameter("InstanceId"));
    }
    let instances: Vec<Arc<Instance>> = by_ids(tx, caller, ids)?.into_iter().cloned().collect();
    let mut changes = Vec::new();
    for before in instances {
        let mut instance = Instance::clone(&before);
        change(&mut instance)?;
        changes.push(InstanceStateChange {
            current_state: Some(shape::state(instance.state)),
            instance_id: Some(instance.id.to_string()),
            previous_state: Some(shape::state(before.state)),
        });
        if instance != *before {
            tx.put(instance);
        }
    }
    Ok(changes)
}

/// Send an instance towards its end, unless it is on its way there.
fn end(instance: &mut Instance, state: InstanceState, now: Timestamp) {
    if instance.state != state {
        instance.state = state;
        instance.cause = Some(StateCause::User);
        instance.reason = format!("User initiated ({})", now.strftime("%F %T GMT"));
    }
}

fn not_to_be(instance: &Instance, what: &str) -> Error {
    Error::IncorrectInstanceState(format!(
        "The instance '{}' is not in a state from which it can be {what}.",
        instance.id
    ))
}

fn protected(instance: &Instance, what: &str, attribute: &str) -> Error {
    Error::OperationNotPermitted(format!(
        "The instance '{}' may not be {what}. Modify its '{attribute}' instance attribute and try again.",
        instance.id
    ))
}
