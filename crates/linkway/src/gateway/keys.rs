//! Whose an access key is.

use std::sync::Arc;

use linkway_control::identity::{self, Identity};
use linkway_gateway::{Key, Keys, Principal};
use linkway_store::Store;

/// The keys of the state as it is now, not as the packet path has it: whoever was given a key may use it at once.
pub(crate) struct StoreKeys(pub(crate) Arc<Store>);

impl Keys for StoreKeys {
    fn find(&self, access_key_id: &str) -> Option<Key> {
        let (secret, identity) = identity::of_key(&self.0.snapshot(), access_key_id)?;
        Some(Key { secret, principal: Arc::new(principal(identity)) })
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
