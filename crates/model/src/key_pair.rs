//! Key pairs, by whose public halves instances let their users in.

use serde::{Deserialize, Serialize};

use crate::{AccountId, KeyPairId, Tags, Timestamp};

/// A key pair. Its private half is nobody's but the caller's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyPair {
    /// Its id.
    pub id: KeyPairId,
    /// Who owns it.
    pub owner: AccountId,
    /// Where it is.
    pub region: String,
    /// Its name, unique in its account and region.
    pub name: String,
    /// Its kind.
    pub kind: KeyKind,
    /// AWS's fingerprint of it: of which of several digests depends on the kind and on who made it.
    pub fingerprint: String,
    /// Its public half, as a line of `authorized_keys` without options.
    pub public_key: String,
    /// When it was made.
    pub created: Timestamp,
    /// Its tags.
    pub tags: Tags,
}

/// AWS's kinds of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyKind {
    /// RSA.
    Rsa,
    /// Ed25519.
    Ed25519,
}

impl KeyKind {
    /// AWS's name of it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rsa => "rsa",
            Self::Ed25519 => "ed25519",
        }
    }
}
