//! Machine images.

use crate::Error;
use crate::error::InstanceError;

/// Characters of an image's name.
const NAME_LENGTH: std::ops::RangeInclusive<usize> = 3..=128;

/// Check a new image's name.
pub(crate) fn check_name(name: &str) -> Result<(), Error> {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || "()[] ./-'@_".contains(letter);
    if NAME_LENGTH.contains(&name.chars().count()) && name.chars().all(allowed) {
        return Ok(());
    }
    Err(InstanceError::MalformedImageName.into())
}
