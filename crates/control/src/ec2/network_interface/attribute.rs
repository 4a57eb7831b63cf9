//! A network interface's attributes: one a call, to read and to change.

use std::sync::Arc;

use linkway_model::network_interface::{InterfaceRole, NetworkInterface};
use linkway_model::vpc::Vpc;
use linkway_wire::ec2::{
    AttributeBooleanValue, AttributeValue, DescribeNetworkInterfaceAttributeRequest,
    DescribeNetworkInterfaceAttributeResult, ModifyNetworkInterfaceAttributeRequest,
    NetworkInterfaceAttachmentChanges, ResetNetworkInterfaceAttributeRequest,
};

use super::assign::changeable;
use super::ipv6::no_primary;
use super::shape::attachment;
use crate::ec2::one_attribute::one_attribute;
use crate::ec2::security_group::{groups_of_vpc, identifiers};
use crate::lookup::{named, required};
use crate::{Caller, Control, Error};

pub(crate) fn describe_attribute(
    control: &Control,
    caller: &Caller,
    input: DescribeNetworkInterfaceAttributeRequest,
) -> Result<DescribeNetworkInterfaceAttributeResult, Error> {
    let state = control.read(input.dry_run)?;
    let id = input.network_interface_id.as_deref();
    let interface = named::<NetworkInterface>(&state, caller, id, "NetworkInterfaceId")?;
    let mut answer = DescribeNetworkInterfaceAttributeResult {
        network_interface_id: Some(interface.id.to_string()),
        ..DescribeNetworkInterfaceAttributeResult::default()
    };
    match required(input.attribute, "Attribute")?.as_str() {
        "description" => {
            answer.description = Some(AttributeValue { value: Some(interface.description.clone()) })
        }
        "groupSet" => answer.groups = identifiers(&state, &interface.groups),
        "sourceDestCheck" => {
            answer.source_dest_check =
                Some(AttributeBooleanValue { value: Some(interface.source_dest_check) });
        }
        "attachment" => answer.attachment = attachment(interface),
        "associatePublicIpAddress" => answer.associate_public_ip_address = Some(false),
        other => {
            return Err(Error::InvalidParameterValue(format!(
                "Value ({other}) for parameter attribute is invalid. Unknown attribute."
            )));
        }
    }
    Ok(answer)
}

pub(crate) fn modify_attribute(
    control: &Control,
    caller: &Caller,
    input: ModifyNetworkInterfaceAttributeRequest,
) -> Result<(), Error> {
    let source_dest_check = input.source_dest_check.and_then(|attribute| attribute.value);
    one_attribute(&[
        ("description", input.description.is_some()),
        ("sourceDestCheck", source_dest_check.is_some()),
        ("groupSet", !input.groups.is_empty()),
        ("attachment", input.attachment.is_some()),
        ("enablePrimaryIpv6", input.enable_primary_ipv6.is_some()),
    ])?;
    control.write(input.dry_run, |tx| {
        let id = input.network_interface_id.as_deref();
        let mut interface = NetworkInterface::clone(&*changeable(tx, caller, id)?);
        if let Some(description) = input.description {
            interface.description = description.value.unwrap_or_default();
        }
        if let Some(check) = source_dest_check {
            interface.source_dest_check = check;
        }
        if let Some(primary) = input.enable_primary_ipv6 {
            enable_primary_ipv6(&mut interface, primary)?;
        }
        if !input.groups.is_empty() {
            let vpc = Arc::clone(named::<Vpc>(tx, caller, Some(interface.vpc.as_str()), "VpcId")?);
            let place = format!("interface {}", interface.id);
            interface.groups = groups_of_vpc(tx, caller, &input.groups, &vpc, &place)?;
        }
        if let Some(changes) = &input.attachment {
            change_attachment(&mut interface, changes)?;
        }
        tx.put(interface);
        Ok(())
    })
}

/// `ResetNetworkInterfaceAttribute`, of which AWS has one: the check of sources and destinations.
pub(crate) fn reset_attribute(
    control: &Control,
    caller: &Caller,
    input: ResetNetworkInterfaceAttributeRequest,
) -> Result<(), Error> {
    one_attribute(&[("sourceDestCheck", input.source_dest_check.is_some())])?;
    control.write(input.dry_run, |tx| {
        let id = changeable(tx, caller, input.network_interface_id.as_deref())?.id.clone();
        tx.update::<NetworkInterface>(id, |interface| interface.source_dest_check = true);
        Ok(())
    })
}

/// A primary IPv6 address stays one as long as its interface is there.
fn enable_primary_ipv6(interface: &mut NetworkInterface, enable: bool) -> Result<(), Error> {
    if interface.primary_ipv6 && !enable {
        return Err(Error::InvalidParameterValue(format!(
            "The primary IPv6 address of the network interface {} cannot be disabled.",
            interface.id
        )));
    }
    if enable && interface.ipv6_addresses.is_empty() {
        return Err(no_primary());
    }
    interface.primary_ipv6 = enable;
    Ok(())
}

fn change_attachment(
    interface: &mut NetworkInterface,
    changes: &NetworkInterfaceAttachmentChanges,
) -> Result<(), Error> {
    let asked = required(changes.attachment_id.as_deref(), "Attachment.AttachmentId")?;
    match &mut interface.role {
        InterfaceRole::Instance { attachment, delete_on_termination, .. } if attachment.as_str() == asked => {
            *delete_on_termination = changes.delete_on_termination.unwrap_or(*delete_on_termination);
            Ok(())
        }
        _ => Err(Error::AttachmentNotFound(asked.to_owned())),
    }
}
