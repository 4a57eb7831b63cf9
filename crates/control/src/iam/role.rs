//! Roles.

use linkway_model::{Snapshot, iam};
use linkway_wire::iam::*;

use super::document::{check_trust, escaped};
use super::entity::{free, own, under};
use super::page::{Cut, cut};
use super::validate::constraint;
use super::{managed_policy, tags, validate};
use crate::error::IamError;
use crate::{Caller, Control, Error};

/// How long sessions of a role last at most, unless it says otherwise, in seconds.
const USUAL_SESSION: i32 = 3600;

/// The longest that a role may let its sessions last, in seconds.
const LONGEST_SESSION: i32 = 43_200;

/// Characters of a description.
const MAX_DESCRIPTION: usize = 1000;

pub(super) fn create(
    control: &Control,
    caller: &Caller,
    input: CreateRoleRequest,
) -> Result<CreateRoleResponse, Error> {
    let tags = tags::given(&input.tags)?;
    let max_session = checked_session(input.max_session_duration.unwrap_or(USUAL_SESSION))?;
    let description = checked_description(input.description)?;
    let named = validate::named::<iam::Role>(
        &caller.account,
        input.role_name.as_deref(),
        input.path.as_deref(),
        control.now(),
    )?;
    let trust = input.assume_role_policy_document.unwrap_or_default();
    control.write(None, |tx| {
        check_trust(tx, &trust)?;
        free::<iam::Role>(tx, &caller.account, &named.name)?;
        let boundary = managed_policy::boundary(tx, caller, input.permissions_boundary)?;
        let role = iam::Role {
            named,
            tags,
            permissions: iam::Permissions { boundary, ..Default::default() },
            trust,
            description: description.filter(|text| !text.is_empty()),
            max_session,
            last_used: None,
        };
        tx.put(role.clone());
        // What is new has not been used.
        Ok(CreateRoleResponse { role: Some(Role { role_last_used: None, ..shape(&role) }) })
    })
}

fn checked_session(seconds: i32) -> Result<i32, Error> {
    let rule = match seconds {
        _ if seconds < USUAL_SESSION => "Member must have value greater than or equal to 3600",
        _ if seconds > LONGEST_SESSION => "Member must have value less than or equal to 43200",
        _ => return Ok(seconds),
    };
    Err(constraint(&seconds.to_string(), "maxSessionDuration", rule))
}

pub(super) fn checked_description(description: Option<String>) -> Result<Option<String>, Error> {
    match &description {
        Some(text) if text.chars().count() > MAX_DESCRIPTION => {
            Err(constraint(text, "description", "Member must have length less than or equal to 1000"))
        }
        _ => Ok(description),
    }
}

pub(super) fn get(
    control: &Control,
    caller: &Caller,
    input: GetRoleRequest,
) -> Result<GetRoleResponse, Error> {
    let state = control.read(None)?;
    Ok(GetRoleResponse { role: Some(shape(own(&state, caller, input.role_name.as_deref())?)) })
}

pub(super) fn list(
    control: &Control,
    caller: &Caller,
    input: ListRolesRequest,
) -> Result<ListRolesResponse, Error> {
    let state = control.read(None)?;
    let roles = under::<iam::Role>(&state, &caller.account, input.path_prefix.as_deref());
    let page = cut(input.max_items, &input.marker, roles, |role| role.named.key.clone())?;
    let Cut { items, is_truncated, marker } = page.map(|role| brief(role));
    Ok(ListRolesResponse { roles: items, is_truncated, marker })
}

pub(super) fn update(
    control: &Control,
    caller: &Caller,
    input: UpdateRoleRequest,
) -> Result<UpdateRoleResponse, Error> {
    // One that is not given becomes the default again. Source: the API reference.
    let max_session = input.max_session_duration.map_or(Ok(USUAL_SESSION), checked_session).map(Some)?;
    change_description(control, caller, input.role_name.as_deref(), input.description, max_session)?;
    Ok(UpdateRoleResponse::default())
}

pub(super) fn update_description(
    control: &Control,
    caller: &Caller,
    input: UpdateRoleDescriptionRequest,
) -> Result<UpdateRoleDescriptionResponse, Error> {
    let role = change_description(control, caller, input.role_name.as_deref(), input.description, None)?;
    Ok(UpdateRoleDescriptionResponse { role: Some(shape(&role)) })
}

fn change_description(
    control: &Control,
    caller: &Caller,
    name: Option<&str>,
    description: Option<String>,
    max_session: Option<i32>,
) -> Result<iam::Role, Error> {
    let description = checked_description(description)?;
    control.write(None, |tx| {
        let mut role = iam::Role::clone(own(tx, caller, name)?);
        if let Some(text) = description {
            role.description = Some(text).filter(|text| !text.is_empty());
        }
        role.max_session = max_session.unwrap_or(role.max_session);
        tx.put(role.clone());
        Ok(role)
    })
}

pub(super) fn update_trust(
    control: &Control,
    caller: &Caller,
    input: UpdateAssumeRolePolicyRequest,
) -> Result<(), Error> {
    let trust = input.policy_document.unwrap_or_default();
    control.write(None, |tx| {
        let key = own::<iam::Role>(tx, caller, input.role_name.as_deref())?.named.key.clone();
        check_trust(tx, &trust)?;
        tx.update::<iam::Role>(key, |role| role.trust = trust);
        Ok(())
    })
}

pub(super) fn delete(control: &Control, caller: &Caller, input: DeleteRoleRequest) -> Result<(), Error> {
    control.write(None, |tx| {
        let role = own::<iam::Role>(tx, caller, input.role_name.as_deref())?.clone();
        let conflict = |what: &str| -> Result<(), Error> {
            Err(IamError::DeleteConflict(format!("Cannot delete entity, must {what} first.")).into())
        };
        if profiles_of(tx, &role.named.key).next().is_some() {
            return conflict("remove roles from instance profile");
        }
        if !role.permissions.attached.is_empty() {
            return conflict("detach all policies");
        }
        if !role.permissions.inline.is_empty() {
            return conflict("delete policies");
        }
        tx.delete::<iam::Role>(&role.named.key);
        Ok(())
    })
}

/// Instance profiles that have a role.
pub(super) fn profiles_of<'a>(
    state: &'a Snapshot,
    role: &'a str,
) -> impl Iterator<Item = &'a std::sync::Arc<iam::InstanceProfile>> {
    state.all::<iam::InstanceProfile>().filter(move |profile| profile.role.as_deref() == Some(role))
}

pub(super) fn put_boundary(
    control: &Control,
    caller: &Caller,
    input: PutRolePermissionsBoundaryRequest,
) -> Result<(), Error> {
    control.write(None, |tx| {
        let key = own::<iam::Role>(tx, caller, input.role_name.as_deref())?.named.key.clone();
        let boundary = managed_policy::boundary(tx, caller, input.permissions_boundary)?;
        tx.update::<iam::Role>(key, |role| role.permissions.boundary = boundary);
        Ok(())
    })
}

pub(super) fn delete_boundary(
    control: &Control,
    caller: &Caller,
    input: DeleteRolePermissionsBoundaryRequest,
) -> Result<(), Error> {
    control.write(None, |tx| {
        let role = own::<iam::Role>(tx, caller, input.role_name.as_deref())?.clone();
        if role.permissions.boundary.is_none() {
            return Err(managed_policy::no_boundary("role", &role.named.name));
        }
        tx.update::<iam::Role>(&role.named.key, |role| role.permissions.boundary = None);
        Ok(())
    })
}

pub(super) fn shape(role: &iam::Role) -> Role {
    let (last_used_date, region) = role.last_used.clone().unzip();
    Role {
        permissions_boundary: managed_policy::boundary_shape(&role.permissions),
        role_last_used: Some(RoleLastUsed { last_used_date, region }),
        tags: tags::if_any(&role.tags),
        ..brief(role)
    }
}

/// A role as lists have it: without tags, boundary and last use.
pub(super) fn brief(role: &iam::Role) -> Role {
    let iam::Named { name, path, id, created, .. } = &role.named;
    Role {
        arn: Some(role.arn()),
        assume_role_policy_document: Some(escaped(&role.trust)),
        create_date: Some(*created),
        description: role.description.clone(),
        max_session_duration: Some(role.max_session),
        path: Some(path.clone()),
        role_id: Some(id.clone()),
        role_name: Some(name.clone()),
        ..Role::default()
    }
}
