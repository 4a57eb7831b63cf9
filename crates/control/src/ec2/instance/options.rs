//! What of an instance has a call of its own to change it.

use linkway_model::Snapshot;
use linkway_model::instance::{Instance, InstanceState};
use linkway_wire::ec2::{
    DescribeInstanceCreditSpecificationsRequest, DescribeInstanceCreditSpecificationsResult,
    InstanceCreditSpecification, InstanceMetadataOptionsRequest, InstanceMonitoring,
    ModifyInstanceCreditSpecificationRequest, ModifyInstanceCreditSpecificationResult,
    ModifyInstanceMaintenanceOptionsRequest, ModifyInstanceMaintenanceOptionsResult,
    ModifyInstanceMetadataOptionsRequest, ModifyInstanceMetadataOptionsResult,
    ModifyPrivateDnsNameOptionsRequest, ModifyPrivateDnsNameOptionsResult, MonitorInstancesRequest,
    MonitorInstancesResult, Monitoring, SuccessfulInstanceCreditSpecificationItem, UnmonitorInstancesRequest,
    UnmonitorInstancesResult, UnsuccessfulInstanceCreditSpecificationItem,
    UnsuccessfulInstanceCreditSpecificationItemError,
};

use super::{instance_type, machine, put, settings, shape};
use crate::describe::{by_ids, select};
use crate::filter::{Field, fields, one};
use crate::lookup::required;
use crate::page::{Page, USUAL};
use crate::{Caller, Control, Error};

pub(crate) fn modify_metadata(
    control: &Control,
    caller: &Caller,
    input: ModifyInstanceMetadataOptionsRequest,
) -> Result<ModifyInstanceMetadataOptionsResult, Error> {
    let given = InstanceMetadataOptionsRequest {
        http_endpoint: input.http_endpoint,
        http_protocol_ipv6: input.http_protocol_ipv6,
        http_put_response_hop_limit: input.http_put_response_hop_limit,
        http_tokens: input.http_tokens,
        instance_metadata_tags: input.instance_metadata_tags,
    };
    control.write(input.dry_run, |tx| {
        let (instance, mut launch) = machine(tx, caller, input.instance_id.as_deref())?;
        refuse_ended(&instance)?;
        launch.metadata = settings::metadata(launch.metadata, &given)?;
        let answer = ModifyInstanceMetadataOptionsResult {
            instance_id: Some(instance.id.to_string()),
            instance_metadata_options: Some(shape::metadata(launch.metadata, "pending")),
        };
        put(tx, instance, launch);
        Ok(answer)
    })
}

pub(crate) fn modify_maintenance(
    control: &Control,
    caller: &Caller,
    input: ModifyInstanceMaintenanceOptionsRequest,
) -> Result<ModifyInstanceMaintenanceOptionsResult, Error> {
    control.write(input.dry_run, |tx| {
        let (instance, mut launch) = machine(tx, caller, input.instance_id.as_deref())?;
        refuse_ended(&instance)?;
        if let Some(given) = input.auto_recovery {
            settings::check_one_of("autoRecovery", &given, &["disabled", "default"])?;
            launch.kept.auto_recovery = given;
        }
        if let Some(given) = input.reboot_migration {
            settings::check_one_of("rebootMigration", &given, &["disabled", "default"])?;
            launch.kept.reboot_migration = given;
        }
        let answer = ModifyInstanceMaintenanceOptionsResult {
            auto_recovery: Some(launch.kept.auto_recovery.clone()),
            instance_id: Some(instance.id.to_string()),
            reboot_migration: Some(launch.kept.reboot_migration.clone()),
        };
        put(tx, instance, launch);
        Ok(answer)
    })
}

/// `ModifyPrivateDnsNameOptions`. As on AWS the host name's type is changed while the instance is stopped.
pub(crate) fn modify_names(
    control: &Control,
    caller: &Caller,
    input: ModifyPrivateDnsNameOptionsRequest,
) -> Result<ModifyPrivateDnsNameOptionsResult, Error> {
    control.write(input.dry_run, |tx| {
        let (instance, mut launch) = machine(tx, caller, input.instance_id.as_deref())?;
        refuse_ended(&instance)?;
        if let Some(kind) = input.private_dns_hostname_type {
            settings::check_one_of("privateDnsHostnameType", &kind, &["ip-name", "resource-name"])?;
            if kind != launch.names.hostname_type && instance.state != InstanceState::Stopped {
                return Err(not_stopped(&instance));
            }
            launch.names.hostname_type = kind;
        }
        if let Some(record) = input.enable_resource_name_dns_a_record {
            launch.names.resource_name_a_record = record;
        }
        if let Some(record) = input.enable_resource_name_dns_aaaa_record {
            launch.names.resource_name_aaaa_record = record;
        }
        put(tx, instance, launch);
        Ok(ModifyPrivateDnsNameOptionsResult { return_: Some(true) })
    })
}

/// What can be changed of a stopped instance only.
pub(super) fn not_stopped(instance: &Instance) -> Error {
    Error::IncorrectInstanceState(format!("The instance '{}' is not in the 'stopped' state.", instance.id))
}

/// Of an instance that is gone, nothing is changed any more.
pub(super) fn refuse_ended(instance: &Instance) -> Result<(), Error> {
    match instance.state {
        InstanceState::Terminated => Err(Error::IncorrectInstanceState(format!(
            "The instance '{}' is terminated, and cannot be modified.",
            instance.id
        ))),
        _ => Ok(()),
    }
}

pub(crate) fn monitor(
    control: &Control,
    caller: &Caller,
    input: MonitorInstancesRequest,
) -> Result<MonitorInstancesResult, Error> {
    let instance_monitorings = set_monitoring(control, caller, input.dry_run, &input.instance_ids, true)?;
    Ok(MonitorInstancesResult { instance_monitorings })
}

pub(crate) fn unmonitor(
    control: &Control,
    caller: &Caller,
    input: UnmonitorInstancesRequest,
) -> Result<UnmonitorInstancesResult, Error> {
    let instance_monitorings = set_monitoring(control, caller, input.dry_run, &input.instance_ids, false)?;
    Ok(UnmonitorInstancesResult { instance_monitorings })
}

fn set_monitoring(
    control: &Control,
    caller: &Caller,
    dry_run: Option<bool>,
    ids: &[String],
    detailed: bool,
) -> Result<Vec<InstanceMonitoring>, Error> {
    if ids.is_empty() {
        return Err(Error::MissingParameter("InstanceId"));
    }
    control.write(dry_run, |tx| {
        by_ids::<Instance>(tx, caller, ids)?;
        let mut answer = Vec::new();
        for id in ids {
            let (instance, mut launch) = machine(tx, caller, Some(id))?;
            launch.kept.monitoring = detailed;
            put(tx, instance, launch);
            let state = if detailed { "pending" } else { "disabling" };
            answer.push(InstanceMonitoring {
                instance_id: Some(id.clone()),
                monitoring: Some(Monitoring { state: Some(state.into()) }),
            });
        }
        Ok(answer)
    })
}

const CREDIT_FILTERS: &[Field<Instance>] = fields! {
    "instance-id" => |_, found| one(&found.id);
};

/// `DescribeInstanceCreditSpecifications`: of the instances named, all of which must have credits; or of all that have
/// unlimited ones, as on AWS.
pub(crate) fn describe_credits(
    control: &Control,
    caller: &Caller,
    input: DescribeInstanceCreditSpecificationsRequest,
) -> Result<DescribeInstanceCreditSpecificationsResult, Error> {
    let state = control.read(input.dry_run)?;
    let ids = &input.instance_ids;
    if !ids.is_empty() && input.max_results.is_some() {
        return Err(Error::InvalidParameterCombination(
            "The parameter instancesSet cannot be used with the parameter maxResults".into(),
        ));
    }
    let named = by_ids::<Instance>(&state, caller, ids)?;
    if let Some(without) = named.iter().find(|instance| credits_of(instance).is_none()) {
        return Err(without_credits(without));
    }
    let page = Page::new(USUAL, input.max_results, &input.next_token);
    let (instances, next_token) = select(&state, caller, ids, CREDIT_FILTERS, &input.filters, page)?;
    let shown = |instance: &Instance| {
        let cpu_credits = credits_of(instance)?.to_owned();
        let unlimited = cpu_credits == "unlimited" && instance.state != InstanceState::Terminated;
        (unlimited || !ids.is_empty()).then(|| InstanceCreditSpecification {
            cpu_credits: Some(cpu_credits),
            instance_id: Some(instance.id.to_string()),
        })
    };
    let instance_credit_specifications = instances.iter().filter_map(|found| shown(found)).collect();
    Ok(DescribeInstanceCreditSpecificationsResult { instance_credit_specifications, next_token })
}

fn credits_of(instance: &Instance) -> Option<&str> {
    instance.launch.as_ref()?.kept.cpu_credits.as_deref()
}

fn without_credits(instance: &Instance) -> Error {
    let name = instance_type(instance).map_or("without a type", |found| found.name);
    Error::Unsupported(format!(
        "The instance '{}' is {name}, and only burstable performance instances have CPU credits.",
        instance.id
    ))
}

/// `ModifyInstanceCreditSpecification`, which answers for each instance.
pub(crate) fn modify_credits(
    control: &Control,
    caller: &Caller,
    input: ModifyInstanceCreditSpecificationRequest,
) -> Result<ModifyInstanceCreditSpecificationResult, Error> {
    control.write(input.dry_run, |tx| {
        let mut answer = ModifyInstanceCreditSpecificationResult::default();
        for given in &input.instance_credit_specifications {
            let id = required(given.instance_id.as_deref(), "InstanceId")?;
            let credits = required(given.cpu_credits.as_deref(), "CpuCredits")?;
            settings::check_one_of("cpuCredits", credits, &["standard", "unlimited"])?;
            match changeable_credits(tx, caller, id) {
                Ok(()) => {
                    let (instance, mut launch) = machine(tx, caller, Some(id))?;
                    launch.kept.cpu_credits = Some(credits.to_owned());
                    put(tx, instance, launch);
                    answer
                        .successful_instance_credit_specifications
                        .push(SuccessfulInstanceCreditSpecificationItem { instance_id: Some(id.to_owned()) });
                }
                Err(error) => answer.unsuccessful_instance_credit_specifications.push(
                    UnsuccessfulInstanceCreditSpecificationItem {
                        error: Some(UnsuccessfulInstanceCreditSpecificationItemError {
                            code: Some(credit_code(&error).into()),
                            message: Some(error.to_string()),
                        }),
                        instance_id: Some(id.to_owned()),
                    },
                ),
            }
        }
        Ok(answer)
    })
}

fn changeable_credits(state: &Snapshot, caller: &Caller, id: &str) -> Result<(), Error> {
    let instance = crate::lookup::own::<Instance>(state, caller, id)?;
    refuse_ended(instance)?;
    if credits_of(instance).is_none() { Err(without_credits(instance)) } else { Ok(()) }
}

/// AWS's code of an item that failed, which this call has words of its own for.
fn credit_code(error: &Error) -> &str {
    match error {
        Error::Unsupported(_) => "InstanceCreditSpecification.NotSupported",
        _ => error.code(),
    }
}
