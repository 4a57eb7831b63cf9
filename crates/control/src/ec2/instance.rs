//! Instances. They are launched from the command line (`admin::instance`); the API shows and terminates them.

mod filters;
mod reconcile;
mod shape;

use std::sync::Arc;

use linkway_model::Snapshot;
use linkway_model::instance::{Instance, InstanceState, StateCause};
use linkway_model::network_interface::NetworkInterface;
use linkway_wire::ec2::{
    DescribeInstancesRequest, DescribeInstancesResult, InstanceStateChange, TerminateInstancesRequest,
    TerminateInstancesResult,
};

pub(crate) use reconcile::reconcile;

use crate::describe::{by_ids, select};
use crate::lookup::own;
use crate::page::{Limits, Page, USUAL};
use crate::{Caller, Control, Error};

pub(crate) fn describe(
    control: &Control,
    caller: &Caller,
    input: DescribeInstancesRequest,
) -> Result<DescribeInstancesResult, Error> {
    let state = control.read(input.dry_run)?;
    if !input.instance_ids.is_empty() && input.max_results.is_some() {
        return Err(Error::InvalidParameterCombination(
            "The parameter instancesSet cannot be used with the parameter maxResults".into(),
        ));
    }
    let limits = Limits { clamp: true, ..USUAL };
    let page = Page::new(limits, input.max_results, &input.next_token);
    let (instances, next_token) =
        select(&state, caller, &input.instance_ids, filters::FILTERS, &input.filters, page)?;
    let reservations = instances.iter().map(|instance| shape::reservation(&state, instance)).collect();
    Ok(DescribeInstancesResult { next_token, reservations })
}

/// The first interface of the caller's instance of this id.
pub(crate) fn primary_interface(
    state: &Snapshot,
    caller: &Caller,
    id: &str,
) -> Result<Arc<NetworkInterface>, Error> {
    let instance = own::<Instance>(state, caller, id)?;
    let interface = state.get::<NetworkInterface>(&instance.interface);
    interface.cloned().ok_or_else(|| {
        Error::IncorrectInstanceState(format!(
            "The instance '{id}' is not in a state from which it has an interface."
        ))
    })
}

/// An instance's interface; none once it has ended.
fn interface<'a>(state: &'a Snapshot, instance: &Instance) -> Option<&'a NetworkInterface> {
    state.get::<NetworkInterface>(&instance.interface).map(Arc::as_ref)
}

pub(crate) fn terminate(
    control: &Control,
    caller: &Caller,
    input: TerminateInstancesRequest,
) -> Result<TerminateInstancesResult, Error> {
    if input.instance_ids.is_empty() {
        return Err(Error::MissingParameter("InstanceId"));
    }
    control.write(input.dry_run, |tx| {
        let instances: Vec<Arc<Instance>> =
            by_ids(tx, caller, &input.instance_ids)?.into_iter().cloned().collect();
        let mut terminating_instances = Vec::new();
        for instance in instances {
            let next = match instance.state {
                ended @ (InstanceState::ShuttingDown | InstanceState::Terminated) => ended,
                _ => InstanceState::ShuttingDown,
            };
            tx.update::<Instance>(&instance.id, |instance| {
                if instance.state != next {
                    instance.state = next;
                    instance.cause = Some(StateCause::User);
                    instance.reason = format!("User initiated ({})", control.now().strftime("%F %T GMT"));
                }
            });
            terminating_instances.push(InstanceStateChange {
                current_state: Some(shape::state(next)),
                instance_id: Some(instance.id.to_string()),
                previous_state: Some(shape::state(instance.state)),
            });
        }
        Ok(TerminateInstancesResult { terminating_instances })
    })
}
