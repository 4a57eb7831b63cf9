//! Tags of balancers, listeners and target groups.

use std::collections::BTreeSet;

use linkway_model::load_balancer::{Listener, LoadBalancer, TargetGroup};
use linkway_model::{Snapshot, Tags};
use linkway_store::Transaction;
use linkway_wire::ec2;
use linkway_wire::elbv2::{
    AddTagsInput, AddTagsOutput, DescribeTagsInput, DescribeTagsOutput, RemoveTagsInput, RemoveTagsOutput,
    Tag, TagDescription,
};

use super::{arn, invalid};
use crate::error::LoadBalancingError;
use crate::{Caller, Control, Error};

/// Put the request's tags to a resource's: new ones, or other values.
pub(super) fn put(tags: &mut Tags, given: &[Tag]) -> Result<(), Error> {
    let mut keys = BTreeSet::new();
    if let Some(twice) = given.iter().find(|tag| !keys.insert(tag.key.as_deref())) {
        return Err(LoadBalancingError::DuplicateTagKeys(twice.key.clone().unwrap_or_default()).into());
    }
    let given: Vec<ec2::Tag> =
        given.iter().map(|tag| ec2::Tag { key: tag.key.clone(), value: tag.value.clone() }).collect();
    crate::tags::add(tags, &given).map_err(|error| match error {
        Error::TagLimitExceeded(most) => LoadBalancingError::TooManyTags(most).into(),
        error => invalid(error.to_string()),
    })
}

/// The tags that a create call gives what it makes.
pub(super) fn of_new(given: &[Tag]) -> Result<Tags, Error> {
    let mut tags = Tags::new();
    put(&mut tags, given)?;
    Ok(tags)
}

/// The tags of the resource with this ARN, of whatever kind it is.
fn tags_of<'a>(state: &'a Snapshot, caller: &Caller, resource: &str) -> Result<&'a Tags, Error> {
    if arn::is_arn::<TargetGroup>(caller, resource) {
        arn::find::<TargetGroup>(state, caller, resource).map(|found| &found.tags)
    } else if arn::is_arn::<Listener>(caller, resource) {
        arn::find::<Listener>(state, caller, resource).map(|found| &found.tags)
    } else {
        arn::find::<LoadBalancer>(state, caller, resource).map(|found| &found.tags)
    }
}

fn replace(tx: &mut Transaction, caller: &Caller, resource: &str, tags: Tags) {
    if arn::is_arn::<TargetGroup>(caller, resource) {
        tx.update::<TargetGroup>(resource, |found| found.tags = tags);
    } else if arn::is_arn::<Listener>(caller, resource) {
        tx.update::<Listener>(resource, |found| found.tags = tags);
    } else {
        tx.update::<LoadBalancer>(resource, |found| found.tags = tags);
    }
}

pub(crate) fn describe(
    control: &Control,
    caller: &Caller,
    input: DescribeTagsInput,
) -> Result<DescribeTagsOutput, Error> {
    let state = control.read(None)?;
    let describe = |resource: &String| {
        let tags = tags_of(&state, caller, resource)?;
        Ok(TagDescription {
            resource_arn: Some(resource.clone()),
            tags: tags
                .iter()
                .map(|(key, value)| Tag { key: Some(key.clone()), value: Some(value.clone()) })
                .collect(),
        })
    };
    let tag_descriptions = input.resource_arns.iter().map(describe).collect::<Result<_, Error>>()?;
    Ok(DescribeTagsOutput { tag_descriptions })
}

pub(crate) fn add(control: &Control, caller: &Caller, input: AddTagsInput) -> Result<AddTagsOutput, Error> {
    control.write(None, |tx| {
        for resource in &input.resource_arns {
            let mut tags = tags_of(tx, caller, resource)?.clone();
            put(&mut tags, &input.tags)?;
            replace(tx, caller, resource, tags);
        }
        Ok(AddTagsOutput {})
    })
}

pub(crate) fn remove(
    control: &Control,
    caller: &Caller,
    input: RemoveTagsInput,
) -> Result<RemoveTagsOutput, Error> {
    control.write(None, |tx| {
        for resource in &input.resource_arns {
            let mut tags = tags_of(tx, caller, resource)?.clone();
            tags.retain(|key, _| !input.tag_keys.contains(key));
            replace(tx, caller, resource, tags);
        }
        Ok(RemoveTagsOutput {})
    })
}
