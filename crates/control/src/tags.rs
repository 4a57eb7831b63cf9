//! Tags that come with a request, and AWS's rules for them.

use std::collections::BTreeMap;

use linkway_model::Tags;
use linkway_wire::ec2::{Tag, TagSpecification};

use crate::Error;

/// Tags that a resource may have.
const MAX_TAGS: usize = 50;

/// Characters of a key.
const MAX_KEY: usize = 128;

/// Characters of a value.
const MAX_VALUE: usize = 256;

/// The tags that a create call gives what it makes, which is of this type.
pub(crate) fn specified(specifications: &[TagSpecification], resource_type: &str) -> Result<Tags, Error> {
    Ok(specified_by_type(specifications, &[resource_type])?.remove(resource_type).unwrap_or_default())
}

/// The same for a call that makes resources of several types: tags by type.
pub(crate) fn specified_by_type<'a>(
    specifications: &'a [TagSpecification],
    resource_types: &[&str],
) -> Result<BTreeMap<&'a str, Tags>, Error> {
    // AWS has two codes for these, by what is made.
    let invalid = |message: String| match resource_types {
        ["vpc" | "subnet" | "network-interface" | "security-group-rule"] => Error::InvalidParameter(message),
        _ => Error::InvalidParameterValue(message),
    };
    let mut tags = BTreeMap::<&str, Tags>::new();
    for specification in specifications {
        let given = specification.resource_type.as_deref().unwrap_or_default();
        if given.is_empty() {
            return Err(invalid("Tag specification resource type must have a value".into()));
        }
        if !resource_types.contains(&given) {
            return Err(invalid(format!(
                "'{given}' is not a valid taggable resource type for this operation."
            )));
        }
        if specification.tags.is_empty() {
            return Err(invalid("Tag specification must have at least one tag".into()));
        }
        add(tags.entry(given).or_default(), &specification.tags)?;
    }
    Ok(tags)
}

/// Put the request's tags to a resource's: new ones, or other values.
pub(crate) fn add(tags: &mut Tags, given: &[Tag]) -> Result<(), Error> {
    let mut seen = Tags::new();
    for tag in given {
        let key = tag.key.clone().unwrap_or_default();
        let value = tag.value.clone().unwrap_or_default();
        check(&key, &value)?;
        if seen.insert(key.clone(), value).is_some() {
            return Err(invalid(format!("Duplicate tag key '{key}' specified.")));
        }
    }
    tags.append(&mut seen);
    if tags.len() > MAX_TAGS { Err(Error::TagLimitExceeded(MAX_TAGS)) } else { Ok(()) }
}

fn check(key: &str, value: &str) -> Result<(), Error> {
    if key.is_empty() {
        return Err(invalid("Tag keys must not be empty"));
    }
    if key.to_ascii_lowercase().starts_with("aws:") {
        return Err(invalid("Tag keys starting with 'aws:' are reserved for internal use"));
    }
    if key.chars().count() > MAX_KEY {
        return Err(invalid(format!("Tag key exceeds the maximum length of {MAX_KEY} characters")));
    }
    if value.chars().count() > MAX_VALUE {
        return Err(invalid(format!("Tag value exceeds the maximum length of {MAX_VALUE} characters")));
    }
    Ok(())
}

fn invalid(message: impl Into<String>) -> Error {
    Error::InvalidParameterValue(message.into())
}

/// Tags as a response carries them.
pub(crate) fn shape(tags: &Tags) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag { key: Some(key.clone()), value: Some(value.clone()) }).collect()
}
