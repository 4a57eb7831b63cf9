//! Changing and removing images, which their owners may.

use std::sync::Arc;

use linkway_model::image::Image;
use linkway_store::Transaction;
use linkway_wire::ec2::{
    DeregisterImageRequest, DeregisterImageResult, LaunchPermission, LaunchPermissionModifications,
    ModifyImageAttributeRequest,
};

use super::visible;
use crate::ec2::one_attribute::one_attribute;
use crate::lookup::{not_found, parse, required};
use crate::{Caller, Control, Error};

/// The caller's own image of this id.
fn own(tx: &Transaction, caller: &Caller, id: Option<&str>) -> Result<Arc<Image>, Error> {
    let id = parse::<Image>(required(id, "ImageId")?)?;
    let image = visible(tx, caller, &id).ok_or_else(|| not_found::<Image>(id.as_str()))?;
    if image.owner == caller.account {
        Ok(image)
    } else {
        Err(Error::AuthFailure(format!("Not authorized for image:{id}")))
    }
}

/// `DeregisterImage`. Instances that were made of it go on.
pub(crate) fn deregister(
    control: &Control,
    caller: &Caller,
    input: DeregisterImageRequest,
) -> Result<DeregisterImageResult, Error> {
    control.write(input.dry_run, |tx| {
        let image = own(tx, caller, input.image_id.as_deref())?;
        tx.delete::<Image>(&image.id);
        Ok(DeregisterImageResult { return_: Some(true), ..DeregisterImageResult::default() })
    })
}

/// `ModifyImageAttribute`: the description, and whether everybody may use it.
pub(crate) fn modify_attribute(
    control: &Control,
    caller: &Caller,
    mut input: ModifyImageAttributeRequest,
) -> Result<(), Error> {
    let permission = permission(&mut input)?;
    one_attribute(&[
        ("description", input.description.is_some()),
        ("launchPermission", permission.is_some()),
        ("imdsSupport", input.imds_support.is_some()),
    ])?;
    if input.imds_support.is_some() {
        return Err(Error::Unsupported(
            "What metadata an instance has is asked for with the instance, not with its image.".into(),
        ));
    }
    control.write(input.dry_run, |tx| {
        let mut image = Image::clone(&*own(tx, caller, input.image_id.as_deref())?);
        if let Some(description) = input.description {
            image.description = description.value.unwrap_or_default();
        }
        image.public = permission.unwrap_or(image.public);
        tx.put(image);
        Ok(())
    })
}

/// Whether a request makes an image everybody's, or its owner's alone. It comes in one of two spellings.
fn permission(input: &mut ModifyImageAttributeRequest) -> Result<Option<bool>, Error> {
    if let Some("description") = input.attribute.as_deref() {
        input.description = Some(linkway_wire::ec2::AttributeValue { value: input.value.take() });
        return Ok(None);
    }
    let LaunchPermissionModifications { add, remove } = input.launch_permission.clone().unwrap_or_default();
    let named = add.iter().chain(&remove);
    if !input.user_ids.is_empty()
        || !input.organization_arns.is_empty()
        || !input.organizational_unit_arns.is_empty()
        || named.clone().any(|permission| permission.group.is_none())
    {
        return Err(Error::Unsupported(
            "An image is its owner's alone or everybody's: single accounts cannot be let.".into(),
        ));
    }
    let is_all = |permission: &LaunchPermission| permission.group.as_deref() == Some("all");
    if named.clone().any(|permission| !is_all(permission))
        || input.user_groups.iter().any(|group| group != "all")
    {
        return Err(Error::InvalidParameterValue("The only group of users is 'all'.".into()));
    }
    match (input.user_groups.is_empty(), input.operation_type.as_deref()) {
        (false, Some("remove")) => Ok(Some(false)),
        (false, _) => Ok(Some(true)),
        (true, _) if !add.is_empty() => Ok(Some(true)),
        (true, _) => Ok((!remove.is_empty()).then_some(false)),
    }
}
