//! Instances: those that `RunInstances` makes of images, and those that the command line makes of commands
//! (`admin::instance`), which are shown and terminated here.

mod access;
mod attribute;
mod console;
mod filters;
mod network;
mod options;
mod power;
mod profile;
mod reconcile;
mod run;
mod settings;
mod shape;
mod status;

use std::sync::Arc;

use linkway_model::Snapshot;
use linkway_model::instance::Instance;
use linkway_model::instance_type::InstanceType;
use linkway_model::launch::Launch;
use linkway_model::network_interface::NetworkInterface;
use linkway_store::Transaction;
use linkway_wire::ec2::{DescribeInstancesRequest, DescribeInstancesResult};

pub(crate) use attribute::{describe_attribute, modify_attribute, reset_attribute};
pub(crate) use console::{console_output, password_data};
pub(crate) use options::{
    describe_credits, modify_credits, modify_maintenance, modify_metadata, modify_names, monitor, unmonitor,
};
pub(crate) use power::{reboot, start, stop, terminate};
pub(crate) use profile::{
    associate as associate_profile, describe as describe_profiles, disassociate as disassociate_profile,
    replace as replace_profile,
};
pub(crate) use reconcile::reconcile;
pub(crate) use run::{check_supported, forget_empty, run};
pub(crate) use status::describe as describe_status;

use crate::describe::select;
use crate::lookup::{named, own};
use crate::page::{Limits, Page, USUAL};
use crate::{Caller, Control, Error};

pub(crate) fn describe(
    control: &Control,
    caller: &Caller,
    input: DescribeInstancesRequest,
) -> Result<DescribeInstancesResult, Error> {
    let state = control.read(input.dry_run)?;
    let page = page(&input.instance_ids, input.max_results, &input.next_token)?;
    let (instances, next_token) =
        select(&state, caller, &input.instance_ids, filters::FILTERS, &input.filters, page)?;
    Ok(DescribeInstancesResult { next_token, reservations: shape::reservations(&state, &instances) })
}

/// The page that a call about instances asks for: none where it names them.
fn page<'a>(
    ids: &[String],
    max_results: Option<i32>,
    next_token: &'a Option<String>,
) -> Result<Page<'a>, Error> {
    if !ids.is_empty() && max_results.is_some() {
        return Err(Error::InvalidParameterCombination(
            "The parameter instancesSet cannot be used with the parameter maxResults".into(),
        ));
    }
    Ok(Page::new(Limits { clamp: true, ..USUAL }, max_results, next_token))
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

/// An instance's type, if it has one.
pub(crate) fn instance_type(instance: &Instance) -> Option<&'static InstanceType> {
    InstanceType::find(&instance.launch.as_ref()?.instance_type)
}

/// The caller's instance that a request names, with what it was launched with, to change both.
fn machine(tx: &Transaction, caller: &Caller, id: Option<&str>) -> Result<(Instance, Box<Launch>), Error> {
    let mut instance = Instance::clone(named::<Instance>(tx, caller, id, "InstanceId")?);
    match instance.launch.take() {
        Some(launch) => Ok((instance, launch)),
        None => Err(Error::Unsupported(format!(
            "The instance '{}' was made by the command line, of a command: it has neither an image nor a type nor \
             what goes with them.",
            instance.id
        ))),
    }
}

/// Put back what [`machine`] took apart.
fn put(tx: &mut Transaction, instance: Instance, launch: Box<Launch>) {
    tx.put(Instance { launch: Some(launch), ..instance });
}
