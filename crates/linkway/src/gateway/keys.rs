//! Whose an access key is.

use std::sync::Arc;

use linkway_gateway::{Key, Keys, Principal};
use linkway_model::Snapshot;
use linkway_model::account::{AccessKey, Account};
use linkway_policy::PrincipalKind;
use linkway_wire::sigv4::Secret;

/// The keys of a snapshot.
pub(crate) struct SnapshotKeys(pub(crate) Arc<Snapshot>);

impl Keys for SnapshotKeys {
    fn find(&self, access_key_id: &str) -> Option<Key> {
        let key = self.0.get::<AccessKey>(access_key_id)?;
        Some(Key {
            secret: Secret { secret_access_key: key.secret.clone(), session_token: None },
            principal: Arc::new(principal(key, self.0.get::<Account>(&key.account).map(AsRef::as_ref))),
        })
    }
}

fn principal(key: &AccessKey, account: Option<&Account>) -> Principal {
    let user = key.user.as_ref();
    let tags = user.map(|user| user.tags.clone()).unwrap_or_default();
    Principal {
        kind: if user.is_some() { PrincipalKind::User } else { PrincipalKind::Root },
        arn: key.principal.clone(),
        account: key.account.to_string(),
        id: key.user_id().to_owned(),
        user_name: user.map(|user| user.name.clone()),
        role_arn: None,
        organization: account.and_then(|account| account.organization.clone()),
        canonical_user: None,
        tags: tags.into_iter().collect(),
    }
}
