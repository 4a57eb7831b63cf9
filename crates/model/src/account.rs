//! Accounts, and the keys that sign for them.

use serde::{Deserialize, Serialize};

use crate::{AccountId, Tags, Timestamp};

/// An account: who owns resources.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its number.
    pub id: AccountId,
    /// A name for people; may be empty.
    pub name: String,
    /// The organization that it is in, such as `o-a1b2c3d4e5`: policies may ask for it.
    #[serde(default)]
    pub organization: Option<String>,
    /// When it was made.
    pub created: Timestamp,
}

/// An access key. Whoever signs with it acts as `principal`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessKey {
    /// `AKIA…`: what requests name.
    pub id: String,
    /// What signs.
    pub secret: String,
    /// Whose it is.
    pub account: AccountId,
    /// ARN of the user, such as `arn:aws:iam::123456789012:root`.
    pub principal: String,
    /// The user; `None`: the account's root.
    #[serde(default)]
    pub user: Option<User>,
    /// When it was made.
    pub created: Timestamp,
}

/// A user of an account's. Policies may name it, or ask for its tags.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Its name, unique in the account.
    pub name: String,
    /// AWS's unique id: `AIDA…`.
    pub id: String,
    /// Its tags.
    pub tags: Tags,
}

impl AccessKey {
    /// AWS's unique id of who it is: the user's, or the account's number for its root.
    pub fn user_id(&self) -> &str {
        self.user.as_ref().map_or(self.account.as_str(), |user| &user.id)
    }
}
