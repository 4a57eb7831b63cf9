//! Identities and what they may do: IAM's users, groups, roles, instance profiles and managed policies.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{AccountId, Tags, Timestamp, random_label};

/// What all of IAM's resources have: a name that is unique in the account but for case, and a path before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// Where it is in the state: the account and the name in small letters.
    pub key: String,
    /// Whose it is.
    pub account: AccountId,
    /// Its name, in the letters that it was made with.
    pub name: String,
    /// Its path: `/`, or `/teams/blue/`.
    pub path: String,
    /// AWS's unique id: `AIDA…`, `AROA…`. Never the same again, also for the same name.
    pub id: String,
    /// When it was made.
    pub created: Timestamp,
}

impl Named {
    /// A new one; `prefix` says of which kind its id is, as `AIDA`.
    pub fn new(account: &AccountId, name: &str, path: &str, prefix: &str, created: Timestamp) -> Self {
        Self {
            key: Self::key_of(account, name),
            account: account.clone(),
            name: name.to_owned(),
            path: path.to_owned(),
            id: format!("{prefix}{}", random_label(17).to_uppercase()),
            created,
        }
    }

    /// Where a name of an account's is in the state.
    pub fn key_of(account: &AccountId, name: &str) -> String {
        format!("{account}/{}", name.to_lowercase())
    }

    /// Its ARN; `kind` is the resource's type, as `user`.
    pub fn arn(&self, kind: &str) -> String {
        let Self { account, path, name, .. } = self;
        format!("arn:aws:iam::{account}:{kind}{path}{name}")
    }
}

/// The policies that an identity has.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Permissions {
    /// Those that are a part of it: documents by name.
    #[serde(default)]
    pub inline: BTreeMap<String, String>,
    /// ARNs of managed policies.
    #[serde(default)]
    pub attached: BTreeSet<String>,
    /// ARN of the managed policy beyond which nothing is allowed.
    #[serde(default)]
    pub boundary: Option<String>,
}

/// A user of an account's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Its name; `AIDA…`.
    pub named: Named,
    /// Its tags.
    pub tags: Tags,
    /// What it may do.
    pub permissions: Permissions,
    /// Keys of the groups that it is in.
    pub groups: BTreeSet<String>,
    /// Made by `linkway key create`, and so kept when all else is wiped.
    pub kept: bool,
}

impl User {
    /// Its ARN.
    pub fn arn(&self) -> String {
        self.named.arn("user")
    }
}

/// Users that share policies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Its name; `AGPA…`.
    pub named: Named,
    /// What its users may do.
    pub permissions: Permissions,
}

/// Who one can become for a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Role {
    /// Its name; `AROA…`.
    pub named: Named,
    /// Its tags.
    pub tags: Tags,
    /// What its sessions may do.
    pub permissions: Permissions,
    /// Who may assume it: a policy document.
    pub trust: String,
    /// For people.
    pub description: Option<String>,
    /// The longest that a session may last, in seconds.
    pub max_session: i32,
    /// When it was last assumed, and in which region.
    pub last_used: Option<(Timestamp, String)>,
}

impl Role {
    /// Its ARN.
    pub fn arn(&self) -> String {
        self.named.arn("role")
    }
}

/// What hands a role to an instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceProfile {
    /// Its name; `AIPA…`.
    pub named: Named,
    /// Its tags.
    pub tags: Tags,
    /// Key of the role, if it has one.
    pub role: Option<String>,
}

/// A policy of a customer's that identities may have attached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManagedPolicy {
    /// Its ARN.
    pub arn: String,
    /// Its name; `ANPA…`.
    pub named: Named,
    /// Its tags.
    pub tags: Tags,
    /// For people.
    pub description: Option<String>,
    /// Its documents, by number: `v1` is 1. Five at most.
    pub versions: BTreeMap<u32, PolicyVersion>,
    /// The version in effect.
    pub default: u32,
    /// The last number given to a version.
    pub last: u32,
    /// When its versions last changed.
    pub updated: Timestamp,
}

impl ManagedPolicy {
    /// The document in effect.
    pub fn document(&self) -> Option<&str> {
        self.versions.get(&self.default).map(|version| version.document.as_str())
    }
}

/// A version of a managed policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyVersion {
    /// The policy.
    pub document: String,
    /// When it was made.
    pub created: Timestamp,
}

/// An account's name in the addresses of sign-in pages: unique among all accounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountAlias {
    /// The alias.
    pub alias: String,
    /// Whose.
    pub account: AccountId,
}
