//! Who signed a request: AWS's Signature Version 4, the verifier's side.
//!
//! Pure functions over a request and a clock. Both forms are accepted: the `Authorization` header, and the
//! parameters of a presigned URL. A signature may be used again while it is fresh, as SDKs do when two equal
//! calls fall into one second; there is no memory of what was seen.
//!
//! Source: "AWS Signature Version 4 for API requests" in AWS's IAM user guide.

mod authorization;
mod canonical;
mod error;
mod pending;
#[cfg(test)]
mod pending_tests;
mod signing_keys;
#[cfg(test)]
mod suite;
#[cfg(test)]
mod tests;

use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};

use authorization::{Authorization, Form};
use canonical::PathRules;

pub use error::SignatureError;
pub use pending::{ChunkSignatures, Payload, Pending, begin};
pub use signing_keys::SigningKeys;

/// How far the clocks of client and server may lie apart.
pub const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(5);

const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";

/// A request as it came over the wire.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// `GET`, `POST` and so on.
    pub method: &'a str,
    /// The path, still percent-encoded.
    pub path: &'a str,
    /// What follows the question mark, still percent-encoded; empty where nothing does.
    pub query: &'a str,
    /// Every header, `host` too; of a header given twice, both, in their order. Names in any case.
    pub headers: &'a [(&'a str, &'a [u8])],
    /// The whole body.
    pub body: &'a [u8],
}

impl Request<'_> {
    /// The first value of a header, where it is text.
    fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(header, _)| header.eq_ignore_ascii_case(name))?;
        str::from_utf8(value).ok().map(str::trim)
    }
}

/// What a signature says it was made for: `AKID/20150830/us-east-1/ec2/aws4_request`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// Whose key it was made with.
    pub access_key_id: String,
    /// The day, as `20150830`.
    pub date: String,
    /// The region.
    pub region: String,
    /// The service's signing name.
    pub service: String,
}

impl Scope {
    /// What a request claims, before anything of it is checked: enough to choose the protocol of an error.
    pub fn claimed(request: &Request<'_>) -> Option<Self> {
        Authorization::read(request).ok().map(|authorization| authorization.scope)
    }
}

/// The secret half of an access key.
#[derive(Clone)]
pub struct Secret {
    /// The secret access key.
    pub secret_access_key: String,
    /// The session token that a temporary key must come with; a lasting key must come without one.
    pub session_token: Option<String>,
    /// Until when a temporary key is good.
    pub expires: Option<Timestamp>,
}

/// A request whose signature is right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The key that signed.
    pub access_key_id: String,
    /// The region signed for. Any name: whether it exists is the caller's to check.
    pub region: String,
    /// The service signed for. Any name.
    pub service: String,
    /// When it was signed, by the client's clock.
    pub signed_at: Timestamp,
    /// The session token that came along, which is the one that the key's [`Secret`] asks for.
    pub session_token: Option<String>,
}

/// Checks a request's signature at the time `now`. `secret_of` looks an access key id up.
///
/// # Errors
///
/// If the request is not signed, signed in another way, for another time, with an unknown key, or altered since.
pub fn verify(
    request: &Request<'_>,
    now: Timestamp,
    secret_of: impl FnOnce(&str) -> Option<Secret>,
) -> Result<Verified, SignatureError> {
    verify_path(request, now, secret_of, PathRules::of_service)
}

fn verify_path(
    request: &Request<'_>,
    now: Timestamp,
    secret_of: impl FnOnce(&str) -> Option<Secret>,
    rules: impl FnOnce(&str) -> PathRules,
) -> Result<Verified, SignatureError> {
    let pending = pending::begin_path(request, now, secret_of, rules, pending::derive)?;
    pending.finish(&payload_hash(request, &pending.authorization)?)
}

/// What the canonical request ends with: the body's hash, or the client's word that it did not sign the body.
fn payload_hash(request: &Request<'_>, authorization: &Authorization) -> Result<String, SignatureError> {
    let body = || hexadecimal(&Sha256::digest(request.body).into());
    match request.header("x-amz-content-sha256") {
        Some(UNSIGNED_PAYLOAD) => Ok(UNSIGNED_PAYLOAD.to_owned()),
        Some(claimed) if claimed == body() => Ok(claimed.to_owned()),
        Some(_) => Err(SignatureError::DoesNotMatch),
        None if authorization.form == Form::Query && authorization.scope.service == "s3" => {
            Ok(UNSIGNED_PAYLOAD.to_owned())
        }
        None => Ok(body()),
    }
}

/// `canonical` comes in pieces.
fn string_to_sign(authorization: &Authorization, canonical: &[&[u8]]) -> String {
    let Scope { date, region, service, .. } = &authorization.scope;
    let time = &authorization.amz_date;
    let hash = canonical.iter().fold(Sha256::new(), |hash, piece| hash.chain_update(piece));
    let hash = hexadecimal(&hash.finalize().into());
    [authorization::ALGORITHM, "\n", time, "\n", date, "/", region, "/", service, "/aws4_request\n", &hash]
        .concat()
}

/// A SHA-256 in hexadecimal digits. [`hex::encode`] goes digit by digit, which takes several times as long.
pub fn hexadecimal(hash: &[u8; 32]) -> String {
    let mut digits = [0; 64];
    hex::encode_to_slice(hash, &mut digits).expect("there is room for two digits of each byte");
    str::from_utf8(&digits).expect("digits are text").to_owned()
}

fn signing_key(secret: &str, scope: &Scope) -> Vec<u8> {
    [&scope.date, &scope.region, &scope.service, "aws4_request"].iter().fold(
        format!("AWS4{secret}").into_bytes(),
        |key, part| {
            let mut mac = hmac(&key);
            mac.update(part.as_bytes());
            mac.finalize().into_bytes().to_vec()
        },
    )
}

fn hmac(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes a key of any length")
}
