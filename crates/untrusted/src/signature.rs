//! SigV4.

use linkway_model::Timestamp;
use linkway_wire::sigv4::{self, Scope, Secret, SigningKeys};

use crate::http::Request;

/// The day of the requests in the corpus.
const NOW: &str = "2015-08-30T12:36:00Z";

/// Verifies a request, whole and, as the gateway does, before its body is there. Both must come to the same.
pub fn signature(bytes: &[u8]) {
    let Some(request) = Request::read(bytes) else { return };
    let Request { method, path, query, headers, body } = &request;
    let request = sigv4::Request { method, path, query, headers, body };
    let now: Timestamp = NOW.parse().expect("a time");
    let claimed = Scope::claimed(&request);
    let whole = sigv4::verify(&request, now, secret);
    let begun = SigningKeys::default().begin(&request, now, secret);
    match (whole, begun) {
        (Ok(verified), Ok(pending)) => {
            let scope = pending.scope();
            assert_eq!(claimed.as_ref(), Some(scope));
            assert_eq!(
                (&verified.access_key_id, &verified.region, &verified.service),
                (&scope.access_key_id, &scope.region, &scope.service)
            );
        }
        (Ok(_), Err(error)) => panic!("verified whole, refused in pieces: {error}"),
        // The body can be what is wrong.
        (Err(_), Ok(pending)) => drop((pending.finish_head(), pending.chunks())),
        (Err(whole), Err(begun)) => assert_eq!(whole, begun),
    }
}

/// `AKIDEXAMPLE` has the secret of AWS's examples, `ASIAEXAMPLE` the same for a session that has ended.
fn secret(id: &str) -> Option<Secret> {
    let secret_access_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned();
    match id {
        "AKIDEXAMPLE" => Some(Secret { secret_access_key, session_token: None, expires: None }),
        "ASIAEXAMPLE" => Some(Secret {
            secret_access_key,
            session_token: Some("token".to_owned()),
            expires: Some(Timestamp::UNIX_EPOCH),
        }),
        _ => None,
    }
}
