//! Who calls: from a request's signature to the key's account and user.

use std::sync::Arc;

use linkway_control::Caller;
use linkway_model::account::AccessKey;
use linkway_model::region::Region;
use linkway_model::{Snapshot, Timestamp};
use linkway_wire::sigv4::{Request, Secret, SignatureError, Verified, verify};

/// Check a request's signature against the keys of `state`.
pub(crate) fn authenticate(
    request: &Request<'_>,
    now: Timestamp,
    state: &Snapshot,
) -> Result<(Verified, Caller), SignatureError> {
    let key = |id: &str| -> Option<Arc<AccessKey>> { state.get::<AccessKey>(id).cloned() };
    let verified = verify(request, now, |id| {
        key(id).map(|key| Secret { secret_access_key: key.secret.clone(), session_token: None })
    })?;
    if Region::find(&verified.region).is_none() {
        return Err(SignatureError::Misplaced(format!(
            "Credential should be scoped to a valid region, not '{}'.",
            verified.region
        )));
    }
    let key = key(&verified.access_key_id).ok_or(SignatureError::UnknownKey)?;
    let caller = Caller {
        account: key.account.clone(),
        principal: key.principal.clone(),
        user_id: key.user_id().to_owned(),
        region: verified.region.clone(),
    };
    Ok((verified, caller))
}
