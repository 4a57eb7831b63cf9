//! Policies of users, groups and roles: those that are a part of them, and managed ones that they have attached.

use linkway_model::iam as model;
use linkway_model::iam::Permissions;
use linkway_store::Transaction;
use linkway_wire::iam as wire;
use linkway_wire::iam::AttachedPolicy;

use super::document::{escaped, weight};
use super::entity::{Permitted, own};
use super::identity_document::check_identity;
use super::managed_policy;
use super::page::{Cut, cut};
use super::validate::checked_name;
use crate::error::IamError;
use crate::{Caller, Control, Error};

/// Managed policies that an identity may have attached.
///
/// Source: "IAM and AWS STS quotas" in AWS's IAM user guide.
const MAX_ATTACHED: usize = 10;

/// The document of a policy that is a part of an identity.
fn policy_document<T: Permitted>(one: &T, policy: &str) -> Result<String, Error> {
    let missing = || {
        let message = format!("The {} policy with name {policy} cannot be found.", T::TYPE);
        Error::from(IamError::NoSuchEntity(message))
    };
    one.permissions().inline.get(policy).cloned().ok_or_else(missing)
}

fn put<T: Permitted>(
    control: &Control,
    caller: &Caller,
    name: Option<&str>,
    policy: Option<String>,
    document: Option<String>,
) -> Result<(), Error> {
    let policy = checked_name(policy.as_deref().unwrap_or_default(), "policyName", 128)?.to_owned();
    let document = document.unwrap_or_default();
    control.write(None, |tx| {
        let one = own::<T>(tx, caller, name)?.clone();
        check_identity(&document)?;
        let mut inline = one.permissions().inline.clone();
        inline.insert(policy, document);
        if inline.values().map(|document| weight(document)).sum::<usize>() > T::MAX_INLINE {
            let (max, kind, name) = (T::MAX_INLINE, T::TYPE, &one.named().name);
            let message = format!("Maximum policy size of {max} bytes exceeded for {kind} {name}");
            return Err(IamError::LimitExceeded(message).into());
        }
        change::<T>(tx, &one.named().key, |permissions| permissions.inline = inline);
        Ok(())
    })
}

fn change<T: Permitted>(tx: &mut Transaction, key: &str, change: impl FnOnce(&mut Permissions)) {
    tx.update::<T>(key, |one| change(one.permissions_mut()));
}

fn delete<T: Permitted>(
    control: &Control,
    caller: &Caller,
    name: Option<&str>,
    policy: Option<String>,
) -> Result<(), Error> {
    let policy = policy.unwrap_or_default();
    control.write(None, |tx| {
        let one = own::<T>(tx, caller, name)?.clone();
        policy_document::<T>(&one, &policy)?;
        change::<T>(tx, &one.named().key, |permissions| {
            permissions.inline.remove(&policy);
        });
        Ok(())
    })
}

fn attach<T: Permitted>(
    control: &Control,
    caller: &Caller,
    name: Option<&str>,
    policy: Option<String>,
) -> Result<(), Error> {
    let arn = policy.unwrap_or_default();
    control.write(None, |tx| {
        let one = own::<T>(tx, caller, name)?.clone();
        if let Err(error) = managed_policy::find(tx, caller, &arn) {
            return Err(match error {
                Error::Iam(IamError::NoSuchEntity(_)) => {
                    IamError::NoSuchEntity(format!("Policy {arn} does not exist or is not attachable."))
                        .into()
                }
                error => error,
            });
        }
        let attached = &one.permissions().attached;
        if attached.len() >= MAX_ATTACHED && !attached.contains(&arn) {
            let message = format!("Cannot exceed quota for {}: {MAX_ATTACHED}", T::ATTACHED_QUOTA);
            return Err(IamError::LimitExceeded(message).into());
        }
        change::<T>(tx, &one.named().key, |permissions| {
            permissions.attached.insert(arn);
        });
        Ok(())
    })
}

fn detach<T: Permitted>(
    control: &Control,
    caller: &Caller,
    name: Option<&str>,
    policy: Option<String>,
) -> Result<(), Error> {
    let arn = policy.unwrap_or_default();
    control.write(None, |tx| {
        let one = own::<T>(tx, caller, name)?.clone();
        if !one.permissions().attached.contains(&arn) {
            return Err(IamError::NoSuchEntity(format!("Policy {arn} was not found.")).into());
        }
        change::<T>(tx, &one.named().key, |permissions| {
            permissions.attached.remove(&arn);
        });
        Ok(())
    })
}

fn attached(
    permissions: &Permissions,
    prefix: Option<&str>,
    max_items: Option<i32>,
    marker: &Option<String>,
) -> Result<Cut<AttachedPolicy>, Error> {
    let prefix = prefix.unwrap_or("/");
    let under = |arn: &&String| {
        arn.split_once(":policy").is_some_and(|(_, path)| {
            let end = path.rfind('/').map_or(0, |slash| slash + 1);
            path[..end].starts_with(prefix)
        })
    };
    let arns = permissions.attached.iter().filter(under);
    Ok(cut(max_items, marker, arns, |arn| arn.to_string())?.map(|arn| AttachedPolicy {
        policy_arn: Some(arn.clone()),
        policy_name: Some(managed_policy::name_of(arn).to_owned()),
    }))
}

/// The seven operations of a kind of identity.
macro_rules! of {
    ($($module:ident: $type:ident by $name:ident: $put:ident $get:ident -> $got:ident $delete:ident
        $list:ident -> $listed:ident $attach:ident $detach:ident $list_attached:ident -> $listed_attached:ident;)*) => {$(
        pub(super) mod $module {
            use super::*;

            pub(in super::super) fn put(
                control: &Control,
                caller: &Caller,
                input: wire::$put,
            ) -> Result<(), Error> {
                let name = input.$name.as_deref();
                super::put::<model::$type>(control, caller, name, input.policy_name, input.policy_document)
            }

            pub(in super::super) fn get(
                control: &Control,
                caller: &Caller,
                input: wire::$get,
            ) -> Result<wire::$got, Error> {
                let state = control.read(None)?;
                let one = own::<model::$type>(&state, caller, input.$name.as_deref())?;
                let document = policy_document(&**one, input.policy_name.as_deref().unwrap_or_default())?;
                Ok(wire::$got {
                    $name: Some(one.named.name.clone()),
                    policy_name: input.policy_name,
                    policy_document: Some(escaped(&document)),
                })
            }

            pub(in super::super) fn delete(
                control: &Control,
                caller: &Caller,
                input: wire::$delete,
            ) -> Result<(), Error> {
                super::delete::<model::$type>(control, caller, input.$name.as_deref(), input.policy_name)
            }

            pub(in super::super) fn list(
                control: &Control,
                caller: &Caller,
                input: wire::$list,
            ) -> Result<wire::$listed, Error> {
                let state = control.read(None)?;
                let one = own::<model::$type>(&state, caller, input.$name.as_deref())?;
                let names = one.permissions.inline.keys().cloned();
                let Cut { items, is_truncated, marker } =
                    cut(input.max_items, &input.marker, names, Clone::clone)?;
                Ok(wire::$listed { policy_names: items, is_truncated, marker })
            }

            pub(in super::super) fn attach(
                control: &Control,
                caller: &Caller,
                input: wire::$attach,
            ) -> Result<(), Error> {
                super::attach::<model::$type>(control, caller, input.$name.as_deref(), input.policy_arn)
            }

            pub(in super::super) fn detach(
                control: &Control,
                caller: &Caller,
                input: wire::$detach,
            ) -> Result<(), Error> {
                super::detach::<model::$type>(control, caller, input.$name.as_deref(), input.policy_arn)
            }

            pub(in super::super) fn list_attached(
                control: &Control,
                caller: &Caller,
                input: wire::$list_attached,
            ) -> Result<wire::$listed_attached, Error> {
                let state = control.read(None)?;
                let one = own::<model::$type>(&state, caller, input.$name.as_deref())?;
                let prefix = input.path_prefix.as_deref();
                let Cut { items, is_truncated, marker } =
                    attached(&one.permissions, prefix, input.max_items, &input.marker)?;
                Ok(wire::$listed_attached { attached_policies: items, is_truncated, marker })
            }
        }
    )*};
}

of! {
    user: User by user_name: PutUserPolicyRequest GetUserPolicyRequest -> GetUserPolicyResponse
        DeleteUserPolicyRequest ListUserPoliciesRequest -> ListUserPoliciesResponse AttachUserPolicyRequest
        DetachUserPolicyRequest ListAttachedUserPoliciesRequest -> ListAttachedUserPoliciesResponse;
    group: Group by group_name: PutGroupPolicyRequest GetGroupPolicyRequest -> GetGroupPolicyResponse
        DeleteGroupPolicyRequest ListGroupPoliciesRequest -> ListGroupPoliciesResponse AttachGroupPolicyRequest
        DetachGroupPolicyRequest ListAttachedGroupPoliciesRequest -> ListAttachedGroupPoliciesResponse;
    role: Role by role_name: PutRolePolicyRequest GetRolePolicyRequest -> GetRolePolicyResponse
        DeleteRolePolicyRequest ListRolePoliciesRequest -> ListRolePoliciesResponse AttachRolePolicyRequest
        DetachRolePolicyRequest ListAttachedRolePoliciesRequest -> ListAttachedRolePoliciesResponse;
}
