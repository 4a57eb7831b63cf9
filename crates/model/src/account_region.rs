//! Accounts in regions: what each has been given from the beginning.

use serde::{Deserialize, Serialize};

use crate::AccountId;

/// Says that an account has been given its default VPC and DHCP options in a region. It stays when those are deleted,
/// so that they do not come back by themselves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountRegion {
    /// `ACCOUNT/REGION`.
    pub key: String,
}

impl AccountRegion {
    /// The key of an account in a region.
    pub fn key_of(account: &AccountId, region: &str) -> String {
        format!("{account}/{region}")
    }
}
