//! Groups: users that share policies.

use std::sync::Arc;

use linkway_model::iam;
use linkway_wire::iam::*;

use super::entity::{Entity as _, free, own, under};
use super::page::{Cut, cut};
use super::{user, validate};
use crate::error::IamError;
use crate::{Caller, Control, Error};

/// Groups that a user may be in.
///
/// Source: "IAM and AWS STS quotas" in AWS's IAM user guide.
const MAX_GROUPS: usize = 10;

pub(super) fn create(
    control: &Control,
    caller: &Caller,
    input: CreateGroupRequest,
) -> Result<CreateGroupResponse, Error> {
    let named = validate::named::<iam::Group>(
        &caller.account,
        input.group_name.as_deref(),
        input.path.as_deref(),
        control.now(),
    )?;
    control.write(None, |tx| {
        free::<iam::Group>(tx, &caller.account, &named.name)?;
        let group = iam::Group { named, permissions: Default::default() };
        tx.put(group.clone());
        Ok(CreateGroupResponse { group: Some(shape(&group)) })
    })
}

pub(super) fn get(
    control: &Control,
    caller: &Caller,
    input: GetGroupRequest,
) -> Result<GetGroupResponse, Error> {
    let state = control.read(None)?;
    let group = own::<iam::Group>(&state, caller, input.group_name.as_deref())?;
    let members = state.all::<iam::User>().filter(|user| user.groups.contains(&group.named.key));
    let page = cut(input.max_items, &input.marker, members, |user| user.named.key.clone())?;
    let Cut { items, is_truncated, marker } = page.map(|user| user::shape(user));
    Ok(GetGroupResponse { group: Some(shape(group)), users: items, is_truncated, marker })
}

pub(super) fn list(
    control: &Control,
    caller: &Caller,
    input: ListGroupsRequest,
) -> Result<ListGroupsResponse, Error> {
    let state = control.read(None)?;
    let groups = under::<iam::Group>(&state, &caller.account, input.path_prefix.as_deref());
    let page = cut(input.max_items, &input.marker, groups, |group| group.named.key.clone())?;
    let Cut { items, is_truncated, marker } = page.map(|group| shape(group));
    Ok(ListGroupsResponse { groups: items, is_truncated, marker })
}

pub(super) fn list_for_user(
    control: &Control,
    caller: &Caller,
    input: ListGroupsForUserRequest,
) -> Result<ListGroupsForUserResponse, Error> {
    let state = control.read(None)?;
    let user = own::<iam::User>(&state, caller, input.user_name.as_deref())?;
    let groups = user.groups.iter().filter_map(|key| state.get::<iam::Group>(key));
    let page = cut(input.max_items, &input.marker, groups, |group| group.named.key.clone())?;
    let Cut { items, is_truncated, marker } = page.map(|group| shape(group));
    Ok(ListGroupsForUserResponse { groups: items, is_truncated, marker })
}

pub(super) fn update(control: &Control, caller: &Caller, input: UpdateGroupRequest) -> Result<(), Error> {
    control.write(None, |tx| {
        let mut group = iam::Group::clone(own(tx, caller, input.group_name.as_deref())?);
        let old = group.named.key.clone();
        if let Some(path) = &input.new_path {
            group.named.path = validate::checked_path(Some(path))?.to_owned();
        }
        if let Some(name) = &input.new_group_name {
            let name = validate::name::<iam::Group>(Some(name))?;
            let key = iam::Named::key_of(&caller.account, name);
            if key != old {
                free::<iam::Group>(tx, &caller.account, name)?;
            }
            group.named.name = name.to_owned();
            group.named.key = key;
        }
        for member in members(tx, &old) {
            tx.update::<iam::User>(&member.named.key, |user| {
                user.groups.remove(&old);
                user.groups.insert(group.named.key.clone());
            });
        }
        tx.delete::<iam::Group>(&old);
        tx.put(group);
        Ok(())
    })
}

fn members(state: &linkway_model::Snapshot, group: &str) -> Vec<Arc<iam::User>> {
    state.all::<iam::User>().filter(|user| user.groups.contains(group)).cloned().collect()
}

pub(super) fn delete(control: &Control, caller: &Caller, input: DeleteGroupRequest) -> Result<(), Error> {
    control.write(None, |tx| {
        let group = own::<iam::Group>(tx, caller, input.group_name.as_deref())?.clone();
        let conflict = |what: &str| -> Result<(), Error> {
            Err(IamError::DeleteConflict(format!("Cannot delete entity, must {what} first.")).into())
        };
        if !members(tx, &group.named.key).is_empty() {
            return conflict("remove users from group");
        }
        if !group.permissions.attached.is_empty() {
            return conflict("detach all policies");
        }
        if !group.permissions.inline.is_empty() {
            return conflict("delete policies");
        }
        tx.delete::<iam::Group>(&group.named.key);
        Ok(())
    })
}

/// Adding a user twice is no error.
pub(super) fn add_user(
    control: &Control,
    caller: &Caller,
    input: AddUserToGroupRequest,
) -> Result<(), Error> {
    control.write(None, |tx| {
        let user = own::<iam::User>(tx, caller, input.user_name.as_deref())?.clone();
        let group = own::<iam::Group>(tx, caller, input.group_name.as_deref())?.named.key.clone();
        if user.groups.len() >= MAX_GROUPS && !user.groups.contains(&group) {
            let message = format!("Cannot exceed quota for GroupsPerUser: {MAX_GROUPS}");
            return Err(IamError::LimitExceeded(message).into());
        }
        tx.update::<iam::User>(&user.named.key, |user| {
            user.groups.insert(group);
        });
        Ok(())
    })
}

pub(super) fn remove_user(
    control: &Control,
    caller: &Caller,
    input: RemoveUserFromGroupRequest,
) -> Result<(), Error> {
    control.write(None, |tx| {
        let group = own::<iam::Group>(tx, caller, input.group_name.as_deref())?.clone();
        let user = own::<iam::User>(tx, caller, input.user_name.as_deref())?.clone();
        if !user.groups.contains(&group.named.key) {
            let message = format!("User {} not in group {}", user.named.name, group.named.name);
            return Err(IamError::NoSuchEntity(message).into());
        }
        tx.update::<iam::User>(&user.named.key, |user| {
            user.groups.remove(&group.named.key);
        });
        Ok(())
    })
}

fn shape(group: &iam::Group) -> Group {
    let iam::Named { name, path, id, created, .. } = &group.named;
    Group {
        arn: Some(group.arn()),
        create_date: Some(*created),
        group_id: Some(id.clone()),
        group_name: Some(name.clone()),
        path: Some(path.clone()),
    }
}
