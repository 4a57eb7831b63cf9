//! Names of balancers and target groups.

use super::invalid;
use crate::Error;

/// Characters of a name.
const MAX_NAME: usize = 32;

/// Check a name of a `noun`, such as `load balancer`, by AWS's rules.
pub(super) fn check(noun: &str, name: &str) -> Result<(), Error> {
    let refuse = |why: String| Err(invalid(format!("The {noun} name '{name}' {why}")));
    if name.is_empty() {
        return refuse("cannot be empty".into());
    }
    if name.chars().count() > MAX_NAME {
        return refuse(format!("cannot be longer than '{MAX_NAME}' characters"));
    }
    if !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        return refuse("can only contain characters that are alphanumeric characters and hyphens(-)".into());
    }
    if name.starts_with('-') || name.ends_with('-') {
        return refuse("cannot begin or end with a hyphen(-)".into());
    }
    Ok(())
}
