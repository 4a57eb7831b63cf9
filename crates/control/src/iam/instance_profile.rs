//! Instance profiles.

use linkway_model::{Snapshot, iam};
use linkway_wire::iam::*;

use super::entity::{Entity as _, free, own, under};
use super::page::{Cut, cut};
use super::{role, tags, validate};
use crate::error::IamError;
use crate::{Caller, Control, Error};

pub(super) fn create(
    control: &Control,
    caller: &Caller,
    input: CreateInstanceProfileRequest,
) -> Result<CreateInstanceProfileResponse, Error> {
    let tags = tags::given(&input.tags)?;
    let named = validate::named::<iam::InstanceProfile>(
        &caller.account,
        input.instance_profile_name.as_deref(),
        input.path.as_deref(),
        control.now(),
    )?;
    control.write(None, |tx| {
        free::<iam::InstanceProfile>(tx, &caller.account, &named.name)?;
        let profile = iam::InstanceProfile { named, tags, role: None };
        tx.put(profile.clone());
        Ok(CreateInstanceProfileResponse { instance_profile: Some(shape(tx, &profile)) })
    })
}

pub(super) fn get(
    control: &Control,
    caller: &Caller,
    input: GetInstanceProfileRequest,
) -> Result<GetInstanceProfileResponse, Error> {
    let state = control.read(None)?;
    let profile = own::<iam::InstanceProfile>(&state, caller, input.instance_profile_name.as_deref())?;
    Ok(GetInstanceProfileResponse { instance_profile: Some(shape(&state, profile)) })
}

pub(super) fn list(
    control: &Control,
    caller: &Caller,
    input: ListInstanceProfilesRequest,
) -> Result<ListInstanceProfilesResponse, Error> {
    let state = control.read(None)?;
    let profiles = under::<iam::InstanceProfile>(&state, &caller.account, input.path_prefix.as_deref());
    let page = cut(input.max_items, &input.marker, profiles, |profile| profile.named.key.clone())?;
    let Cut { items, is_truncated, marker } = page.map(|profile| brief(&state, profile));
    Ok(ListInstanceProfilesResponse { instance_profiles: items, is_truncated, marker })
}

pub(super) fn list_for_role(
    control: &Control,
    caller: &Caller,
    input: ListInstanceProfilesForRoleRequest,
) -> Result<ListInstanceProfilesForRoleResponse, Error> {
    let state = control.read(None)?;
    let role = own::<iam::Role>(&state, caller, input.role_name.as_deref())?;
    let profiles = role::profiles_of(&state, &role.named.key);
    let page = cut(input.max_items, &input.marker, profiles, |profile| profile.named.key.clone())?;
    let Cut { items, is_truncated, marker } = page.map(|profile| brief(&state, profile));
    Ok(ListInstanceProfilesForRoleResponse { instance_profiles: items, is_truncated, marker })
}

pub(super) fn delete(
    control: &Control,
    caller: &Caller,
    input: DeleteInstanceProfileRequest,
) -> Result<(), Error> {
    control.write(None, |tx| {
        let profile =
            own::<iam::InstanceProfile>(tx, caller, input.instance_profile_name.as_deref())?.clone();
        if profile.role.is_some() {
            let message = "Cannot delete entity, must remove roles from instance profile first.";
            return Err(IamError::DeleteConflict(message.to_owned()).into());
        }
        tx.delete::<iam::InstanceProfile>(&profile.named.key);
        Ok(())
    })
}

pub(super) fn add_role(
    control: &Control,
    caller: &Caller,
    input: AddRoleToInstanceProfileRequest,
) -> Result<(), Error> {
    control.write(None, |tx| {
        let profile =
            own::<iam::InstanceProfile>(tx, caller, input.instance_profile_name.as_deref())?.clone();
        let role = own::<iam::Role>(tx, caller, input.role_name.as_deref())?.named.key.clone();
        if profile.role.is_some() {
            let message = "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1";
            return Err(IamError::LimitExceeded(message.to_owned()).into());
        }
        tx.update::<iam::InstanceProfile>(&profile.named.key, |profile| profile.role = Some(role));
        Ok(())
    })
}

pub(super) fn remove_role(
    control: &Control,
    caller: &Caller,
    input: RemoveRoleFromInstanceProfileRequest,
) -> Result<(), Error> {
    let name = input.role_name.unwrap_or_default();
    control.write(None, |tx| {
        let profile =
            own::<iam::InstanceProfile>(tx, caller, input.instance_profile_name.as_deref())?.clone();
        let key = iam::Named::key_of(&caller.account, &name);
        if profile.role.as_ref() != Some(&key) {
            return Err(IamError::NoSuchEntity(iam::Role::missing(&name)).into());
        }
        tx.update::<iam::InstanceProfile>(&profile.named.key, |profile| profile.role = None);
        Ok(())
    })
}

/// A profile as lists have it: without tags.
fn brief(state: &Snapshot, profile: &iam::InstanceProfile) -> InstanceProfile {
    InstanceProfile { tags: None, ..shape(state, profile) }
}

fn shape(state: &Snapshot, profile: &iam::InstanceProfile) -> InstanceProfile {
    let iam::Named { name, path, id, created, .. } = &profile.named;
    let role = profile.role.as_ref().and_then(|key| state.get::<iam::Role>(key));
    InstanceProfile {
        arn: Some(profile.arn()),
        create_date: Some(*created),
        instance_profile_id: Some(id.clone()),
        instance_profile_name: Some(name.clone()),
        path: Some(path.clone()),
        roles: role.map(|role| role::brief(role)).into_iter().collect(),
        tags: Some(tags::shape(&profile.tags)),
    }
}
