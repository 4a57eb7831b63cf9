//! What client tokens have made, so that a request that is sent twice acts once.

use serde::{Deserialize, Serialize};

use crate::{AccountId, Timestamp};

/// A client token that was used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientToken {
    /// `ACCOUNT/REGION/OPERATION/TOKEN`.
    pub key: String,
    /// Who used it.
    pub owner: AccountId,
    /// Hash of the request's other parameters, in hexadecimal.
    pub parameters: String,
    /// Id of what it made.
    pub resource: String,
    /// When. Kept for a day.
    pub created: Timestamp,
}
