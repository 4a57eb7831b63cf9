//! A signature whose verdict waits for the body: what a proxy needs, which passes a body on while it arrives.

use hmac::{Hmac, Mac as _};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::authorization::{ALGORITHM, Authorization, Form};
use super::canonical::{self, PathRules};
use super::{
    Request, Scope, Secret, SignatureError, UNSIGNED_PAYLOAD, Verified, hmac, signing_key, string_to_sign,
};

const STREAMING: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
const STREAMING_TRAILER: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";
const STREAMING_UNSIGNED_TRAILER: &str = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
/// Of event streams: each event carries a signature of its own, which is left to who reads the events.
const STREAMING_EVENTS: &str = "STREAMING-AWS4-HMAC-SHA256-EVENTS";

/// What a signature says about the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    /// Nothing apart: its SHA-256 is needed before the signature can be told right or wrong.
    Unstated,
    /// That its SHA-256 is this one, in hexadecimal digits: still to be compared with the body's.
    Hash(String),
    /// That it is not signed, or not in a way that is checked here (the events of an event stream).
    Unsigned,
    /// That it comes in chunks of the encoding `aws-chunked`, each with a signature; a signed trailer follows
    /// them or not.
    Chunks {
        /// Whether a trailer follows.
        trailer: bool,
    },
}

/// A signature that is well formed, of a known key, and fresh.
#[derive(Clone, Debug)]
pub struct Pending {
    pub(super) authorization: Authorization,
    /// The canonical requests that are accepted, but for the payload's hash.
    canonical: Vec<Vec<u8>>,
    key: Hmac<Sha256>,
    payload: Payload,
    /// How the payload stands in the canonical request, where the head tells.
    stated: Option<String>,
}

/// Checks all of a request's signature that its body does not matter for: [`Request::body`] is not read.
/// `secret_of` looks an access key id up.
///
/// # Errors
///
/// If the request is not signed, signed in another way or for another time, or with an unknown key.
pub fn begin(
    request: &Request<'_>,
    now: Timestamp,
    secret_of: impl FnOnce(&str) -> Option<Secret>,
) -> Result<Pending, SignatureError> {
    begin_path(request, now, secret_of, PathRules::of_service, derive)
}

/// The keyed MAC that signs for a scope.
pub(super) fn derive(secret: &str, scope: &Scope) -> Hmac<Sha256> {
    hmac(&signing_key(secret, scope))
}

pub(super) fn begin_path(
    request: &Request<'_>,
    now: Timestamp,
    secret_of: impl FnOnce(&str) -> Option<Secret>,
    rules: impl FnOnce(&str) -> PathRules,
    signing_key: impl FnOnce(&str, &Scope) -> Hmac<Sha256>,
) -> Result<Pending, SignatureError> {
    let authorization = Authorization::read(request)?;
    authorization.require_signed_headers(request)?;
    authorization.require_fresh(now)?;

    let Authorization { scope, session_token, .. } = &authorization;
    let secret = secret_of(&scope.access_key_id).ok_or(SignatureError::UnknownKey)?;
    match (&secret.session_token, session_token) {
        (None, None) => {}
        (Some(expected), Some(given)) if Sha256::digest(expected) == Sha256::digest(given) => {}
        _ => return Err(SignatureError::WrongSessionToken),
    }
    if secret.expires.is_some_and(|expires| expires <= now) {
        return Err(SignatureError::ExpiredToken);
    }

    let key = signing_key(&secret.secret_access_key, scope);
    let rules = rules(&scope.service);
    // Some signers add the token to the URL after signing, and nothing tells them from the others.
    let token_unsigned = authorization.form == Form::Query && session_token.is_some();
    let canonical = [false, true]
        .into_iter()
        .filter(|omit_token| token_unsigned || !omit_token)
        .map(|omit_token| canonical::request(request, &authorization, rules, omit_token, ""))
        .collect();
    let (payload, stated) = payload(request, &authorization);
    Ok(Pending { authorization, canonical, key, payload, stated })
}

fn payload(request: &Request<'_>, authorization: &Authorization) -> (Payload, Option<String>) {
    let stated = request.header("x-amz-content-sha256");
    let payload = match stated {
        Some(UNSIGNED_PAYLOAD | STREAMING_UNSIGNED_TRAILER | STREAMING_EVENTS) => Payload::Unsigned,
        Some(STREAMING) => Payload::Chunks { trailer: false },
        Some(STREAMING_TRAILER) => Payload::Chunks { trailer: true },
        Some(hash) => Payload::Hash(hash.to_owned()),
        None if authorization.form == Form::Query && authorization.scope.service == "s3" => {
            return (Payload::Unsigned, Some(UNSIGNED_PAYLOAD.to_owned()));
        }
        None => Payload::Unstated,
    };
    (payload, stated.map(str::to_owned))
}

impl Pending {
    /// What the signature was made for.
    pub fn scope(&self) -> &Scope {
        &self.authorization.scope
    }

    /// What it says about the body.
    pub fn payload(&self) -> &Payload {
        &self.payload
    }

    /// Checks the signature of the head, taking the client's word for the body.
    ///
    /// # Errors
    ///
    /// If the signature is wrong. Also for a [`Payload::Unstated`]: use [`finish`](Self::finish).
    pub fn finish_head(&self) -> Result<(), SignatureError> {
        self.check(self.stated.as_deref().unwrap_or_default())
    }

    /// Checks the signature with the body's hash, in hexadecimal digits.
    ///
    /// # Errors
    ///
    /// If the signature is wrong.
    pub fn check(&self, payload_hash: &str) -> Result<(), SignatureError> {
        let right = self.canonical.iter().any(|canonical| {
            let mut mac = self.key.clone();
            let canonical = [canonical, payload_hash.as_bytes()];
            mac.update(string_to_sign(&self.authorization, &canonical).as_bytes());
            mac.verify_slice(&self.authorization.signature).is_ok()
        });
        if right { Ok(()) } else { Err(SignatureError::DoesNotMatch) }
    }

    /// The same, and says what was verified.
    ///
    /// # Errors
    ///
    /// If the signature is wrong.
    pub fn finish(&self, payload_hash: &str) -> Result<Verified, SignatureError> {
        self.check(payload_hash)?;
        let Authorization { scope, signed_at, session_token, .. } = &self.authorization;
        Ok(Verified {
            access_key_id: scope.access_key_id.clone(),
            region: scope.region.clone(),
            service: scope.service.clone(),
            signed_at: *signed_at,
            session_token: session_token.clone(),
        })
    }

    /// What checks the signatures of the body's chunks, beginning with the first.
    pub fn chunks(&self) -> ChunkSignatures {
        let Scope { date, region, service, .. } = &self.authorization.scope;
        ChunkSignatures {
            key: self.key.clone(),
            scope: format!("{}\n{date}/{region}/{service}/aws4_request", self.authorization.amz_date),
            previous: hex::encode(&self.authorization.signature),
        }
    }
}

/// The chain of signatures over a body's chunks: each covers the one before.
///
/// Source: "Signature calculations for the authorization header: transferring a payload in multiple chunks" and
/// its sibling on trailing headers, in Amazon S3's API reference.
#[derive(Clone, Debug)]
pub struct ChunkSignatures {
    key: Hmac<Sha256>,
    scope: String,
    previous: String,
}

impl ChunkSignatures {
    /// Checks a chunk by the SHA-256 of its data.
    ///
    /// # Errors
    ///
    /// If the signature is not the chunk's.
    pub fn chunk(&mut self, data: &[u8; 32], signature: &str) -> Result<(), SignatureError> {
        let empty = hex::encode(Sha256::digest(b""));
        let text =
            format!("{ALGORITHM}-PAYLOAD\n{}\n{}\n{empty}\n{}", self.scope, self.previous, hex::encode(data));
        self.check(&text, signature)
    }

    /// Checks the trailer by the SHA-256 of its lines, each spelled `name:value` and a line feed.
    ///
    /// # Errors
    ///
    /// If the signature is not the trailer's.
    pub fn trailer(&mut self, lines: &[u8; 32], signature: &str) -> Result<(), SignatureError> {
        let text = format!("{ALGORITHM}-TRAILER\n{}\n{}\n{}", self.scope, self.previous, hex::encode(lines));
        self.check(&text, signature)
    }

    fn check(&mut self, text: &str, signature: &str) -> Result<(), SignatureError> {
        let mut mac = self.key.clone();
        mac.update(text.as_bytes());
        let bytes = hex::decode(signature).map_err(|_| SignatureError::DoesNotMatch)?;
        mac.verify_slice(&bytes).map_err(|_| SignatureError::DoesNotMatch)?;
        signature.clone_into(&mut self.previous);
        Ok(())
    }
}
