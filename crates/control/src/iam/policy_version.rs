//! Versions of managed policies.

use linkway_model::iam;
use linkway_wire::iam::*;

use super::document::escaped;
use super::managed_policy::{self, Managed};
use super::page::{Cut, cut};
use crate::error::IamError;
use crate::{Caller, Control, Error};

/// Versions that a policy may have.
const MAX_VERSIONS: usize = 5;

pub(super) fn create(
    control: &Control,
    caller: &Caller,
    input: CreatePolicyVersionRequest,
) -> Result<CreatePolicyVersionResponse, Error> {
    let document = managed_policy::checked(input.policy_document)?;
    let is_default = input.set_as_default == Some(true);
    let now = control.now();
    control.write(None, |tx| {
        let arn = input.policy_arn.as_deref().unwrap_or_default();
        let mut policy = iam::ManagedPolicy::clone(managed_policy::own(tx, caller, arn)?);
        if policy.versions.len() >= MAX_VERSIONS {
            let message = "A managed policy can have up to 5 versions. Before you create a new version, you must \
                           delete an existing version.";
            return Err(IamError::LimitExceeded(message.to_owned()).into());
        }
        policy.last += 1;
        let number = policy.last;
        policy.versions.insert(number, iam::PolicyVersion { document, created: now });
        if is_default {
            policy.default = number;
        }
        policy.updated = now;
        tx.put(policy);
        let version = PolicyVersion {
            create_date: Some(now),
            document: None,
            is_default_version: Some(is_default),
            version_id: Some(format!("v{number}")),
        };
        Ok(CreatePolicyVersionResponse { policy_version: Some(version) })
    })
}

pub(super) fn get(
    control: &Control,
    caller: &Caller,
    input: GetPolicyVersionRequest,
) -> Result<GetPolicyVersionResponse, Error> {
    let state = control.read(None)?;
    let arn = input.policy_arn.as_deref().unwrap_or_default();
    let id = input.version_id.as_deref().unwrap_or_default();
    let version = match managed_policy::find(&state, caller, arn)? {
        Managed::Customer(policy) => {
            let number = existing(&policy, id)?;
            shape(&policy, number, true)
        }
        Managed::Aws(policy) if policy.version == id => PolicyVersion {
            create_date: Some(policy.created),
            document: Some(escaped(policy.document)),
            is_default_version: Some(true),
            version_id: Some(id.to_owned()),
        },
        Managed::Aws(_) => return Err(missing(arn, id)),
    };
    Ok(GetPolicyVersionResponse { policy_version: Some(version) })
}

pub(super) fn list(
    control: &Control,
    caller: &Caller,
    input: ListPolicyVersionsRequest,
) -> Result<ListPolicyVersionsResponse, Error> {
    let state = control.read(None)?;
    let arn = input.policy_arn.as_deref().unwrap_or_default();
    let versions = match managed_policy::find(&state, caller, arn)? {
        Managed::Customer(policy) => {
            policy.versions.keys().rev().map(|number| shape(&policy, *number, false)).collect()
        }
        Managed::Aws(policy) => vec![PolicyVersion {
            create_date: Some(policy.created),
            document: None,
            is_default_version: Some(true),
            version_id: Some(policy.version.to_owned()),
        }],
    };
    // The newest is first.
    let numbered = versions.into_iter().enumerate();
    let page = cut(input.max_items, &input.marker, numbered, |(at, _)| format!("{at:02}"))?;
    let Cut { items, is_truncated, marker } = page.map(|(_, version)| version);
    Ok(ListPolicyVersionsResponse { versions: items, is_truncated, marker })
}

pub(super) fn delete(
    control: &Control,
    caller: &Caller,
    input: DeletePolicyVersionRequest,
) -> Result<(), Error> {
    let now = control.now();
    control.write(None, |tx| {
        let arn = input.policy_arn.as_deref().unwrap_or_default();
        let mut policy = iam::ManagedPolicy::clone(managed_policy::own(tx, caller, arn)?);
        let number = existing(&policy, input.version_id.as_deref().unwrap_or_default())?;
        if number == policy.default {
            let message = "Cannot delete the default version of a policy.";
            return Err(IamError::DeleteConflict(message.to_owned()).into());
        }
        policy.versions.remove(&number);
        policy.updated = now;
        tx.put(policy);
        Ok(())
    })
}

pub(super) fn set_default(
    control: &Control,
    caller: &Caller,
    input: SetDefaultPolicyVersionRequest,
) -> Result<(), Error> {
    let now = control.now();
    control.write(None, |tx| {
        let arn = input.policy_arn.as_deref().unwrap_or_default();
        let mut policy = iam::ManagedPolicy::clone(managed_policy::own(tx, caller, arn)?);
        policy.default = existing(&policy, input.version_id.as_deref().unwrap_or_default())?;
        policy.updated = now;
        tx.put(policy);
        Ok(())
    })
}

/// The number of a version that is there.
fn existing(policy: &iam::ManagedPolicy, id: &str) -> Result<u32, Error> {
    let number = id.strip_prefix('v').and_then(|number| number.parse().ok());
    number.filter(|number| policy.versions.contains_key(number)).ok_or_else(|| missing(&policy.arn, id))
}

fn missing(arn: &str, id: &str) -> Error {
    let message = format!("Policy {arn} version {id} does not exist or is not attachable.");
    IamError::NoSuchEntity(message).into()
}

fn shape(policy: &iam::ManagedPolicy, number: u32, whole: bool) -> PolicyVersion {
    let version = policy.versions.get(&number);
    PolicyVersion {
        create_date: version.map(|version| version.created),
        document: version.filter(|_| whole).map(|version| escaped(&version.document)),
        is_default_version: Some(number == policy.default),
        version_id: Some(format!("v{number}")),
    }
}
