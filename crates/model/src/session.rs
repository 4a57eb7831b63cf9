//! Temporary credentials: who somebody is for a time.

use serde::{Deserialize, Serialize};

use crate::{AccountId, Tags, Timestamp};

/// Credentials that STS gave out. Whoever signs with them acts as `principal` until they expire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// `ASIA…`: what requests name.
    pub id: String,
    /// What signs.
    pub secret: String,
    /// What requests carry besides.
    pub token: String,
    /// The account that they act in.
    pub account: AccountId,
    /// ARN of who they act as: `arn:aws:sts::…:assumed-role/ROLE/NAME`, a user's, or a root's.
    pub principal: String,
    /// AWS's unique id of that: `AROA…:NAME`, `AIDA…`, `123456789012:NAME`.
    pub user_id: String,
    /// Whose permissions they have.
    pub of: SessionOf,
    /// Policies beyond which they allow nothing: documents, in the order given. Of a federated user, all that it may.
    pub policies: Vec<String>,
    /// The session's own tags.
    pub tags: Tags,
    /// Keys of those tags that go on into sessions made with this one.
    pub transitive: Vec<String>,
    /// Who somebody said they are, all along a chain of roles.
    pub source_identity: Option<String>,
    /// When they were made.
    pub created: Timestamp,
    /// Until when they are good.
    pub expires: Timestamp,
}

/// Whose permissions a session has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SessionOf {
    /// A role's: by key, and the unique id that it had, so that another role of the name is not meant.
    Role {
        /// The role's key.
        key: String,
        /// The role's unique id.
        id: String,
        /// The role's ARN.
        arn: String,
    },
    /// Those of a user or root themselves (`GetSessionToken`).
    SameAs {
        /// The user's key; `None`: the account's root.
        user: Option<String>,
    },
    /// Those of a user or root, for somebody whom they vouch for (`GetFederationToken`).
    Federated {
        /// The user's key; `None`: the account's root.
        user: Option<String>,
    },
}
