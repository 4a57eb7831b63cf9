//! Accounts, and the keys that sign for them.

use serde::{Deserialize, Serialize};

use crate::{AccountId, Snapshot, Tags, Timestamp};

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
    /// How much it may have.
    #[serde(default)]
    pub quotas: Quotas,
    /// When it was made.
    pub created: Timestamp,
}

/// How much an account may have, so that none fills the packet path's tables for all. AWS's defaults; an operator
/// raises them, as AWS's support does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Quotas {
    /// Interface endpoints of a VPC. Source: "AWS PrivateLink quotas".
    pub endpoints_per_vpc: usize,
    /// Network interfaces in a region. Source: the Amazon VPC User Guide, "Amazon VPC quotas".
    pub interfaces_per_region: usize,
}

impl Default for Quotas {
    fn default() -> Self {
        Self { endpoints_per_vpc: 50, interfaces_per_region: 5000 }
    }
}

impl Quotas {
    /// An account's.
    pub fn of(state: &Snapshot, account: &AccountId) -> Self {
        state.get::<Account>(account).map(|account| account.quotas).unwrap_or_default()
    }
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
    /// Key of the [`User`](crate::iam::User) that it is of; `None`: the account's root.
    #[serde(default)]
    pub user_key: Option<String>,
    /// The user as older states have it, until it is made one of IAM's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<EarlierUser>,
    /// Signs nothing until it is made active again.
    #[serde(default)]
    pub inactive: bool,
    /// When it was made.
    pub created: Timestamp,
}

/// A user as states had it in its keys, before there was IAM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EarlierUser {
    /// Its name, unique in the account.
    pub name: String,
    /// AWS's unique id: `AIDA…`.
    pub id: String,
    /// Its tags.
    pub tags: Tags,
}
