//! Whose an access key is.

use std::sync::Arc;

use linkway_gateway::{Key, Keys, Principal};
use linkway_model::Snapshot;
use linkway_model::account::AccessKey;
use linkway_policy::PrincipalKind;
use linkway_wire::sigv4::Secret;

/// The keys of a snapshot.
pub(crate) struct SnapshotKeys(pub(crate) Arc<Snapshot>);

impl Keys for SnapshotKeys {
    fn find(&self, access_key_id: &str) -> Option<Key> {
        let key = self.0.get::<AccessKey>(access_key_id)?;
        Some(Key {
            secret: Secret { secret_access_key: key.secret.clone(), session_token: None },
            principal: Arc::new(principal(key)),
        })
    }
}

/// Every key is of its account's root, whose id is the account's number.
fn principal(key: &AccessKey) -> Principal {
    Principal {
        kind: PrincipalKind::Root,
        arn: key.principal.clone(),
        account: key.account.to_string(),
        id: key.account.to_string(),
        user_name: None,
        role_arn: None,
        organization: None,
        canonical_user: None,
        tags: Vec::new(),
    }
}
