//! Launch templates: what launches say, kept in versions under a name.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{AccountId, LaunchTemplateId, Tags, Timestamp};

/// A launch template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaunchTemplate {
    /// Its id.
    pub id: LaunchTemplateId,
    /// Its owner.
    pub owner: AccountId,
    /// Its region.
    pub region: String,
    /// Its name, unique in its account and region.
    pub name: String,
    /// When it was made.
    pub created: Timestamp,
    /// ARN of who made it.
    pub created_by: String,
    /// The version that a launch takes that names none.
    pub default: i64,
    /// The number of the last version that was made, which may be deleted. Numbers are not used again.
    pub last: i64,
    /// Its versions by their numbers, from 1. The default one is among them.
    pub versions: BTreeMap<i64, LaunchTemplateVersion>,
    /// Its tags.
    pub tags: Tags,
}

/// A version of a launch template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaunchTemplateVersion {
    /// What its maker wrote about it.
    pub description: Option<String>,
    /// When it was made.
    pub created: Timestamp,
    /// ARN of who made it.
    pub created_by: String,
    /// What it says: the members of EC2's `RequestLaunchTemplateData`, in snake case, that were given.
    pub data: Value,
}

impl LaunchTemplate {
    /// The version with the highest number of those that are there.
    pub fn latest(&self) -> i64 {
        self.versions.last_key_value().map_or(self.default, |(number, _)| *number)
    }
}
