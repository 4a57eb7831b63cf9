//! Names and paths.
//!
//! Source: the patterns of members in IAM's API reference.

use linkway_model::AccountId;
use linkway_model::Timestamp;
use linkway_model::iam::Named;

use super::entity::Entity;
use crate::Error;
use crate::error::IamError;

/// What a resource that is to be made is called.
pub(super) fn named<T: Entity>(
    account: &AccountId,
    given: Option<&str>,
    path: Option<&str>,
    now: Timestamp,
) -> Result<Named, Error> {
    let name = name::<T>(given)?;
    Ok(Named::new(account, name, checked_path(path)?, T::ID, now))
}

/// A name for a resource of a kind.
pub(super) fn name<T: Entity>(given: Option<&str>) -> Result<&str, Error> {
    checked_name(given.unwrap_or_default(), T::MEMBER, T::MAX_NAME)
}

pub(crate) fn checked_name<'a>(name: &'a str, member: &str, max: usize) -> Result<&'a str, Error> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
    if name.is_empty() {
        return Err(constraint(name, member, "Member must have length greater than or equal to 1"));
    }
    if name.len() > max {
        return Err(constraint(
            name,
            member,
            &format!("Member must have length less than or equal to {max}"),
        ));
    }
    if !name.bytes().all(allowed) {
        let message = format!(
            "The specified value for {member} is invalid. It must contain only alphanumeric characters and/or the \
             following: +=,.@_-"
        );
        return Err(IamError::Validation(message).into());
    }
    Ok(name)
}

/// `/`, or a path that begins and ends with a slash.
pub(super) fn checked_path(path: Option<&str>) -> Result<&str, Error> {
    let path = path.unwrap_or("/");
    let whole = path.starts_with('/') && path.ends_with('/');
    if whole && path.len() <= 512 && path.bytes().all(|byte| byte.is_ascii_graphic()) && !path.contains("//")
    {
        return Ok(path);
    }
    let message = "The specified value for path is invalid. It must begin and end with / and contain only \
                   alphanumeric characters and/or / characters.";
    Err(IamError::Validation(message.to_owned()).into())
}

/// AWS's message for a value that its model does not take.
pub(crate) fn constraint(value: &str, member: &str, rule: &str) -> Error {
    IamError::Validation(format!(
        "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: {rule}"
    ))
    .into()
}
