//! Access keys.

use linkway_model::{Snapshot, account, iam};
use linkway_wire::iam::*;

use super::entity::own;
use super::page::{Cut, cut};
use super::user;
use super::validate::constraint;
use crate::access::{Actor, actor};
use crate::error::IamError;
use crate::{Caller, Control, Error};

/// Keys that a user may have, and a root.
const MAX_KEYS: usize = 2;

/// Whose keys: a user's, by key and name; `None`: the account's root's, which only a root has to do with.
struct Whose(Option<(String, String)>);

impl Whose {
    fn find(state: &Snapshot, caller: &Caller, name: Option<String>) -> Result<Self, Error> {
        if name.is_none() && matches!(actor(state, caller), Actor::Root) {
            return Ok(Self(None));
        }
        let name = user::name_or_own(state, caller, name)?;
        let user = own::<iam::User>(state, caller, Some(&name))?;
        Ok(Self(Some((user.named.key.clone(), user.named.name.clone()))))
    }

    fn key(&self) -> Option<&str> {
        self.0.as_ref().map(|(key, _)| key.as_str())
    }

    fn name(&self) -> Option<String> {
        self.0.as_ref().map(|(_, name)| name.clone())
    }

    fn owns(&self, caller: &Caller, key: &account::AccessKey) -> bool {
        key.account == caller.account && key.user_key.as_deref() == self.key()
    }

    fn access_key(&self, state: &Snapshot, caller: &Caller, id: Option<&str>) -> Result<String, Error> {
        let id = id.unwrap_or_default();
        let found = state.get::<account::AccessKey>(id).filter(|key| self.owns(caller, key));
        found.map(|key| key.id.clone()).ok_or_else(|| missing(id))
    }
}

fn missing(id: &str) -> Error {
    IamError::NoSuchEntity(format!("The Access Key with id {id} cannot be found.")).into()
}

fn status(key: &account::AccessKey) -> Option<String> {
    Some(if key.inactive { "Inactive" } else { "Active" }.to_owned())
}

pub(super) fn create(
    control: &Control,
    caller: &Caller,
    input: CreateAccessKeyRequest,
) -> Result<CreateAccessKeyResponse, Error> {
    control.write(None, |tx| {
        let whose = Whose::find(tx, caller, input.user_name)?;
        if whose.0.is_some()
            && tx.all::<account::AccessKey>().filter(|key| whose.owns(caller, key)).count() >= MAX_KEYS
        {
            let message = format!("Cannot exceed quota for AccessKeysPerUser: {MAX_KEYS}");
            return Err(IamError::LimitExceeded(message).into());
        }
        let user = match whose.key() {
            Some(key) => tx.get::<iam::User>(key).cloned(),
            None => None,
        };
        let key = crate::admin::new_key(&caller.account, user.as_deref(), control.now());
        tx.put(key.clone());
        let access_key = AccessKey {
            access_key_id: Some(key.id.clone()),
            create_date: Some(key.created),
            status: status(&key),
            user_name: whose.name(),
            secret_access_key: Some(key.secret),
        };
        Ok(CreateAccessKeyResponse { access_key: Some(access_key) })
    })
}

pub(super) fn list(
    control: &Control,
    caller: &Caller,
    input: ListAccessKeysRequest,
) -> Result<ListAccessKeysResponse, Error> {
    let state = control.read(None)?;
    let whose = Whose::find(&state, caller, input.user_name)?;
    let keys = state.all::<account::AccessKey>().filter(|key| whose.owns(caller, key));
    let page = cut(input.max_items, &input.marker, keys, |key| key.id.clone())?;
    let Cut { items, is_truncated, marker } = page.map(|key| AccessKeyMetadata {
        access_key_id: Some(key.id.clone()),
        create_date: Some(key.created),
        status: status(key),
        user_name: whose.name(),
    });
    Ok(ListAccessKeysResponse { access_key_metadata: items, is_truncated, marker })
}

pub(super) fn update(control: &Control, caller: &Caller, input: UpdateAccessKeyRequest) -> Result<(), Error> {
    let inactive = match input.status.as_deref().unwrap_or_default() {
        "Active" => false,
        "Inactive" => true,
        other => {
            let rule = "Member must satisfy enum value set: [Active, Inactive, Expired]";
            return Err(constraint(other, "status", rule));
        }
    };
    control.write(None, |tx| {
        let id = Whose::find(tx, caller, input.user_name)?.access_key(
            tx,
            caller,
            input.access_key_id.as_deref(),
        )?;
        tx.update::<account::AccessKey>(id, |key| key.inactive = inactive);
        Ok(())
    })
}

pub(super) fn delete(control: &Control, caller: &Caller, input: DeleteAccessKeyRequest) -> Result<(), Error> {
    control.write(None, |tx| {
        let id = Whose::find(tx, caller, input.user_name)?.access_key(
            tx,
            caller,
            input.access_key_id.as_deref(),
        )?;
        tx.delete::<account::AccessKey>(id);
        Ok(())
    })
}

/// When a key was last used is not noted down: the answer is AWS's for a key that never was.
pub(super) fn last_used(
    control: &Control,
    caller: &Caller,
    input: GetAccessKeyLastUsedRequest,
) -> Result<GetAccessKeyLastUsedResponse, Error> {
    let id = input.access_key_id.unwrap_or_default();
    let state = control.read(None)?;
    let key = state
        .get::<account::AccessKey>(&id)
        .filter(|key| key.account == caller.account)
        .ok_or_else(|| missing(&id))?;
    let user = key.user_key.as_ref().and_then(|user| state.get::<iam::User>(user));
    let never = || Some("N/A".to_owned());
    Ok(GetAccessKeyLastUsedResponse {
        user_name: user.map(|user| user.named.name.clone()),
        access_key_last_used: Some(AccessKeyLastUsed {
            last_used_date: None,
            region: never(),
            service_name: never(),
        }),
    })
}
