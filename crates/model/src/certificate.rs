//! Certificates for TLS listeners, as they are imported.

use serde::{Deserialize, Serialize};

use crate::{AccountId, Tags, Timestamp};

/// A certificate with its private key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// Its ARN, which is its id.
    pub arn: String,
    /// Who owns it.
    pub owner: AccountId,
    /// Where it is.
    pub region: String,
    /// The certificate, in PEM.
    pub body: String,
    /// The certificates that lead from it to a CA, in PEM; may be empty.
    pub chain: String,
    /// The certificate's private key, in PEM.
    pub key: PrivateKey,
    /// What the certificate says.
    pub facts: Facts,
    /// When it was imported first.
    pub created: Timestamp,
    /// When it was imported last.
    pub imported: Timestamp,
    /// Its tags.
    pub tags: Tags,
}

/// A private key in PEM. It does not show in logs.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PrivateKey(pub String);

impl std::fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PrivateKey")
    }
}

/// What a certificate says, under AWS's names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The name that it is known by: the subject's common name, or else the first of its names.
    pub domain: Option<String>,
    /// The names that it is good for, some with a wildcard.
    pub names: Vec<String>,
    /// Its serial number, as `0a:1b`.
    pub serial: String,
    /// Its subject, as `CN=shop.example.com`.
    pub subject: String,
    /// Who signed it: the organization, or else the common name.
    pub issuer: String,
    /// From when on it is good.
    pub not_before: Timestamp,
    /// Until when.
    pub not_after: Timestamp,
    /// Such as `RSA_2048` or `EC_prime256v1`.
    pub key_algorithm: String,
    /// Such as `SHA256WITHRSA`.
    pub signature_algorithm: String,
    /// Such as `DIGITAL_SIGNATURE`.
    pub key_usages: Vec<String>,
    /// Such as `TLS_WEB_SERVER_AUTHENTICATION`, each with its object identifier.
    pub extended_key_usages: Vec<(String, String)>,
}
