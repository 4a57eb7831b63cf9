//! Refusing to delete what is in use.

use crate::Error;

/// `DependencyViolation` with AWS's words, which do not tell the users, if there are any.
pub(crate) fn refuse_if_used(words: String, users: impl IntoIterator<Item = String>) -> Result<(), Error> {
    let users: Vec<String> = users.into_iter().collect();
    if users.is_empty() {
        return Ok(());
    }
    tracing::debug!(?users, "in use");
    Err(Error::DependencyViolation(words))
}
