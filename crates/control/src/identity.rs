//! From an access key to who it is.

use linkway_model::account::{AccessKey, Account};
use linkway_model::iam::{Role, User};
use linkway_model::session::{Session, SessionOf};
use linkway_model::{AccountId, Snapshot, Tags};
use linkway_policy::PrincipalKind;
use linkway_wire::sigv4::Secret;

/// Who an access key is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// What it is.
    pub kind: PrincipalKind,
    /// Its ARN; of a session of a role, the session's.
    pub arn: String,
    /// Its account.
    pub account: AccountId,
    /// AWS's unique id: `AIDA…`, `AROA…:SESSION`; of root, the account's number.
    pub id: String,
    /// A user's name.
    pub user_name: Option<String>,
    /// Of a session of a role, the role's ARN.
    pub role_arn: Option<String>,
    /// Its account's organization.
    pub organization: Option<String>,
    /// Its tags; of a session, its own too.
    pub tags: Tags,
}

/// An access key that may sign: what proves it, and who it is. `None`: there is none of this id, it is inactive, or
/// who it was is no more.
pub fn of_key(state: &Snapshot, access_key_id: &str) -> Option<(Secret, Identity)> {
    if let Some(key) = state.get::<AccessKey>(access_key_id).filter(|key| !key.inactive) {
        let secret = Secret { secret_access_key: key.secret.clone(), session_token: None, expires: None };
        return Some((secret, of_user(state, &key.account, key.user_key.as_deref())?));
    }
    let session = state.get::<Session>(access_key_id)?;
    let secret = Secret {
        secret_access_key: session.secret.clone(),
        session_token: Some(session.token.clone()),
        expires: Some(session.expires),
    };
    Some((secret, of_session(state, session)?))
}

/// A user, by key, or the account's root.
fn of_user(state: &Snapshot, account: &AccountId, user: Option<&str>) -> Option<Identity> {
    let root = Identity {
        kind: PrincipalKind::Root,
        arn: format!("arn:aws:iam::{account}:root"),
        account: account.clone(),
        id: account.to_string(),
        user_name: None,
        role_arn: None,
        organization: state.get::<Account>(account).and_then(|account| account.organization.clone()),
        tags: Tags::new(),
    };
    let Some(user) = user else { return Some(root) };
    let user = state.get::<User>(user)?;
    Some(Identity {
        kind: PrincipalKind::User,
        arn: user.arn(),
        id: user.named.id.clone(),
        user_name: Some(user.named.name.clone()),
        tags: user.tags.clone(),
        ..root
    })
}

fn of_session(state: &Snapshot, session: &Session) -> Option<Identity> {
    let (kind, role_arn, user_name, mut tags) = match &session.of {
        SessionOf::SameAs { user } => return of_user(state, &session.account, user.as_deref()),
        SessionOf::Federated { user } => {
            of_user(state, &session.account, user.as_deref())?;
            (PrincipalKind::FederatedUser, None, None, Tags::new())
        }
        SessionOf::Role { key, id, arn } => {
            let role = state.get::<Role>(key).filter(|role| role.named.id == *id);
            let tags = role.map(|role| role.tags.clone()).unwrap_or_default();
            (PrincipalKind::AssumedRole, Some(arn.clone()), None, tags)
        }
    };
    tags.retain(|key, _| !session.tags.keys().any(|own| own.eq_ignore_ascii_case(key)));
    tags.extend(session.tags.clone());
    Some(Identity {
        kind,
        arn: session.principal.clone(),
        id: session.user_id.clone(),
        user_name,
        role_arn,
        tags,
        ..of_user(state, &session.account, None)?
    })
}
