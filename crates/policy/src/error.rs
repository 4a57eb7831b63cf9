//! What is wrong with a policy document that cannot be read, and where.

use std::fmt;

/// A place in a policy document: both numbers start at 1 and count characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The line, from 1.
    pub line: u32,
    /// The character in the line, from 1.
    pub column: u32,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// The sort of mistake behind a [`ParseError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ParseErrorKind {
    /// The text is not JSON.
    Json,
    /// The document has more than [`MAX_CHARACTERS`](crate::MAX_CHARACTERS) characters.
    TooLarge,
    /// A member has a name that the policy language does not have.
    UnknownElement,
    /// An element that must be there is not.
    MissingElement,
    /// An element is there twice, or together with one that excludes it.
    DuplicateElement,
    /// An element has a value that it cannot have.
    InvalidValue,
    /// A condition uses an operator that does not exist.
    UnknownOperator,
}

/// A policy document that cannot be read: where, why, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason} ({at}); {hint}")]
pub struct ParseError {
    /// Where the offending part begins.
    pub at: Position,
    /// The sort of mistake.
    pub kind: ParseErrorKind,
    /// What is wrong, without a full stop.
    pub reason: String,
    /// What would be right.
    pub hint: String,
}

impl ParseError {
    pub(crate) fn new(
        at: Position,
        kind: ParseErrorKind,
        reason: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self { at, kind, reason: reason.into(), hint: hint.into() }
    }

    /// The message of EC2's `InvalidPolicyDocument` error, which tells the place and nothing else.
    #[must_use]
    pub fn aws_message(&self) -> String {
        format!(
            "The Policy Document is not valid. Syntax error at position ({},{})",
            self.at.line, self.at.column
        )
    }
}
