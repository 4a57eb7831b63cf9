//! Why a signature is refused, and AWS's words for it.

use jiff::{SignedDuration, Timestamp};

use super::CLOCK_SKEW;
use crate::{ApiError, Dialect};

/// Why a request's signature is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The request is not signed.
    #[error("the request is not signed")]
    Missing,
    /// Parts of the signature are missing or cannot be read; the text is AWS's.
    #[error("{0}")]
    Incomplete(String),
    /// The parts do not fit each other or the request; the text is AWS's.
    #[error("{0}")]
    Misplaced(String),
    /// No such access key.
    #[error("the access key is not known")]
    UnknownKey,
    /// A temporary key without its session token, a lasting key with one, or another key's token.
    #[error("the session token is not the key's")]
    WrongSessionToken,
    /// Signed by another mechanism, such as version 2 of AWS's.
    #[error("not signed by AWS4-HMAC-SHA256")]
    OtherMechanism,
    /// Temporary credentials that were good once.
    #[error("the session has expired")]
    ExpiredToken,
    /// Signed too long ago.
    #[error("signed at {signed_at}, good for {life:#}, and now it is {now}")]
    Expired {
        /// By the client's clock.
        signed_at: Timestamp,
        /// By ours.
        now: Timestamp,
        /// How long the signature was good for.
        life: SignedDuration,
    },
    /// Signed further in the future than clocks may differ.
    #[error("signed at {signed_at}, and now it is {now}")]
    NotYetCurrent {
        /// By the client's clock.
        signed_at: Timestamp,
        /// By ours.
        now: Timestamp,
    },
    /// A presigned URL's life is no number of seconds up to a week.
    #[error("X-Amz-Expires is not a number of seconds up to a week")]
    BadExpires,
    /// Another secret, or the request was altered.
    #[error("the signature does not match")]
    DoesNotMatch,
}

impl SignatureError {
    /// The error as AWS's services of this dialect spell it.
    pub fn into_error(self, dialect: Dialect) -> ApiError {
        match dialect {
            Dialect::Ec2 => self.into_ec2(),
            Dialect::Query => self.into_query(),
        }
    }

    /// The error as services spell it whose errors are exceptions.
    pub fn into_exception(self) -> ApiError {
        let code = match self {
            Self::Missing => "MissingAuthenticationTokenException",
            Self::Incomplete(_) | Self::OtherMechanism | Self::BadExpires => "IncompleteSignatureException",
            Self::UnknownKey | Self::WrongSessionToken => "UnrecognizedClientException",
            Self::ExpiredToken => "ExpiredTokenException",
            Self::Misplaced(_) | Self::Expired { .. } | Self::NotYetCurrent { .. } | Self::DoesNotMatch => {
                "InvalidSignatureException"
            }
        };
        ApiError::new(code, self.into_query().message)
    }

    fn into_ec2(self) -> ApiError {
        match self {
            Self::UnknownKey | Self::WrongSessionToken => {
                ApiError::new("AuthFailure", "AWS was not able to validate the provided access credentials")
                    .with_status(401)
            }
            Self::Expired { .. } | Self::NotYetCurrent { .. } | Self::ExpiredToken => {
                ApiError::new("RequestExpired", "Request has expired.")
            }
            other => other.into_query(),
        }
    }

    /// S3's words for what is signed in another way.
    pub const OTHER_MECHANISM: &str =
        "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.";

    fn into_query(self) -> ApiError {
        let (code, message, status) = match self {
            Self::Missing => ("MissingAuthenticationToken", "Request is missing Authentication Token".into(), 403),
            Self::Incomplete(message) => ("IncompleteSignature", message, 400),
            Self::OtherMechanism => ("IncompleteSignature", Self::OTHER_MECHANISM.into(), 400),
            Self::UnknownKey | Self::WrongSessionToken => {
                ("InvalidClientTokenId", "The security token included in the request is invalid.".into(), 403)
            }
            Self::ExpiredToken => {
                ("ExpiredToken", "The security token included in the request is expired".into(), 403)
            }
            Self::Misplaced(message) => ("SignatureDoesNotMatch", message, 403),
            Self::Expired { signed_at, now, life } => {
                let message = format!(
                    "Signature expired: {} is now earlier than {} ({} - {}.)",
                    basic(signed_at),
                    basic(now.saturating_sub(life).unwrap_or(Timestamp::MIN)),
                    basic(now),
                    length(life)
                );
                ("SignatureDoesNotMatch", message, 403)
            }
            Self::NotYetCurrent { signed_at, now } => {
                let message = format!(
                    "Signature not yet current: {} is still later than {} ({} + {}.)",
                    basic(signed_at),
                    basic(now.saturating_add(CLOCK_SKEW).unwrap_or(Timestamp::MAX)),
                    basic(now),
                    length(CLOCK_SKEW)
                );
                ("SignatureDoesNotMatch", message, 403)
            }
            Self::BadExpires => (
                "AuthorizationQueryParametersError",
                "X-Amz-Expires must be a non-negative number of at most 604800 seconds".into(),
                400,
            ),
            Self::DoesNotMatch => (
                "SignatureDoesNotMatch",
                "The request signature we calculated does not match the signature you provided. Check your AWS \
                 Secret Access Key and signing method. Consult the service documentation for details."
                    .into(),
                403,
            ),
        };
        ApiError::new(code, message).with_status(status)
    }
}

fn basic(time: Timestamp) -> String {
    time.strftime("%Y%m%dT%H%M%SZ").to_string()
}

fn length(life: SignedDuration) -> String {
    match life.as_secs() {
        seconds if seconds % 60 == 0 => format!("{} min", seconds / 60),
        seconds => format!("{seconds} sec"),
    }
}
