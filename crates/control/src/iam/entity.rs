//! What IAM's resources have in common: names that are unique in an account, and the words for one that is not there.

use std::sync::Arc;

use linkway_model::iam::{Group, InstanceProfile, ManagedPolicy, Named, Permissions, Role, User};
use linkway_model::{AccountId, Resource, Snapshot, Tags};
use linkway_store::Transaction;

use crate::error::IamError;
use crate::{Caller, Error};

/// A resource of IAM's that requests name by its name.
pub(crate) trait Entity: Resource {
    /// Its type in ARNs.
    const TYPE: &'static str;
    /// What its id begins with.
    const ID: &'static str;
    /// The member that carries its name, for messages.
    const MEMBER: &'static str;
    /// How many characters a name may have.
    const MAX_NAME: usize;

    fn named(&self) -> &Named;

    fn missing(name: &str) -> String {
        format!("The {} with name {name} cannot be found.", Self::TYPE)
    }

    fn taken(name: &str) -> String {
        let kind = Self::TYPE;
        format!("{}{} with name {name} already exists.", kind[..1].to_uppercase(), &kind[1..])
    }

    fn arn(&self) -> String {
        self.named().arn(Self::TYPE)
    }
}

macro_rules! entities {
    ($($type:ident: $kind:literal, $id:literal, $member:literal, $max:literal;)*) => {$(
        impl Entity for $type {
            const TYPE: &'static str = $kind;
            const ID: &'static str = $id;
            const MEMBER: &'static str = $member;
            const MAX_NAME: usize = $max;

            fn named(&self) -> &Named {
                &self.named
            }
        }
    )*};
}

entities! {
    User: "user", "AIDA", "userName", 64;
    Group: "group", "AGPA", "groupName", 128;
    Role: "role", "AROA", "roleName", 64;
}

impl Entity for InstanceProfile {
    const TYPE: &'static str = "instance-profile";
    const ID: &'static str = "AIPA";
    const MEMBER: &'static str = "instanceProfileName";
    const MAX_NAME: usize = 128;

    fn named(&self) -> &Named {
        &self.named
    }

    fn missing(name: &str) -> String {
        format!("Instance Profile {name} cannot be found.")
    }

    fn taken(name: &str) -> String {
        format!("Instance Profile {name} already exists.")
    }
}

/// One that has policies.
pub(crate) trait Permitted: Entity {
    /// Characters that its inline policies may have together, white space not counted.
    ///
    /// Source: "IAM and AWS STS quotas" in AWS's IAM user guide.
    const MAX_INLINE: usize;
    /// The quota of attached policies: how AWS calls it.
    const ATTACHED_QUOTA: &'static str;

    fn permissions(&self) -> &Permissions;
    fn permissions_mut(&mut self) -> &mut Permissions;
}

macro_rules! permitted {
    ($($type:ident: $inline:literal, $quota:literal;)*) => {$(
        impl Permitted for $type {
            const MAX_INLINE: usize = $inline;
            const ATTACHED_QUOTA: &'static str = $quota;

            fn permissions(&self) -> &Permissions {
                &self.permissions
            }

            fn permissions_mut(&mut self) -> &mut Permissions {
                &mut self.permissions
            }
        }
    )*};
}

permitted! {
    User: 2048, "PoliciesPerUser";
    Group: 5120, "PoliciesPerGroup";
    Role: 10240, "PoliciesPerRole";
}

/// One that has tags.
pub(crate) trait Tagged: Resource {
    fn tags(&self) -> &Tags;
    fn tags_mut(&mut self) -> &mut Tags;
}

macro_rules! tagged {
    ($($type:ident)*) => {$(
        impl Tagged for $type {
            fn tags(&self) -> &Tags {
                &self.tags
            }

            fn tags_mut(&mut self) -> &mut Tags {
                &mut self.tags
            }
        }
    )*};
}

tagged! { User Role InstanceProfile ManagedPolicy }

/// The account's resource of this name.
pub(crate) fn find<'a, T: Entity>(
    state: &'a Snapshot,
    account: &AccountId,
    name: &str,
) -> Result<&'a Arc<T>, Error> {
    state
        .get::<T>(Named::key_of(account, name))
        .ok_or_else(|| IamError::NoSuchEntity(T::missing(name)).into())
}

/// The caller's resource of the name that a parameter must have.
pub(super) fn own<'a, T: Entity>(
    state: &'a Snapshot,
    caller: &Caller,
    name: Option<&str>,
) -> Result<&'a Arc<T>, Error> {
    find(state, &caller.account, name.unwrap_or_default())
}

/// The name for a new one, if no other has it.
pub(super) fn free<T: Entity>(tx: &Transaction, account: &AccountId, name: &str) -> Result<(), Error> {
    match tx.get::<T>(Named::key_of(account, name)) {
        Some(_) => Err(IamError::EntityAlreadyExists(T::taken(name)).into()),
        None => Ok(()),
    }
}

/// The account's resources of a kind under a path, by name.
pub(super) fn under<'a, T: Entity>(
    state: &'a Snapshot,
    account: &AccountId,
    prefix: Option<&'a str>,
) -> impl Iterator<Item = &'a Arc<T>> {
    let account = account.clone();
    let prefix = prefix.unwrap_or("/");
    state.all::<T>().filter(move |one| one.named().account == account && one.named().path.starts_with(prefix))
}

/// The ARN of a resource with this key, if there is one.
pub(crate) fn arn<T: Entity>(state: &Snapshot, key: &str) -> Option<String> {
    state.get::<T>(key).map(|found| found.arn())
}
