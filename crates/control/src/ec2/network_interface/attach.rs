//! Attaching interfaces to instances, while they run, and detaching them.

use std::sync::Arc;

use linkway_model::instance::{Instance, InstanceState};
use linkway_model::network_interface::{InterfaceRole, NetworkInterface};
use linkway_model::subnet::Subnet;
use linkway_model::{AttachmentId, InstanceId, Snapshot};
use linkway_wire::ec2::{
    AttachNetworkInterfaceRequest, AttachNetworkInterfaceResult, DetachNetworkInterfaceRequest,
};

use crate::ec2::instance::instance_type;
use crate::lookup::{Owned, named, required};
use crate::{Caller, Control, Error};

/// Interfaces that an instance without a type may have: as many as AWS's largest types.
const MAX_ATTACHED: usize = 15;

/// The highest device index.
const MAX_INDEX: i32 = 99;

pub(crate) fn attach(
    control: &Control,
    caller: &Caller,
    input: AttachNetworkInterfaceRequest,
) -> Result<AttachNetworkInterfaceResult, Error> {
    let index = required(input.device_index, "DeviceIndex")?;
    if !(0..=MAX_INDEX).contains(&index) {
        return Err(Error::InvalidParameterValue(format!(
            "Invalid value '{index}' for deviceIndex. It must be between 0 and {MAX_INDEX}."
        )));
    }
    if input.network_card_index.is_some_and(|card| card != 0) {
        return Err(Error::InvalidParameterValue("The instance has one network card, of index 0.".into()));
    }
    control.write(input.dry_run, |tx| {
        let id = input.network_interface_id.as_deref();
        let interface = named::<NetworkInterface>(tx, caller, id, "NetworkInterfaceId")?.clone();
        let instance = named::<Instance>(tx, caller, input.instance_id.as_deref(), "InstanceId")?.clone();
        check(tx, &interface, &instance, index)?;
        let attachment = AttachmentId::random();
        let role = InterfaceRole::Instance {
            instance: instance.id.clone(),
            attachment: attachment.clone(),
            device_index: index,
            attached: control.now(),
            delete_on_termination: false,
        };
        tx.update::<NetworkInterface>(&interface.id, |interface| interface.role = role);
        Ok(AttachNetworkInterfaceResult {
            attachment_id: Some(attachment.to_string()),
            network_card_index: Some(0),
        })
    })
}

/// Whether an interface can become an instance's device.
fn check(
    state: &Snapshot,
    interface: &NetworkInterface,
    instance: &Instance,
    index: i32,
) -> Result<(), Error> {
    if interface.role != InterfaceRole::Available {
        return Err(Error::AttachedInterface(interface.id.to_string()));
    }
    let allows = [InstanceState::Pending, InstanceState::Running, InstanceState::Stopped];
    if !allows.contains(&instance.state) {
        return Err(Error::IncorrectState(format!(
            "Instance '{}' is not in a state that allows attaching: it is {}.",
            instance.id,
            instance.state.name()
        )));
    }
    check_zone(state, interface, &instance.zone)?;
    let attached = attached(state, &instance.id);
    if attached.iter().any(|(other, _)| *other == index) {
        return Err(Error::InvalidParameterValue(format!(
            "Instance '{}' already has an interface attached at device index '{index}'.",
            instance.id
        )));
    }
    let (of, most) = match instance_type(instance) {
        Some(found) => (found.name, found.interfaces),
        None => ("this instance", MAX_ATTACHED),
    };
    if attached.len() >= most {
        return Err(Error::AttachmentLimitExceeded { count: attached.len() + 1, of: of.into() });
    }
    if instance_type(instance).is_some_and(|found| !interface.fits(found.addresses)) {
        return Err(Error::PrivateIpAddressLimitExceeded);
    }
    Ok(())
}

/// Whether an interface is in a zone, as an instance's interfaces are in its own.
fn check_zone(state: &Snapshot, interface: &NetworkInterface, zone: &str) -> Result<(), Error> {
    match state.get::<Subnet>(&interface.subnet) {
        Some(subnet) if subnet.zone == zone => Ok(()),
        _ => Err(Error::InvalidParameterCombination(
            "You may not attach a network interface to an instance if they are not in the same availability zone"
                .into(),
        )),
    }
}

/// An instance's interfaces, each with its device index, in the order of these.
pub(crate) fn attached<'a>(
    state: &'a Snapshot,
    instance: &InstanceId,
) -> Vec<(i32, &'a Arc<NetworkInterface>)> {
    let mut attached: Vec<_> = state
        .all::<NetworkInterface>()
        .filter_map(|interface| match &interface.role {
            InterfaceRole::Instance { instance: holder, device_index, .. } if holder == instance => {
                Some((*device_index, interface))
            }
            _ => None,
        })
        .collect();
    attached.sort_by_key(|(index, _)| *index);
    attached
}

pub(crate) fn detach(
    control: &Control,
    caller: &Caller,
    input: DetachNetworkInterfaceRequest,
) -> Result<(), Error> {
    let asked = required(input.attachment_id.as_deref(), "AttachmentId")?;
    if asked.starts_with("ela-attach-") {
        return Err(Error::OperationNotPermitted(
            "You are not allowed to manage 'ela-attach' attachments.".into(),
        ));
    }
    control.write(input.dry_run, |tx| {
        let has_attachment = |interface: &&Arc<NetworkInterface>| match &interface.role {
            InterfaceRole::Instance { attachment, .. } | InterfaceRole::Namespace { attachment, .. } => {
                attachment.as_str() == asked && interface.belongs_to(caller)
            }
            _ => false,
        };
        let found = tx.all::<NetworkInterface>().find(has_attachment);
        let interface = found.ok_or_else(|| Error::AttachmentNotFound(asked.to_owned()))?;
        match interface.role {
            InterfaceRole::Instance { device_index: 0, .. } => Err(Error::OperationNotPermitted(
                "The network interface at device index 0 cannot be detached.".into(),
            )),
            InterfaceRole::Namespace { container: None, .. } => Err(Error::OperationNotPermitted(format!(
                "The network interface {} was attached by the command line, which detaches it too.",
                interface.id
            ))),
            InterfaceRole::Namespace { container: Some(_), .. } => {
                Err(Error::OperationNotPermitted(format!(
                    "The network interface {} was attached by a container's runtime, which detaches it too.",
                    interface.id
                )))
            }
            _ => {
                let id = interface.id.clone();
                tx.update::<NetworkInterface>(id, |interface| interface.role = InterfaceRole::Available);
                Ok(())
            }
        }
    })
}
