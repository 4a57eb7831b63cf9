//! Whose an access key is.

use std::sync::Arc;

use linkway_control::identity::{self, Identity};
use linkway_gateway::{Key, Keys, Principal};
use linkway_model::Snapshot;

/// The keys of a snapshot.
pub(crate) struct SnapshotKeys(pub(crate) Arc<Snapshot>);

impl Keys for SnapshotKeys {
    fn find(&self, access_key_id: &str) -> Option<Key> {
        let (secret, identity) = identity::of_key(&self.0, access_key_id)?;
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
