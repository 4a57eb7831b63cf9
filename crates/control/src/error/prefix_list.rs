//! What can stand against an operation on managed prefix lists.

use ipnet::IpNet;

/// Why an operation on managed prefix lists was refused.
#[derive(Debug, thiserror::Error)]
pub enum PrefixListError {
    /// It was changed since the caller looked.
    #[error("The prefix list has the incorrect version number.")]
    VersionMismatch,
    /// It has all the entries that it may have.
    #[error("You've reached the maximum number of entries for the prefix list.")]
    Full,
    /// It has this entry already.
    #[error("An entry with the CIDR ({cidr}) and description ({description}) already exists.")]
    EntryExists {
        /// The range.
        cidr: IpNet,
        /// Its description.
        description: String,
    },
    /// It has no such entry.
    #[error("The CIDR ({0}) does not exist in the prefix list.")]
    NoSuchEntry(IpNet),
    /// It has no such version, or has it no more.
    #[error("The prefix list has no version {0}.")]
    NoSuchVersion(i64),
    /// Another change is in progress.
    #[error("The prefix list '{id}' is in the state {state} and cannot be modified.")]
    IncorrectState {
        /// Its id.
        id: String,
        /// Its state.
        state: &'static str,
    },
}

impl PrefixListError {
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::VersionMismatch => "PrefixListVersionMismatch",
            Self::Full => "PrefixListMaxEntriesExceeded",
            Self::EntryExists { .. } | Self::NoSuchEntry(_) => "InvalidPrefixListModification",
            Self::NoSuchVersion(_) => "InvalidParameterValue",
            Self::IncorrectState { .. } => "IncorrectState",
        }
    }
}
