//! Accounts, and the keys that sign for them.

use serde::{Deserialize, Serialize};

use crate::{AccountId, Timestamp};

/// An account: who owns resources.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its number.
    pub id: AccountId,
    /// A name for people; may be empty.
    pub name: String,
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
    /// When it was made.
    pub created: Timestamp,
}
