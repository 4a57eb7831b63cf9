//! Whose an access key is.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use linkway_control::identity::{self, Identity};
use linkway_gateway::{Key, Keys, Principal};
use linkway_model::Snapshot;
use linkway_store::Store;

/// The keys of the state as it is now, not as the packet path has it: whoever was given a key may use it at once.
pub(crate) struct StoreKeys {
    store: Arc<Store>,
    found: Mutex<Found>,
}

/// What was looked up in a state already: most requests come with few keys.
struct Found {
    state: Arc<Snapshot>,
    keys: HashMap<String, Key>,
}

impl StoreKeys {
    pub(crate) fn new(store: Arc<Store>) -> Self {
        let found = Mutex::new(Found { state: store.snapshot(), keys: HashMap::new() });
        Self { store, found }
    }
}

impl Keys for StoreKeys {
    fn find(&self, access_key_id: &str) -> Option<Key> {
        let now = self.store.snapshot();
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if !Arc::ptr_eq(&found.state, &now) {
            *found = Found { state: now, keys: HashMap::new() };
        }
        if let Some(key) = found.keys.get(access_key_id) {
            return Some(key.clone());
        }
        let (secret, identity) = identity::of_key(&found.state, access_key_id)?;
        let key = Key { secret, principal: Arc::new(principal(identity)) };
        found.keys.insert(access_key_id.to_owned(), key.clone());
        Some(key)
    }
}

fn principal(identity: Identity) -> Principal {
    Principal {
        kind: identity.kind,
        arn: identity.arn,
        account: identity.account.to_string(),
        id: identity.id,
        user_name: identity.user_name,
        role_arn: identity.role_arn,
        organization: identity.organization,
        canonical_user: None,
        tags: identity.tags.into_iter().collect(),
    }
}
