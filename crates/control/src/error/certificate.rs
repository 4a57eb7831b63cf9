//! What can stand against an operation of ACM.

/// Why an operation of ACM was refused.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// Nothing of the caller's has this ARN.
    #[error("Could not find certificate {0}.")]
    NotFound(String),
    /// Not a certificate's ARN.
    #[error("The certificate ARN '{0}' is invalid.")]
    InvalidArn(String),
    /// A certificate, chain or key that cannot be used; the message is the whole of it.
    #[error("{0}")]
    Validation(String),
    /// Parameters that do not go together; the message is the whole of it.
    #[error("{0}")]
    InvalidArgs(String),
    /// A listener shows it.
    #[error("Certificate {arn} in account {account} is in use.")]
    InUse {
        /// The certificate.
        arn: String,
        /// Whose it is.
        account: String,
    },
    /// A tag that cannot be one; the message is the whole of it.
    #[error("{0}")]
    InvalidTag(String),
    /// More tags than a resource may have.
    #[error("The maximum number of tags allowed on a resource has been reached: {0}")]
    TooManyTags(usize),
    /// All the certificates that an account may have in a region.
    #[error(
        "You have reached the maximum number of certificates: {0}. Delete certificates that are not in use."
    )]
    TooMany(usize),
}

impl CertificateError {
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "ResourceNotFoundException",
            Self::InvalidArn(_) => "InvalidArnException",
            Self::Validation(_) => "ValidationException",
            Self::InvalidArgs(_) => "InvalidArgsException",
            Self::InUse { .. } => "ResourceInUseException",
            Self::InvalidTag(_) => "InvalidTagException",
            Self::TooManyTags(_) => "TooManyTagsException",
            Self::TooMany(_) => "LimitExceededException",
        }
    }
}
