//! Refusing to delete what is in use.

use crate::Error;

/// Users that a message names; more are counted.
const NAMED: usize = 5;

/// `DependencyViolation` with AWS's words, and with the ids of what is in the way, if anything is.
pub(crate) fn refuse_if_used(words: String, users: impl IntoIterator<Item = String>) -> Result<(), Error> {
    let users: Vec<String> = users.into_iter().collect();
    if users.is_empty() {
        return Ok(());
    }
    let named = users.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    let more = match users.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Err(Error::DependencyViolation(format!("{words} In use by: {named}{more}.")))
}
