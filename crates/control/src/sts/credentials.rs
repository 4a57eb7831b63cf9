//! Temporary credentials, as they are made.

use jiff::SignedDuration;
use linkway_model::session::{Session, SessionOf};
use linkway_model::{AccountId, Snapshot, Tags, Timestamp, random_label, random_mixed};
use linkway_store::Transaction;
use linkway_wire::sts::{Credentials, PolicyDescriptorType};

use crate::error::IamError;
use crate::iam::{managed_document, session_policy};
use crate::{Caller, Error};

/// How long credentials that have expired are still told from unknown ones.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(12);

/// Managed policies that a session may be restricted to.
const MAX_POLICIES: usize = 10;

/// Characters of all documents that a session is restricted to.
const MAX_CHARACTERS: usize = 2048;

/// A session of nobody yet.
pub(super) fn new(account: &AccountId, of: SessionOf, now: Timestamp, seconds: i32) -> Session {
    let life = SignedDuration::from_secs(seconds.into());
    Session {
        id: format!("ASIA{}", random_label(16).to_uppercase()),
        secret: random_mixed(40),
        token: format!("FwoGZXIvYXdzE{}", random_mixed(307)),
        account: account.clone(),
        principal: String::new(),
        user_id: String::new(),
        of,
        policies: Vec::new(),
        tags: Tags::new(),
        transitive: Vec::new(),
        source_identity: None,
        created: now,
        expires: now.saturating_add(life).unwrap_or(Timestamp::MAX),
    }
}

/// Keep a session, and forget those that expired long ago.
pub(super) fn keep(tx: &mut Transaction, session: Session) {
    let old = session.created.saturating_sub(REMEMBERED).unwrap_or(Timestamp::MIN);
    let expired: Vec<String> = tx
        .all::<Session>()
        .filter(|session| session.expires < old)
        .map(|session| session.id.clone())
        .collect();
    for id in expired {
        tx.delete::<Session>(id);
    }
    tx.put(session);
}

/// Credentials as a response carries them.
pub(super) fn shape(session: &Session) -> Credentials {
    Credentials {
        access_key_id: Some(session.id.clone()),
        secret_access_key: Some(session.secret.clone()),
        session_token: Some(session.token.clone()),
        // Whole seconds, as AWS has it.
        expiration: Timestamp::from_second(session.expires.as_second()).ok(),
    }
}

/// The documents that a session is to be restricted to.
pub(super) fn policies(
    state: &Snapshot,
    caller: &Caller,
    inline: Option<String>,
    managed: &[PolicyDescriptorType],
) -> Result<Vec<String>, Error> {
    if managed.len() > MAX_POLICIES {
        let message = format!("A session has at most {MAX_POLICIES} managed policies.");
        return Err(IamError::PackedPolicyTooLarge(message).into());
    }
    let mut documents = Vec::new();
    if let Some(document) = inline {
        session_policy(&document)?;
        documents.push(document);
    }
    for policy in managed {
        let arn = policy.arn.as_deref().unwrap_or_default();
        let own = arn.split(':').nth(4).is_some_and(|of| of == "aws" || of == caller.account.as_str());
        let document = managed_document(state, arn).filter(|_| own);
        let missing = || IamError::MalformedPolicyDocument(format!("PolicyArn {arn} is not valid."));
        documents.push(document.ok_or_else(missing)?.to_owned());
    }
    Ok(documents)
}

/// How much of what a session may carry is used: of its own policy and its tags, in percent.
pub(super) fn packed(inline: Option<usize>, tags: &Tags) -> Option<i32> {
    let tags: usize = tags.iter().map(|(key, value)| key.len() + value.len()).sum();
    let used = inline.unwrap_or_default() + tags;
    (used > 0).then(|| i32::try_from((used * 100).div_ceil(MAX_CHARACTERS * 2)).unwrap_or(i32::MAX))
}
