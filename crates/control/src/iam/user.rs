//! Users.

use linkway_model::account::AccessKey;
use linkway_model::iam::{self, Permissions};
use linkway_model::session::{Session, SessionOf};
use linkway_store::Transaction;
use linkway_wire::iam::*;

use super::entity::{Entity as _, free, own, under};
use super::page::{Cut, cut};
use super::{managed_policy, tags, validate};
use crate::access::{Actor, actor};
use crate::error::IamError;
use crate::{Caller, Control, Error};

pub(super) fn create(
    control: &Control,
    caller: &Caller,
    input: CreateUserRequest,
) -> Result<CreateUserResponse, Error> {
    let tags = tags::given(&input.tags)?;
    let named = validate::named::<iam::User>(
        &caller.account,
        input.user_name.as_deref(),
        input.path.as_deref(),
        control.now(),
    )?;
    control.write(None, |tx| {
        free::<iam::User>(tx, &caller.account, &named.name)?;
        let boundary = managed_policy::boundary(tx, caller, input.permissions_boundary)?;
        let permissions = Permissions { boundary, ..Permissions::default() };
        let user = iam::User { named, tags, permissions, groups: Default::default(), kept: false };
        tx.put(user.clone());
        Ok(CreateUserResponse { user: Some(shape(&user)) })
    })
}

pub(super) fn get(
    control: &Control,
    caller: &Caller,
    input: GetUserRequest,
) -> Result<GetUserResponse, Error> {
    let state = control.read(None)?;
    if input.user_name.is_none() && matches!(actor(&state, caller), Actor::Root) {
        // Its account's number is a root's id.
        let user = User {
            arn: Some(format!("arn:aws:iam::{}:root", caller.account)),
            user_id: Some(caller.account.to_string()),
            create_date: state
                .get::<linkway_model::account::Account>(&caller.account)
                .map(|account| account.created),
            ..User::default()
        };
        return Ok(GetUserResponse { user: Some(user) });
    }
    let name = name_or_own(&state, caller, input.user_name)?;
    Ok(GetUserResponse { user: Some(shape(own::<iam::User>(&state, caller, Some(&name))?)) })
}

/// The name that is given, or else the caller's own.
pub(super) fn name_or_own(
    state: &linkway_model::Snapshot,
    caller: &Caller,
    given: Option<String>,
) -> Result<String, Error> {
    match (given, actor(state, caller)) {
        (Some(name), _) => Ok(name),
        (None, Actor::User(user)) => Ok(user.named.name.clone()),
        (None, _) => {
            let message = "Must specify userName when calling with non-User credentials";
            Err(IamError::Validation(message.to_owned()).into())
        }
    }
}

pub(super) fn list(
    control: &Control,
    caller: &Caller,
    input: ListUsersRequest,
) -> Result<ListUsersResponse, Error> {
    let state = control.read(None)?;
    let users = under::<iam::User>(&state, &caller.account, input.path_prefix.as_deref());
    let page = cut(input.max_items, &input.marker, users, |user| user.named.key.clone())?;
    // Lists leave tags and boundaries out.
    let brief =
        |user: &std::sync::Arc<iam::User>| User { tags: None, permissions_boundary: None, ..shape(user) };
    let Cut { items, is_truncated, marker } = page.map(brief);
    Ok(ListUsersResponse { users: items, is_truncated, marker })
}

pub(super) fn update(control: &Control, caller: &Caller, input: UpdateUserRequest) -> Result<(), Error> {
    control.write(None, |tx| {
        let mut user = iam::User::clone(own(tx, caller, input.user_name.as_deref())?);
        let old = user.named.key.clone();
        if let Some(name) = &input.new_user_name {
            let name = validate::name::<iam::User>(Some(name))?;
            let key = iam::Named::key_of(&caller.account, name);
            if key != old {
                free::<iam::User>(tx, &caller.account, name)?;
            }
            user.named.key = key;
            user.named.name = name.to_owned();
        }
        if let Some(path) = &input.new_path {
            user.named.path = validate::checked_path(Some(path))?.to_owned();
        }
        tx.delete::<iam::User>(&old);
        rename(tx, &old, &user);
        tx.put(user);
        Ok(())
    })
}

/// Keys and sessions are of the user, whatever it is called.
fn rename(tx: &mut Transaction, old: &str, user: &iam::User) {
    let (key, arn) = (&user.named.key, user.arn());
    for id in keys_of(tx, old) {
        tx.update::<AccessKey>(id, |access_key| {
            access_key.user_key = Some(key.clone());
            access_key.principal = arn.clone();
        });
    }
    for id in sessions_of(tx, old) {
        tx.update::<Session>(id, |session| match &mut session.of {
            SessionOf::SameAs { user } => {
                *user = Some(key.clone());
                session.principal = arn.clone();
            }
            SessionOf::Federated { user } => *user = Some(key.clone()),
            SessionOf::Role { .. } => {}
        });
    }
}

/// Ids of a user's access keys.
pub(super) fn keys_of(state: &linkway_model::Snapshot, user: &str) -> Vec<String> {
    let of = |key: &AccessKey| key.user_key.as_deref() == Some(user);
    state.all::<AccessKey>().filter(|key| of(key)).map(|key| key.id.clone()).collect()
}

fn sessions_of(state: &linkway_model::Snapshot, user: &str) -> Vec<String> {
    let of = |session: &Session| match &session.of {
        SessionOf::SameAs { user: of } | SessionOf::Federated { user: of } => of.as_deref() == Some(user),
        SessionOf::Role { .. } => false,
    };
    state.all::<Session>().filter(|session| of(session)).map(|session| session.id.clone()).collect()
}

pub(super) fn delete(control: &Control, caller: &Caller, input: DeleteUserRequest) -> Result<(), Error> {
    control.write(None, |tx| {
        let user = own::<iam::User>(tx, caller, input.user_name.as_deref())?.clone();
        let conflict = |what: &str| -> Result<(), Error> {
            Err(IamError::DeleteConflict(format!("Cannot delete entity, must {what} first.")).into())
        };
        if !keys_of(tx, &user.named.key).is_empty() {
            return conflict("delete access keys");
        }
        if !user.permissions.attached.is_empty() {
            return conflict("detach all policies");
        }
        if !user.permissions.inline.is_empty() {
            return conflict("delete policies");
        }
        if !user.groups.is_empty() {
            return conflict("remove users from group");
        }
        remove(tx, &user.named.key);
        Ok(())
    })
}

/// Take a user out, and what it gave others of itself.
pub(crate) fn remove(tx: &mut Transaction, key: &str) {
    for id in keys_of(tx, key) {
        tx.delete::<AccessKey>(id);
    }
    for id in sessions_of(tx, key) {
        tx.delete::<Session>(id);
    }
    tx.delete::<iam::User>(key);
}

pub(super) fn put_boundary(
    control: &Control,
    caller: &Caller,
    input: PutUserPermissionsBoundaryRequest,
) -> Result<(), Error> {
    control.write(None, |tx| {
        let key = own::<iam::User>(tx, caller, input.user_name.as_deref())?.named.key.clone();
        let boundary = managed_policy::boundary(tx, caller, input.permissions_boundary)?;
        tx.update::<iam::User>(key, |user| user.permissions.boundary = boundary);
        Ok(())
    })
}

pub(super) fn delete_boundary(
    control: &Control,
    caller: &Caller,
    input: DeleteUserPermissionsBoundaryRequest,
) -> Result<(), Error> {
    control.write(None, |tx| {
        let user = own::<iam::User>(tx, caller, input.user_name.as_deref())?.clone();
        if user.permissions.boundary.is_none() {
            return Err(managed_policy::no_boundary("user", &user.named.name));
        }
        tx.update::<iam::User>(&user.named.key, |user| user.permissions.boundary = None);
        Ok(())
    })
}

pub(super) fn shape(user: &iam::User) -> User {
    let iam::Named { name, path, id, created, .. } = &user.named;
    User {
        arn: Some(user.named.arn(iam::User::TYPE)),
        create_date: Some(*created),
        password_last_used: None,
        path: Some(path.clone()),
        permissions_boundary: managed_policy::boundary_shape(&user.permissions),
        tags: tags::if_any(&user.tags),
        user_id: Some(id.clone()),
        user_name: Some(name.clone()),
    }
}
