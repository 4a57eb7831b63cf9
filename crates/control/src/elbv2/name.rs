//! Names of balancers and target groups.

use super::invalid;
use crate::Error;

/// Characters of a name.
const MAX_NAME: usize = 32;

/// What a name is for. AWS's messages differ in two words.
///
/// Source: messages that users of AWS report, of both kinds.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    LoadBalancer,
    TargetGroup,
}

/// Check a name by AWS's rules.
pub(super) fn check(kind: Kind, name: &str) -> Result<(), Error> {
    let (noun, and) = match kind {
        Kind::LoadBalancer => ("The load balancer", "and"),
        Kind::TargetGroup => ("Target group", "or"),
    };
    let refuse = |why: String| Err(invalid(format!("{noun} name '{name}' {why}")));
    if name.is_empty() {
        return refuse("cannot be empty".into());
    }
    if name.chars().count() > MAX_NAME {
        return refuse(format!("cannot be longer than '{MAX_NAME}' characters"));
    }
    if !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        return refuse(format!(
            "can only contain characters that are alphanumeric characters {and} hyphens(-)"
        ));
    }
    if name.starts_with('-') || name.ends_with('-') {
        return refuse("cannot begin or end with a hyphen(-)".into());
    }
    Ok(())
}
