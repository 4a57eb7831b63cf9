//! Client tokens: a request that is sent twice acts once.

use std::fmt::Debug;

use linkway_model::idempotency::ClientToken;
use linkway_model::index::Term;
use linkway_model::{Resource, Timestamp};
use linkway_store::Transaction;
use sha2::{Digest, Sha256};

use crate::{Caller, Error};

/// Characters of a token.
const MAX_TOKEN: usize = 64;

/// How long a token is remembered.
const KEPT_FOR: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);

/// Forget tokens that are a day old.
pub(crate) fn reconcile(tx: &mut Transaction, now: Timestamp) {
    let old = |key: &str| {
        tx.get::<ClientToken>(key).is_some_and(|token| now.duration_since(token.created) > KEPT_FOR)
    };
    let oldest_first = tx.texts(Term::TokenCreated, "").map(|(_, key)| key);
    let forgotten: Vec<_> = oldest_first.take_while(|key| old(key)).map(str::to_owned).collect();
    for key in forgotten {
        tx.delete::<ClientToken>(key);
    }
}

/// Make a `T` with `make`, which answers its id; or find the one that this token made, if the parameters are the
/// same. `parameters` is the request without its token and dry-run flag. What was deleted since is made anew.
pub(crate) fn once<T: Resource>(
    tx: &mut Transaction,
    caller: &Caller,
    now: Timestamp,
    operation: &str,
    token: Option<&str>,
    parameters: &impl Debug,
    make: impl FnOnce(&mut Transaction) -> Result<String, Error>,
) -> Result<String, Error> {
    let Some(token) = token.filter(|token| !token.is_empty()) else { return make(tx) };
    if token.chars().count() > MAX_TOKEN || !token.is_ascii() {
        return Err(Error::InvalidParameterValue(format!(
            "Invalid value '{token}' for clientToken. Client tokens have at most {MAX_TOKEN} ASCII characters."
        )));
    }
    let key = format!("{}/{}/{operation}/{token}", caller.account, caller.region);
    let parameters = hex::encode(Sha256::digest(format!("{parameters:?}")));
    if let Some(used) = tx.get::<ClientToken>(&key)
        && tx.get::<T>(&used.resource).is_some()
    {
        return if used.parameters == parameters {
            Ok(used.resource.clone())
        } else {
            Err(Error::IdempotentParameterMismatch)
        };
    }
    let resource = make(tx)?;
    tx.put(ClientToken {
        key,
        owner: caller.account.clone(),
        parameters,
        resource: resource.clone(),
        created: now,
    });
    Ok(resource)
}
