//! Managed prefix lists: ranges under one name, which rules of security groups refer to.

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::aws_prefix_list::AwsPrefixList;
use crate::{AccountId, PrefixListId, Snapshot, Tags, Timestamp};

/// A managed prefix list of a caller's. AWS's own are [`AwsPrefixList`]s.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrefixList {
    /// Its id.
    pub id: PrefixListId,
    /// Who owns it.
    pub owner: AccountId,
    /// Where it is.
    pub region: String,
    /// Its name.
    pub name: String,
    /// Of which addresses its ranges are.
    pub family: AddressFamily,
    /// Ranges that it may have. What refers to it counts as this many rules.
    pub max_entries: usize,
    /// Its ranges, a version each, oldest first: at least one, the last is the current one.
    pub versions: Vec<PrefixListVersion>,
    /// How far its last change has come.
    pub state: PrefixListState,
    /// What went wrong with its last change.
    pub state_message: Option<String>,
    /// The state's revision of its last change.
    pub since: u64,
    /// When it was deleted, if it was: it is forgotten a minute later.
    pub deleted: Option<Timestamp>,
    /// Its tags.
    pub tags: Tags,
}

/// A prefix list's ranges as they are, or were.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrefixListVersion {
    /// From 1.
    pub number: i64,
    /// The ranges, in the order in which they were added.
    pub entries: Vec<PrefixListEntry>,
}

/// A range of a prefix list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrefixListEntry {
    /// The range, in its canonical form.
    pub cidr: IpNet,
    /// In its maker's words.
    pub description: Option<String>,
}

/// Of which addresses a list is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AddressFamily {
    /// AWS's `IPv4`.
    V4,
    /// AWS's `IPv6`.
    V6,
}

impl AddressFamily {
    /// AWS's name of it.
    pub fn name(self) -> &'static str {
        match self {
            Self::V4 => "IPv4",
            Self::V6 => "IPv6",
        }
    }

    /// Whether a range is of the family.
    pub fn has(self, cidr: &IpNet) -> bool {
        matches!((self, cidr), (Self::V4, IpNet::V4(_)) | (Self::V6, IpNet::V6(_)))
    }
}

/// AWS's states of a prefix list. What is in progress is complete once the packet path follows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names are AWS's, and say it")]
pub enum PrefixListState {
    CreateInProgress,
    CreateComplete,
    ModifyInProgress,
    ModifyComplete,
    ModifyFailed,
    RestoreInProgress,
    RestoreComplete,
    DeleteComplete,
    DeleteFailed,
}

impl PrefixListState {
    /// AWS's name of it.
    pub fn name(self) -> &'static str {
        match self {
            Self::CreateInProgress => "create-in-progress",
            Self::CreateComplete => "create-complete",
            Self::ModifyInProgress => "modify-in-progress",
            Self::ModifyComplete => "modify-complete",
            Self::ModifyFailed => "modify-failed",
            Self::RestoreInProgress => "restore-in-progress",
            Self::RestoreComplete => "restore-complete",
            Self::DeleteComplete => "delete-complete",
            Self::DeleteFailed => "delete-failed",
        }
    }

    /// The state after this one, once the packet path has followed; `None`: it stays.
    pub fn completed(self) -> Option<Self> {
        match self {
            Self::CreateInProgress => Some(Self::CreateComplete),
            Self::ModifyInProgress => Some(Self::ModifyComplete),
            Self::RestoreInProgress => Some(Self::RestoreComplete),
            _ => None,
        }
    }
}

impl PrefixList {
    /// Number of its current version.
    pub fn version(&self) -> i64 {
        self.versions.last().map_or(0, |version| version.number)
    }

    /// Its current ranges.
    pub fn entries(&self) -> &[PrefixListEntry] {
        self.versions.last().map_or(&[], |version| &version.entries)
    }
}

/// The ranges that a rule of this region means by a prefix list, a caller's or AWS's: none if there is no such list.
pub fn ranges(snapshot: &Snapshot, region: &str, id: &PrefixListId) -> Vec<IpNet> {
    match snapshot.get::<PrefixList>(id) {
        Some(list) => list.entries().iter().map(|entry| entry.cidr).collect(),
        None => AwsPrefixList::find(region, id).map(|list| list.ranges()).unwrap_or_default(),
    }
}
