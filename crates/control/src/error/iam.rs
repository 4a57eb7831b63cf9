//! What can stand against an operation of IAM or STS, and against any operation of who may not call it.
//!
//! Sources: the errors of each action in the IAM and STS API references, with their HTTP statuses, and messages that
//! AWS's own responses carry. In most variants the message is the whole of it.

/// Why an operation of IAM or STS was refused.
#[derive(Debug, thiserror::Error)]
pub enum IamError {
    /// The account has nothing of this name.
    #[error("{0}")]
    NoSuchEntity(String),
    /// The account has something of this name.
    #[error("{0}")]
    EntityAlreadyExists(String),
    /// Something is left that has to go before.
    #[error("{0}")]
    DeleteConflict(String),
    /// A quota of IAM's.
    #[error("{0}")]
    LimitExceeded(String),
    /// No policy document, or none for this place.
    #[error("{0}")]
    MalformedPolicyDocument(String),
    /// A value that a parameter cannot have.
    #[error("{0}")]
    Validation(String),
    /// Values that do not go together.
    #[error("{0}")]
    InvalidInput(String),
    /// Session policies or tags that are too large.
    #[error("{0}")]
    PackedPolicyTooLarge(String),
    /// The caller may not do this; AWS's sentence.
    #[error("{0}")]
    AccessDenied(String),
    /// The same, as EC2 says it.
    #[error("You are not authorized to perform this operation. {0}")]
    UnauthorizedOperation(String),
    /// The same, as services say it whose errors are exceptions.
    #[error("{0}")]
    AccessDeniedException(String),
    /// Credentials that this operation does not take.
    #[error("The security token included in the request is invalid")]
    InvalidClientTokenId,
}

impl IamError {
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::NoSuchEntity(_) => "NoSuchEntity",
            Self::EntityAlreadyExists(_) => "EntityAlreadyExists",
            Self::DeleteConflict(_) => "DeleteConflict",
            Self::LimitExceeded(_) => "LimitExceeded",
            Self::MalformedPolicyDocument(_) => "MalformedPolicyDocument",
            Self::Validation(_) => "ValidationError",
            Self::InvalidInput(_) => "InvalidInput",
            Self::PackedPolicyTooLarge(_) => "PackedPolicyTooLarge",
            Self::AccessDenied(_) => "AccessDenied",
            Self::AccessDeniedException(_) => "AccessDeniedException",
            Self::UnauthorizedOperation(_) => "UnauthorizedOperation",
            Self::InvalidClientTokenId => "InvalidClientTokenId",
        }
    }

    pub(super) fn status(&self) -> u16 {
        match self {
            Self::AccessDenied(_) | Self::UnauthorizedOperation(_) | Self::InvalidClientTokenId => 403,
            Self::NoSuchEntity(_) => 404,
            Self::EntityAlreadyExists(_) | Self::DeleteConflict(_) | Self::LimitExceeded(_) => 409,
            Self::MalformedPolicyDocument(_)
            | Self::Validation(_)
            | Self::InvalidInput(_)
            | Self::AccessDeniedException(_)
            | Self::PackedPolicyTooLarge(_) => 400,
        }
    }
}
