//! Tags of IAM's resources.

use linkway_model::Tags;
use linkway_model::iam::{InstanceProfile, ManagedPolicy, Role, User};
use linkway_wire::iam::*;

use super::entity::{Entity, Tagged, own};
use super::managed_policy;
use super::page::{Cut, cut};
use super::validate::constraint;
use crate::error::IamError;
use crate::{Caller, Control, Error};

/// Tags that a resource may have, and that a call may name.
const MAX_TAGS: usize = 50;

/// Characters of a key.
const MAX_KEY: usize = 128;

/// Characters of a value.
const MAX_VALUE: usize = 256;

/// Tags by key, as a request gives them.
pub(crate) fn checked<'a>(
    given: impl IntoIterator<Item = (Option<&'a str>, Option<&'a str>)>,
) -> Result<Tags, Error> {
    let invalid = |message: &str| -> Error { IamError::InvalidInput(message.to_owned()).into() };
    let mut tags = Tags::new();
    for (number, (key, value)) in (1..).zip(given) {
        let (key, value) = (key.unwrap_or_default(), value.unwrap_or_default());
        check_text(key, &format!("tags.{number}.member.key"), 1, MAX_KEY)?;
        check_text(value, &format!("tags.{number}.member.value"), 0, MAX_VALUE)?;
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(invalid("System tags cannot be added/updated by requester."));
        }
        // AWS takes keys that differ in case only for one.
        if tags.keys().any(|there: &String| there.eq_ignore_ascii_case(key)) {
            return Err(invalid("Duplicate tag keys found. Please note that Tag keys are case insensitive."));
        }
        tags.insert(key.to_owned(), value.to_owned());
    }
    within_quota(tags)
}

/// Check a key or a value by AWS's rules, which say which member of a request is at fault.
fn check_text(text: &str, member: &str, least: usize, most: usize) -> Result<(), Error> {
    let length = text.chars().count();
    if length < least {
        let rule = format!("Member must have length greater than or equal to {least}");
        return Err(constraint(text, member, &rule));
    }
    if length > most {
        return Err(constraint(
            text,
            member,
            &format!("Member must have length less than or equal to {most}"),
        ));
    }
    // Of Unicode's letters, separators and numbers, as near as the standard library tells them.
    let separates = |letter: char| letter.is_whitespace() && !letter.is_control();
    let allowed = |letter: char| letter.is_alphanumeric() || separates(letter) || "_.:/=+-@".contains(letter);
    if !text.chars().all(allowed) {
        let times = if least == 0 { '*' } else { '+' };
        let rule = format!(
            r"Member must satisfy regular expression pattern: [\p{{L}}\p{{Z}}\p{{N}}_.:/=+\-@]{times}"
        );
        return Err(constraint(text, member, &rule));
    }
    Ok(())
}

/// Check the keys of tags that are to go.
fn check_keys(keys: &[String]) -> Result<(), Error> {
    if keys.len() > MAX_TAGS {
        let rule = format!("Member must have length less than or equal to {MAX_TAGS}");
        return Err(constraint(&format!("[{}]", keys.join(", ")), "tagKeys", &rule));
    }
    (1..)
        .zip(keys)
        .try_for_each(|(number, key)| check_text(key, &format!("tagKeys.{number}.member"), 1, MAX_KEY))
}

fn within_quota(tags: Tags) -> Result<Tags, Error> {
    if tags.len() <= MAX_TAGS {
        return Ok(tags);
    }
    Err(IamError::LimitExceeded("The number of tags has reached the maximum limit.".to_owned()).into())
}

/// The tags of a call that gives some.
pub(super) fn given(tags: &[Tag]) -> Result<Tags, Error> {
    if tags.len() > MAX_TAGS {
        let keys: Vec<&str> = tags.iter().filter_map(|tag| tag.key.as_deref()).collect();
        let rule = format!("Member must have length less than or equal to {MAX_TAGS}");
        return Err(constraint(&format!("[{}]", keys.join(", ")), "tags", &rule));
    }
    checked(tags.iter().map(|tag| (tag.key.as_deref(), tag.value.as_deref())))
}

/// Tags as a response carries them that leaves them out where there are none.
pub(super) fn if_any(tags: &Tags) -> Option<Vec<Tag>> {
    Some(shape(tags)).filter(|tags| !tags.is_empty())
}

/// Tags as a response carries them.
pub(super) fn shape(tags: &Tags) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag { key: Some(key.clone()), value: Some(value.clone()) }).collect()
}

fn add<T: Tagged>(control: &Control, key: impl Fn() -> String, tags: &[Tag]) -> Result<(), Error> {
    let new = given(tags)?;
    control.write(None, |tx| {
        let mut all = tx.get::<T>(key()).map(|found| found.tags().clone()).unwrap_or_default();
        for (key, value) in &new {
            all.retain(|there, _| !there.eq_ignore_ascii_case(key));
            all.insert(key.clone(), value.clone());
        }
        let all = within_quota(all)?;
        tx.update::<T>(key(), |found| *found.tags_mut() = all);
        Ok(())
    })
}

fn remove<T: Tagged>(control: &Control, key: String, keys: &[String]) -> Result<(), Error> {
    check_keys(keys)?;
    control.write(None, |tx| {
        tx.update::<T>(&key, |found| {
            found.tags_mut().retain(|there, _| !keys.iter().any(|key| key.eq_ignore_ascii_case(there)));
        });
        Ok(())
    })
}

fn page(tags: &Tags, max_items: Option<i32>, marker: &Option<String>) -> Result<Cut<Tag>, Error> {
    cut(max_items, marker, shape(tags), |tag| tag.key.clone().unwrap_or_default())
}

fn key_of<T: Entity>(control: &Control, caller: &Caller, name: Option<&str>) -> Result<String, Error> {
    let state = control.read(None)?;
    Ok(own::<T>(&state, caller, name)?.named().key.clone())
}

/// The three operations on the tags of resources that are named.
macro_rules! of_named {
    ($($type:ident by $name:ident: $tag:ident($tag_input:ty), $untag:ident($untag_input:ty),
        $list:ident($list_input:ty) -> $list_output:ident;)*) => {$(
        pub(super) fn $tag(control: &Control, caller: &Caller, input: $tag_input) -> Result<(), Error> {
            let key = key_of::<$type>(control, caller, input.$name.as_deref())?;
            add::<$type>(control, || key.clone(), &input.tags)
        }

        pub(super) fn $untag(control: &Control, caller: &Caller, input: $untag_input) -> Result<(), Error> {
            let key = key_of::<$type>(control, caller, input.$name.as_deref())?;
            remove::<$type>(control, key, &input.tag_keys)
        }

        pub(super) fn $list(
            control: &Control,
            caller: &Caller,
            input: $list_input,
        ) -> Result<$list_output, Error> {
            let state = control.read(None)?;
            let found = own::<$type>(&state, caller, input.$name.as_deref())?;
            let Cut { items, is_truncated, marker } = page(&found.tags, input.max_items, &input.marker)?;
            Ok($list_output { tags: items, is_truncated, marker })
        }
    )*};
}

of_named! {
    User by user_name: tag_user(TagUserRequest), untag_user(UntagUserRequest),
        list_of_user(ListUserTagsRequest) -> ListUserTagsResponse;
    Role by role_name: tag_role(TagRoleRequest), untag_role(UntagRoleRequest),
        list_of_role(ListRoleTagsRequest) -> ListRoleTagsResponse;
    InstanceProfile by instance_profile_name: tag_instance_profile(TagInstanceProfileRequest),
        untag_instance_profile(UntagInstanceProfileRequest),
        list_of_instance_profile(ListInstanceProfileTagsRequest) -> ListInstanceProfileTagsResponse;
}

pub(super) fn tag_policy(control: &Control, caller: &Caller, input: TagPolicyRequest) -> Result<(), Error> {
    let arn = input.policy_arn.unwrap_or_default();
    managed_policy::own(&*control.read(None)?, caller, &arn)?;
    add::<ManagedPolicy>(control, || arn.clone(), &input.tags)
}

pub(super) fn untag_policy(
    control: &Control,
    caller: &Caller,
    input: UntagPolicyRequest,
) -> Result<(), Error> {
    let arn = input.policy_arn.unwrap_or_default();
    managed_policy::own(&*control.read(None)?, caller, &arn)?;
    remove::<ManagedPolicy>(control, arn, &input.tag_keys)
}

pub(super) fn list_of_policy(
    control: &Control,
    caller: &Caller,
    input: ListPolicyTagsRequest,
) -> Result<ListPolicyTagsResponse, Error> {
    let state = control.read(None)?;
    let policy = managed_policy::own(&state, caller, input.policy_arn.as_deref().unwrap_or_default())?;
    let Cut { items, is_truncated, marker } = page(&policy.tags, input.max_items, &input.marker)?;
    Ok(ListPolicyTagsResponse { tags: items, is_truncated, marker })
}
