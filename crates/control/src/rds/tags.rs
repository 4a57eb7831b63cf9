//! Tags of DB instances and of the groups that they are made with.

use linkway_model::database::{DbInstance, DbParameterGroup, DbSubnetGroup};
use linkway_model::{Snapshot, Tags};
use linkway_store::Transaction;
use linkway_wire::ec2;
use linkway_wire::rds::{
    AddTagsToResourceMessage, ListTagsForResourceMessage, RemoveTagsFromResourceMessage, Tag, TagListMessage,
};

use super::{arn, filter, invalid, parameter_group};
use crate::{Caller, Control, Error};

/// Put the request's tags to a resource's: new ones, or other values.
fn put(tags: &mut Tags, given: &[Tag]) -> Result<(), Error> {
    let given: Vec<ec2::Tag> =
        given.iter().map(|tag| ec2::Tag { key: tag.key.clone(), value: tag.value.clone() }).collect();
    crate::tags::add(tags, &given).map_err(|error| invalid(error.to_string()))
}

/// The tags that a create call gives what it makes.
pub(super) fn of_new(given: &[Tag]) -> Result<Tags, Error> {
    let mut tags = Tags::new();
    put(&mut tags, given)?;
    Ok(tags)
}

/// Tags as responses carry them.
pub(super) fn shape(tags: &Tags) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag { key: Some(key.clone()), value: Some(value.clone()) }).collect()
}

/// The tags of the resource with this ARN, of whatever kind it is. AWS's own parameter groups have none.
fn tags_of(state: &Snapshot, caller: &Caller, resource: &str) -> Result<Tags, Error> {
    fn of<T: arn::Named>(state: &Snapshot, caller: &Caller, resource: &str) -> Option<Result<Tags, Error>> {
        let name = arn::name_in::<T>(caller, resource)?;
        Some(arn::find::<T>(state, caller, name).map(|found| found.tags().clone()))
    }
    if let Some(name) = arn::name_in::<DbParameterGroup>(caller, resource)
        && parameter_group::is_default(name)
    {
        return Ok(Tags::new());
    }
    of::<DbInstance>(state, caller, resource)
        .or_else(|| of::<DbSubnetGroup>(state, caller, resource))
        .or_else(|| of::<DbParameterGroup>(state, caller, resource))
        .unwrap_or_else(|| Err(invalid(format!("Invalid resource name: {resource}"))))
}

fn change(
    tx: &mut Transaction,
    caller: &Caller,
    resource: &str,
    work: impl FnOnce(&mut Tags) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut tags = tags_of(tx, caller, resource)?;
    work(&mut tags)?;
    let lower = resource.to_ascii_lowercase();
    let set = tags.clone();
    let known = tx.update::<DbInstance>(&lower, |found| *arn::Named::tags_mut(found) = tags.clone())
        || tx.update::<DbSubnetGroup>(&lower, |found| *arn::Named::tags_mut(found) = tags.clone())
        || tx.update::<DbParameterGroup>(&lower, |found| *arn::Named::tags_mut(found) = set);
    if known { Ok(()) } else { Err(invalid(format!("The resource {resource} cannot be tagged"))) }
}

pub(crate) fn list(
    control: &Control,
    caller: &Caller,
    input: ListTagsForResourceMessage,
) -> Result<TagListMessage, Error> {
    filter::check(&input.filters, &[])?;
    let state = control.read(None)?;
    let tags = tags_of(&state, caller, input.resource_name.as_deref().unwrap_or_default())?;
    Ok(TagListMessage { tag_list: shape(&tags) })
}

pub(crate) fn add(control: &Control, caller: &Caller, input: AddTagsToResourceMessage) -> Result<(), Error> {
    let resource = input.resource_name.unwrap_or_default();
    control.write(None, |tx| change(tx, caller, &resource, |tags| put(tags, &input.tags)))
}

pub(crate) fn remove(
    control: &Control,
    caller: &Caller,
    input: RemoveTagsFromResourceMessage,
) -> Result<(), Error> {
    let resource = input.resource_name.unwrap_or_default();
    control.write(None, |tx| {
        change(tx, caller, &resource, |tags| {
            tags.retain(|key, _| !input.tag_keys.contains(key));
            Ok(())
        })
    })
}
