//! An instance's attributes: one a call, to read and to change.

use std::sync::Arc;

use linkway_model::instance::{Instance, InstanceState};
use linkway_model::launch::{Launch, ShutdownBehavior};
use linkway_model::network_interface::NetworkInterface;
use linkway_model::vpc::Vpc;
use linkway_store::Transaction;
use linkway_wire::Blob;
use linkway_wire::ec2::{
    AttributeBooleanValue, AttributeValue, BlobAttributeValue, DescribeInstanceAttributeRequest,
    EnclaveOptions, InstanceAttribute, InstanceBlockDeviceMappingSpecification,
    ModifyInstanceAttributeRequest, ResetInstanceAttributeRequest,
};

use super::options::{not_stopped, refuse_ended};
use super::{interface, machine, put, settings, shape};
use crate::ec2::image;
use crate::ec2::network_interface::attached;
use crate::ec2::one_attribute::one_attribute;
use crate::ec2::security_group::{groups_of_vpc, identifiers};
use crate::ec2::volume::ROOT_DEVICE;
use crate::error::InstanceError;
use crate::lookup::{named, required};
use crate::{Caller, Control, Error};

fn text(value: impl Into<String>) -> Option<AttributeValue> {
    Some(AttributeValue { value: Some(value.into()) })
}

fn flag(value: bool) -> Option<AttributeBooleanValue> {
    Some(AttributeBooleanValue { value: Some(value) })
}

pub(crate) fn describe_attribute(
    control: &Control,
    caller: &Caller,
    input: DescribeInstanceAttributeRequest,
) -> Result<InstanceAttribute, Error> {
    let state = control.read(input.dry_run)?;
    let instance = named::<Instance>(&state, caller, input.instance_id.as_deref(), "InstanceId")?;
    let launch = instance.launch.as_deref();
    let of = |read: fn(&Launch) -> bool| flag(launch.is_some_and(read));
    let first = interface(&state, instance);
    let mut answer =
        InstanceAttribute { instance_id: Some(instance.id.to_string()), ..InstanceAttribute::default() };
    match required(input.attribute, "Attribute")?.as_str() {
        "instanceType" => {
            answer.instance_type = launch.and_then(|launch| text(launch.instance_type.clone()));
        }
        "userData" => answer.user_data = Some(user_data(launch)),
        "disableApiTermination" => {
            answer.disable_api_termination = of(|launch| launch.termination_protection)
        }
        "disableApiStop" => answer.disable_api_stop = of(|launch| launch.stop_protection),
        "instanceInitiatedShutdownBehavior" => {
            let behavior = launch.map_or(ShutdownBehavior::Terminate, |launch| launch.shutdown_behavior);
            answer.instance_initiated_shutdown_behavior = text(behavior.name());
        }
        "rootDeviceName" => answer.root_device_name = launch.and_then(|_| text(ROOT_DEVICE)),
        "blockDeviceMapping" => answer.block_device_mappings = shape::devices(instance),
        "sourceDestCheck" => answer.source_dest_check = first.and_then(|found| flag(found.source_dest_check)),
        "groupSet" => {
            answer.groups = first.map_or_else(Vec::new, |found| identifiers(&state, &found.groups));
        }
        "ebsOptimized" => answer.ebs_optimized = of(|launch| launch.kept.ebs_optimized),
        "enaSupport" => answer.ena_support = flag(true),
        "enclaveOptions" => answer.enclave_options = Some(EnclaveOptions { enabled: Some(false) }),
        "sriovNetSupport" => answer.sriov_net_support = Some(AttributeValue::default()),
        "kernel" => answer.kernel_id = Some(AttributeValue::default()),
        "ramdisk" => answer.ramdisk_id = Some(AttributeValue::default()),
        "productCodes" => {}
        other => {
            return Err(Error::InvalidParameterValue(format!(
                "Value ({other}) for parameter attribute is invalid. Unknown attribute."
            )));
        }
    }
    Ok(answer)
}

/// User data in Base64; an attribute without a value where there is none.
fn user_data(launch: Option<&Launch>) -> AttributeValue {
    let bytes = launch.map(|launch| launch.user_data.clone()).filter(|bytes| !bytes.is_empty());
    AttributeValue { value: bytes.map(|bytes| Blob(bytes).to_base64()) }
}

pub(crate) fn modify_attribute(
    control: &Control,
    caller: &Caller,
    mut input: ModifyInstanceAttributeRequest,
) -> Result<(), Error> {
    spell_out(&mut input)?;
    let given = |value: &Option<AttributeBooleanValue>| value.as_ref().and_then(|value| value.value);
    one_attribute(&[
        ("sourceDestCheck", given(&input.source_dest_check).is_some()),
        ("groupSet", !input.groups.is_empty()),
        ("disableApiTermination", given(&input.disable_api_termination).is_some()),
        ("disableApiStop", given(&input.disable_api_stop).is_some()),
        ("ebsOptimized", given(&input.ebs_optimized).is_some()),
        ("enaSupport", input.ena_support.is_some()),
        ("instanceType", input.instance_type.is_some()),
        ("userData", input.user_data.is_some()),
        ("instanceInitiatedShutdownBehavior", input.instance_initiated_shutdown_behavior.is_some()),
        ("blockDeviceMapping", !input.block_device_mappings.is_empty()),
        ("kernel", input.kernel.is_some()),
        ("ramdisk", input.ramdisk.is_some()),
        ("sriovNetSupport", input.sriov_net_support.is_some()),
    ])?;
    if input.kernel.is_some() || input.ramdisk.is_some() {
        return Err(Error::Unsupported("Instances run this host's kernel.".into()));
    }
    control.write(input.dry_run, |tx| {
        let id = input.instance_id.as_deref();
        if let Some(check) = given(&input.source_dest_check) {
            return change_interface(tx, caller, id, |_, interface| {
                interface.source_dest_check = check;
                Ok(())
            });
        }
        if !input.groups.is_empty() {
            return change_interface(tx, caller, id, |tx, interface| {
                let vpc = Arc::clone(named::<Vpc>(tx, caller, Some(interface.vpc.as_str()), "VpcId")?);
                let place = format!("interface {}", interface.id);
                interface.groups = groups_of_vpc(tx, caller, &input.groups, &vpc, &place)?;
                Ok(())
            });
        }
        let (instance, mut launch) = machine(tx, caller, id)?;
        refuse_ended(&instance)?;
        change_launch(tx, caller, &instance, &mut launch, &input)?;
        put(tx, instance, launch);
        Ok(())
    })
}

/// The attributes that are of the instance and not of its interface.
fn change_launch(
    tx: &Transaction,
    caller: &Caller,
    instance: &Instance,
    launch: &mut Launch,
    input: &ModifyInstanceAttributeRequest,
) -> Result<(), Error> {
    let given = |value: &Option<AttributeBooleanValue>| value.as_ref().and_then(|value| value.value);
    let stopped = || match instance.state {
        InstanceState::Stopped => Ok(()),
        _ => Err(not_stopped(instance)),
    };
    if let Some(protected) = given(&input.disable_api_termination) {
        launch.termination_protection = protected;
    }
    if let Some(protected) = given(&input.disable_api_stop) {
        launch.stop_protection = protected;
    }
    if let Some(optimized) = given(&input.ebs_optimized) {
        stopped()?;
        launch.kept.ebs_optimized = optimized;
    }
    if input.ena_support.is_some() || input.sriov_net_support.is_some() {
        stopped()?;
    }
    if let Some(kind) = &input.instance_type {
        stopped()?;
        change_type(tx, caller, instance, launch, kind.value.as_deref().unwrap_or_default())?;
    }
    if let Some(data) = &input.user_data {
        stopped()?;
        launch.user_data =
            settings::check_user_data(data.value.clone().map(|Blob(bytes)| bytes).unwrap_or_default())?;
    }
    if let Some(behavior) = &input.instance_initiated_shutdown_behavior {
        launch.shutdown_behavior =
            settings::shutdown_behavior(Some(behavior.value.as_deref().unwrap_or_default()))?;
    }
    input.block_device_mappings.iter().try_for_each(|mapping| change_device(launch, mapping))
}

/// Another type, if the instance's image and interfaces fit it.
fn change_type(
    tx: &Transaction,
    caller: &Caller,
    instance: &Instance,
    launch: &mut Launch,
    name: &str,
) -> Result<(), Error> {
    let found = settings::instance_type(Some(name))?;
    if let Some(image) = image::visible(tx, caller, &launch.image) {
        settings::check_architecture(found, &image.architecture)?;
    }
    let interfaces = attached(tx, &instance.id);
    if interfaces.len() > found.interfaces {
        return Err(Error::AttachmentLimitExceeded { count: interfaces.len(), of: name.into() });
    }
    if interfaces.iter().any(|(_, interface)| !interface.fits(found.addresses)) {
        return Err(Error::PrivateIpAddressLimitExceeded);
    }
    launch.instance_type = name.to_owned();
    launch.kept.cpu = (found.cores, found.threads);
    launch.kept.cpu_credits = match (launch.kept.cpu_credits.take(), found.has_credits()) {
        (kept @ Some(_), true) => kept,
        (None, true) => found.default_credits().map(str::to_owned),
        (_, false) => None,
    };
    Ok(())
}

fn change_device(
    launch: &mut Launch,
    mapping: &InstanceBlockDeviceMappingSpecification,
) -> Result<(), Error> {
    let device = required(mapping.device_name.as_deref(), "DeviceName")?;
    let volume = launch
        .volumes
        .iter_mut()
        .find(|volume| volume.device == device)
        .ok_or_else(|| InstanceError::DeviceNotAttached(device.to_owned()))?;
    if let Some(delete) = mapping.ebs.as_ref().and_then(|ebs| ebs.delete_on_termination) {
        volume.delete_on_termination = delete;
    }
    Ok(())
}

/// Change the interface of an instance that has one.
fn change_interface(
    tx: &mut Transaction,
    caller: &Caller,
    id: Option<&str>,
    change: impl FnOnce(&Transaction, &mut NetworkInterface) -> Result<(), Error>,
) -> Result<(), Error> {
    let instance = named::<Instance>(tx, caller, id, "InstanceId")?;
    let interfaces = attached(tx, &instance.id);
    let [(_, interface)] = interfaces.as_slice() else {
        return Err(match interfaces.len() {
            0 => Error::IncorrectInstanceState(format!("The instance '{}' has no interface.", instance.id)),
            _ => InstanceError::SeveralInterfaces(instance.id.to_string()).into(),
        });
    };
    let mut interface = NetworkInterface::clone(interface);
    change(tx, &mut interface)?;
    tx.put(interface);
    Ok(())
}

/// `Attribute` and `Value`, as the first versions of the API had it, spelled as the member that they mean.
fn spell_out(input: &mut ModifyInstanceAttributeRequest) -> Result<(), Error> {
    let Some(attribute) = input.attribute.take() else { return Ok(()) };
    if !input.block_device_mappings.is_empty() && attribute == "blockDeviceMapping" {
        return Ok(());
    }
    let value = required(input.value.take(), "Value")?;
    let boolean = || match value.to_ascii_lowercase().as_str() {
        "true" => Ok(flag(true)),
        "false" => Ok(flag(false)),
        _ => Err(Error::InvalidParameterValue(format!(
            "Value ({value}) for parameter value is invalid. Expected a boolean."
        ))),
    };
    match attribute.as_str() {
        "sourceDestCheck" => input.source_dest_check = boolean()?,
        "disableApiTermination" => input.disable_api_termination = boolean()?,
        "disableApiStop" => input.disable_api_stop = boolean()?,
        "ebsOptimized" => input.ebs_optimized = boolean()?,
        "enaSupport" => input.ena_support = boolean()?,
        "instanceType" => input.instance_type = text(value),
        "instanceInitiatedShutdownBehavior" => input.instance_initiated_shutdown_behavior = text(value),
        "kernel" => input.kernel = text(value),
        "ramdisk" => input.ramdisk = text(value),
        "groupSet" => input.groups.push(value),
        "userData" => {
            let blob = Blob::from_base64(&value).ok_or(InstanceError::UserDataEncoding)?;
            input.user_data = Some(BlobAttributeValue { value: Some(blob) });
        }
        other => {
            return Err(Error::InvalidParameterValue(format!(
                "Value ({other}) for parameter attribute is invalid. Unknown attribute."
            )));
        }
    }
    Ok(())
}

/// `ResetInstanceAttribute`: of the attributes that AWS resets, the check of sources and destinations is here.
pub(crate) fn reset_attribute(
    control: &Control,
    caller: &Caller,
    input: ResetInstanceAttributeRequest,
) -> Result<(), Error> {
    match required(input.attribute, "Attribute")?.as_str() {
        "sourceDestCheck" => control.write(input.dry_run, |tx| {
            change_interface(tx, caller, input.instance_id.as_deref(), |_, interface| {
                interface.source_dest_check = true;
                Ok(())
            })
        }),
        "kernel" | "ramdisk" => Err(Error::Unsupported("Instances run this host's kernel.".into())),
        other => Err(Error::InvalidParameterValue(format!(
            "Value ({other}) for parameter attribute is invalid. Unknown attribute."
        ))),
    }
}
