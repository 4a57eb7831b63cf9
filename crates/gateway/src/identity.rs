//! Who asks: from a request's signature to a principal.

use std::sync::Arc;

use jiff::Timestamp;
use linkway_policy::PrincipalKind;
use linkway_wire::sigv4::{self, Pending, Scope, Secret, SignatureError, SigningKeys};

use crate::{Endpoint, Service, UnknownKeys};

/// The access keys that are known.
pub trait Keys: Send + Sync {
    /// Looks an access key id up.
    fn find(&self, access_key_id: &str) -> Option<Key>;
}

/// An access key.
#[derive(Clone)]
pub struct Key {
    /// Its secret half.
    pub secret: Secret,
    /// Whose it is.
    pub principal: Arc<Principal>,
}

/// Whose an access key is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// What it is.
    pub kind: PrincipalKind,
    /// Its ARN; of a session of a role, the session's: `arn:aws:sts::…:assumed-role/ROLE/SESSION`.
    pub arn: String,
    /// Its account.
    pub account: String,
    /// Its unique id: `AIDA…`, `AROA…:SESSION`; of root, the account's number.
    pub id: String,
    /// A user's name.
    pub user_name: Option<String>,
    /// Of a session of a role, the role's ARN: `arn:aws:iam::…:role/ROLE`.
    pub role_arn: Option<String>,
    /// Its account's organization.
    pub organization: Option<String>,
    /// Its account's canonical user id, where that is known.
    pub canonical_user: Option<String>,
    /// Its tags, and its session's.
    pub tags: Vec<(String, String)>,
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// One whose signature is right.
    Known {
        /// With which key.
        access_key_id: String,
        /// Who.
        principal: Arc<Principal>,
    },
    /// One whose key is not known, so that the signature could not be checked.
    Unverified {
        /// With which key, as the request says.
        access_key_id: String,
    },
    /// One who did not sign.
    Anonymous,
}

impl Identity {
    /// Who it is, where that is known.
    pub fn principal(&self) -> Option<&Principal> {
        match self {
            Self::Known { principal, .. } => Some(principal),
            Self::Unverified { .. } | Self::Anonymous => None,
        }
    }

    /// With which key the request says that it was signed.
    pub fn access_key_id(&self) -> Option<&str> {
        match self {
            Self::Known { access_key_id, .. } | Self::Unverified { access_key_id } => Some(access_key_id),
            Self::Anonymous => None,
        }
    }
}

/// What a request's head says of who asks.
pub(crate) struct Identified {
    pub(crate) identity: Identity,
    /// What can be checked only with the body.
    pub(crate) pending: Option<Pending>,
    /// The service that the signature is for.
    pub(crate) signing_name: Option<String>,
}

impl Identified {
    fn unverified(identity: Identity, scope: Option<Scope>) -> Self {
        Self { identity, pending: None, signing_name: scope.map(|scope| scope.service) }
    }
}

/// Reads who asks, and checks what can be checked before the body is there.
///
/// # Errors
///
/// If the signature is not right, or the service does not take it.
pub(crate) fn identify(
    request: &sigv4::Request<'_>,
    endpoint: &Endpoint,
    keys: &dyn Keys,
    derived: &SigningKeys,
    now: Timestamp,
) -> Result<Identified, SignatureError> {
    let service = &endpoint.service;
    let unverified = service.unknown_keys == UnknownKeys::Unverified;
    let mut principal = None;
    let begun = derived.begin(request, now, |id| {
        let key = keys.find(id)?;
        principal = Some(key.principal);
        Some(key.secret)
    });
    match (begun, principal) {
        (Ok(pending), Some(principal)) => {
            require_scope(pending.scope(), service, &endpoint.region)?;
            let Scope { access_key_id, service, .. } = pending.scope().clone();
            let identity = Identity::Known { access_key_id, principal };
            Ok(Identified { identity, pending: Some(pending), signing_name: Some(service) })
        }
        (Ok(_), None) => Err(SignatureError::UnknownKey),
        (Err(SignatureError::Missing), _) if let Some(access_key_id) = version_two(request) => {
            if !unverified {
                return Err(SignatureError::OtherMechanism);
            }
            Ok(Identified::unverified(Identity::Unverified { access_key_id }, None))
        }
        (Err(SignatureError::Missing), _) if unverified || service.anonymous => {
            Ok(Identified::unverified(Identity::Anonymous, None))
        }
        (Err(SignatureError::UnknownKey), _) if unverified => {
            let scope = Scope::claimed(request);
            // By the service that a request is signed for it is known what it asks for.
            scope.as_ref().map_or(Ok(()), |scope| require_scope(scope, service, &endpoint.region))?;
            let access_key_id = scope.as_ref().map(|scope| scope.access_key_id.clone()).unwrap_or_default();
            Ok(Identified::unverified(Identity::Unverified { access_key_id }, scope))
        }
        (Err(SignatureError::Incomplete(_)), _) if unverified && is_of_another_kind(request) => {
            Ok(Identified::unverified(Identity::Unverified { access_key_id: String::new() }, None))
        }
        (Err(error), _) => Err(error),
    }
}

/// The key of a URL that was signed in advance by version 2 of AWS's signatures, which S3's clients still make. It is
/// somebody's, so it is not nobody's.
fn version_two(request: &sigv4::Request<'_>) -> Option<String> {
    let mut pairs = request.query.split('&').filter_map(|pair| pair.split_once('='));
    let (_, id) = pairs.find(|(name, _)| name.eq_ignore_ascii_case("AWSAccessKeyId"))?;
    Some(id.to_owned())
}

/// Whether the request proves itself otherwise than by SigV4: with a bearer token, or SigV4A.
fn is_of_another_kind(request: &sigv4::Request<'_>) -> bool {
    let header = request.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("authorization"));
    header.is_some_and(|(_, value)| !value.starts_with(b"AWS4-HMAC-SHA256"))
}

fn require_scope(scope: &Scope, service: &Service, region: &str) -> Result<(), SignatureError> {
    if let Some(expected) = service.signing_names.first()
        && !service.signing_names.contains(&scope.service)
    {
        return Err(SignatureError::Misplaced(format!(
            "Credential should be scoped to correct service: '{expected}'. "
        )));
    }
    if scope.region != region && !service.global {
        return Err(SignatureError::Misplaced(format!(
            "Credential should be scoped to a valid region, not '{}'. ",
            scope.region
        )));
    }
    Ok(())
}
