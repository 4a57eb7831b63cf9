//! An error as a client sees it.

/// AWS's answer to what cannot be done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ApiError {
    /// What SDKs branch on, as `InvalidVpcID.NotFound`.
    pub code: String,
    /// What people read.
    pub message: String,
    /// The HTTP status.
    pub status: u16,
}

impl ApiError {
    /// An error of the caller's making, with status 400.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), status: 400 }
    }

    /// An error of ours, which a client may retry. What went wrong goes to the log, not to the caller.
    pub fn internal() -> Self {
        Self::new("InternalError", "An internal error has occurred").with_status(500)
    }

    /// The same error under another HTTP status.
    #[must_use]
    pub fn with_status(self, status: u16) -> Self {
        Self { status, ..self }
    }
}
