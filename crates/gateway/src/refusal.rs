//! Why a request is not answered by its service, and AWS's words for it.

use std::time::Duration;

use hyper::StatusCode;
use linkway_wire::sigv4::{CLOCK_SKEW, SignatureError};
use linkway_wire::{ApiError, Dialect};

use crate::Protocol;
use crate::protocol::ServiceError;

/// Why a request is not answered by its service.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// The message is one that two servers could read in two ways, or no HTTP of ours.
    #[error("{0}")]
    Malformed(&'static str),
    /// The Host is none of the endpoint's names.
    #[error("This endpoint is for {service}, which does not answer for the host '{host}'.")]
    WrongHost { service: String, host: String },
    /// The endpoint is gone, and its connection will be, too.
    #[error("The VPC endpoint does not exist any more.")]
    Gone,
    /// Its signature is not right.
    #[error("{0}")]
    Signature(SignatureError),
    /// The body's hash is not the one that the head claims.
    #[error("The provided 'x-amz-content-sha256' header does not match what was computed.")]
    BodyHash,
    /// The body is not what its encoding, aws-chunked, says.
    #[error("The request's body is not encoded as aws-chunked says.")]
    BodyEncoding,
    /// The body must be read to know what the request asks for, and is too large for it.
    #[error(
        "The request's body is larger than {limit} bytes, the most that is read to know what is asked for."
    )]
    BodyTooLarge { limit: usize },
    /// The body stopped arriving.
    #[error("The request's body did not arrive in time.")]
    BodyTooSlow,
    /// The client has too many bodies under way.
    #[error("This client has too many requests in progress at the same time. Reduce your request rate.")]
    TooMuchAtATime,
    /// The client broke off.
    #[error("The request's body broke off.")]
    BodyBrokeOff,
    /// The endpoint's policy denies it; the sentence is AWS's.
    #[error("{sentence}")]
    Denied { sentence: String },
    /// Nobody said where the service is.
    #[error(
        "Linkway has no backend for {service}, so nothing can answer. Set one with: \
         linkway service set {service} --backend URL"
    )]
    NoBackend { service: String },
    /// The backend does not take the connection.
    #[error("The backend of {service} cannot be reached: {reason}.")]
    Unreachable { service: String, reason: String },
    /// The backend broke off before it answered.
    #[error("The backend of {service} broke off before it answered.")]
    BackendBrokeOff { service: String },
    /// The backend does not answer.
    #[error("The backend of {service} did not {step} within {} seconds.", limit.as_secs_f32())]
    BackendTooSlow { service: String, step: &'static str, limit: Duration },
}

impl Refusal {
    /// As a service of this protocol says it.
    pub(crate) fn spell(&self, protocol: Protocol) -> ServiceError {
        let (status, code) = match self {
            Self::Signature(error) => return signature(error.clone(), protocol),
            Self::Denied { sentence } => return denied(sentence, protocol),
            Self::Malformed(_) => (400, "BadRequest"),
            Self::WrongHost { .. } => (421, "MisdirectedRequest"),
            Self::Gone => (403, "InvalidVpcEndpoint"),
            Self::BodyHash => (400, "XAmzContentSHA256Mismatch"),
            Self::BodyEncoding | Self::BodyBrokeOff => (400, "IncompleteBody"),
            Self::BodyTooLarge { .. } => (413, "RequestEntityTooLarge"),
            Self::BodyTooSlow => (408, "RequestTimeout"),
            Self::TooMuchAtATime => (503, "SlowDown"),
            // Nothing that an SDK's repeated attempts could mend: they repeat 500, 502, 503 and 504.
            Self::NoBackend { .. } => (501, "NotImplemented"),
            Self::Unreachable { .. } | Self::BackendBrokeOff { .. } => (502, "BadGateway"),
            Self::BackendTooSlow { .. } => (504, "GatewayTimeout"),
        };
        let exception = if protocol.has_exceptions() { "Exception" } else { "" };
        error(status, format!("{code}{exception}"), self.to_string())
    }
}

fn error(status: u16, code: impl Into<String>, message: impl Into<String>) -> ServiceError {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    ServiceError { status, code: code.into(), message: message.into() }
}

fn denied(sentence: &str, protocol: Protocol) -> ServiceError {
    match protocol {
        Protocol::Ec2 => error(
            403,
            "UnauthorizedOperation",
            format!("You are not authorized to perform this operation. {sentence}"),
        ),
        Protocol::Json10 | Protocol::Json11 | Protocol::Cbor => error(400, "AccessDeniedException", sentence),
        Protocol::RestJson => error(403, "AccessDeniedException", sentence),
        Protocol::Query | Protocol::RestXml | Protocol::S3 => error(403, "AccessDenied", sentence),
    }
}

fn signature(refused: SignatureError, protocol: Protocol) -> ServiceError {
    let of = |refused: SignatureError, dialect| {
        let ApiError { code, message, status, .. } = refused.into_error(dialect);
        error(status, code, message)
    };
    match protocol {
        Protocol::Ec2 => of(refused, Dialect::Ec2),
        Protocol::Query | Protocol::RestXml => of(refused, Dialect::Query),
        Protocol::S3 => s3_signature(refused),
        Protocol::Json10 | Protocol::Json11 | Protocol::RestJson | Protocol::Cbor => {
            let said = refused.into_exception();
            let status = if protocol == Protocol::RestJson { 403 } else { said.status };
            error(status, said.code, said.message)
        }
    }
}

/// Source: "Error responses" in Amazon S3's API reference.
fn s3_signature(refused: SignatureError) -> ServiceError {
    match refused {
        SignatureError::Missing => error(403, "AccessDenied", "Access Denied"),
        SignatureError::Incomplete(message) => error(400, "AuthorizationHeaderMalformed", message),
        SignatureError::Misplaced(message) => error(400, "AuthorizationHeaderMalformed", message),
        SignatureError::UnknownKey => error(
            403,
            "InvalidAccessKeyId",
            "The AWS Access Key Id you provided does not exist in our records.",
        ),
        SignatureError::WrongSessionToken => {
            error(400, "InvalidToken", "The provided token is malformed or otherwise invalid.")
        }
        SignatureError::OtherMechanism => error(400, "InvalidRequest", SignatureError::OTHER_MECHANISM),
        SignatureError::Expired { life, .. } if life != CLOCK_SKEW => {
            error(403, "AccessDenied", "Request has expired")
        }
        SignatureError::ExpiredToken => error(400, "ExpiredToken", "The provided token has expired."),
        SignatureError::Expired { .. } | SignatureError::NotYetCurrent { .. } => error(
            403,
            "RequestTimeTooSkewed",
            "The difference between the request time and the current time is too large.",
        ),
        SignatureError::BadExpires => error(
            400,
            "AuthorizationQueryParametersError",
            "X-Amz-Expires must be a non-negative number of at most 604800 seconds",
        ),
        SignatureError::DoesNotMatch => error(
            403,
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided. Check your key and \
             signing method.",
        ),
    }
}
