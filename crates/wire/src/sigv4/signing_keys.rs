//! Signing keys that were derived before: a day's requests with one key to one service share theirs.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use hmac::Hmac;
use jiff::Timestamp;
use sha2::Sha256;

use super::canonical::PathRules;
use super::pending::{begin_path, derive};
use super::{Pending, Request, Scope, Secret, SignatureError};

/// How many are kept: enough for the keys and services of a busy day.
const KEPT: usize = 4096;

/// Signing keys that were derived before. To be shared by all who verify.
#[derive(Default)]
pub struct SigningKeys(RwLock<HashMap<String, Hmac<Sha256>>>);

impl SigningKeys {
    /// As [`begin`](super::begin), with less to compute.
    ///
    /// # Errors
    ///
    /// If the request is not signed, signed in another way or for another time, or with an unknown key.
    pub fn begin(
        &self,
        request: &Request<'_>,
        now: Timestamp,
        secret_of: impl FnOnce(&str) -> Option<Secret>,
    ) -> Result<Pending, SignatureError> {
        begin_path(request, now, secret_of, PathRules::of_service, |secret, scope| self.get(secret, scope))
    }

    fn get(&self, secret: &str, scope: &Scope) -> Hmac<Sha256> {
        // The secret is a part of what it is found by: a key's secret may change.
        let name = format!("{secret}/{}/{}/{}", scope.date, scope.region, scope.service);
        if let Some(key) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(&name) {
            return key.clone();
        }
        let key = derive(secret, scope);
        let mut kept = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(name, key.clone());
        key
    }
}

impl std::fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKeys").finish_non_exhaustive()
    }
}
