//! Who calls: from a request's signature to the key's account and identity.

use std::net::IpAddr;

use linkway_control::{Caller, identity};
use linkway_model::region::Region;
use linkway_model::{Snapshot, Timestamp};
use linkway_wire::sigv4::{Request, SignatureError, Verified, verify};

/// Check a request's signature against the keys of `state`. `peer` is whom it came from.
pub(crate) fn authenticate(
    request: &Request<'_>,
    now: Timestamp,
    state: &Snapshot,
    peer: Option<IpAddr>,
) -> Result<(Verified, Caller), SignatureError> {
    let mut identity = None;
    let verified = verify(request, now, |id| {
        let (secret, found) = identity::of_key(state, id)?;
        identity = Some(found);
        Some(secret)
    })?;
    if Region::find(&verified.region).is_none() {
        return Err(SignatureError::Misplaced(format!(
            "Credential should be scoped to a valid region, not '{}'.",
            verified.region
        )));
    }
    let identity = identity.ok_or(SignatureError::UnknownKey)?;
    let source = peer.map(|peer| ("aws:SourceIp".to_owned(), peer.to_string()));
    let mut circumstances = vec![("aws:SecureTransport".to_owned(), "false".to_owned())];
    circumstances.extend(source);
    let caller = Caller {
        account: identity.account,
        principal: identity.arn,
        user_id: identity.id,
        region: verified.region.clone(),
        access_key_id: Some(verified.access_key_id.clone()),
        circumstances,
    };
    Ok((verified, caller))
}
