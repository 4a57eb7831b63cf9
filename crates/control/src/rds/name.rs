//! Names of this service's resources.

use super::invalid;
use crate::Error;

/// Characters of a DB instance's name.
pub(super) const MAX_INSTANCE: usize = 63;

/// Characters of a group's name.
pub(super) const MAX_GROUP: usize = 255;

/// Check what `parameter` gives as an identifier, and return it as AWS keeps it: in lower case.
pub(super) fn identifier(parameter: &str, name: Option<&str>, most: usize) -> Result<String, Error> {
    let name = required(parameter, name)?;
    if name.len() > most {
        return Err(invalid(format!(
            "The parameter {parameter} is not a valid identifier because it is longer than {most} characters."
        )));
    }
    let allowed = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let begins = name.starts_with(|letter: char| letter.is_ascii_alphabetic());
    if !allowed || !begins || name.ends_with('-') || name.contains("--") {
        return Err(invalid(format!(
            "The parameter {parameter} is not a valid identifier. Identifiers must begin with a letter; must contain \
             only ASCII letters, digits, and hyphens; and must not end with a hyphen or contain two consecutive hyphens."
        )));
    }
    Ok(name.to_ascii_lowercase())
}

/// Check a DB subnet group's name, which may have more kinds of characters.
pub(super) fn subnet_group(name: Option<&str>) -> Result<String, Error> {
    let name = required("DBSubnetGroupName", name)?;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._- ".contains(&byte);
    let begins = name.starts_with(|letter: char| letter.is_ascii_alphabetic());
    if name.len() > MAX_GROUP || !begins || !name.bytes().all(allowed) || name.eq_ignore_ascii_case("default")
    {
        return Err(invalid(format!(
            "The parameter DBSubnetGroupName is not a valid identifier. It must begin with a letter; must contain at \
             most {MAX_GROUP} ASCII letters, digits, periods, underscores, spaces, and hyphens; and must not be default."
        )));
    }
    Ok(name.to_ascii_lowercase())
}

/// A text that must be there.
pub(super) fn required<'a>(parameter: &str, text: Option<&'a str>) -> Result<&'a str, Error> {
    text.filter(|text| !text.is_empty())
        .ok_or_else(|| invalid(format!("The parameter {parameter} must be provided and must not be blank.")))
}
