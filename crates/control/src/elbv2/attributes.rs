//! Attributes of balancers, listeners and target groups: keys with values as text, of which the state keeps those
//! that differ from AWS's defaults.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::invalid;
use crate::Error;

/// An attribute that a resource has.
pub(super) struct Attribute {
    pub(super) key: &'static str,
    pub(super) default: &'static str,
    pub(super) accepts: Accepts,
}

/// What values an attribute takes.
pub(super) enum Accepts {
    /// `true` and `false`.
    Boolean,
    /// A whole number.
    Number(RangeInclusive<u32>),
    /// Some words.
    OneOf(&'static [&'static str]),
    /// Its default: Linkway does not do otherwise, and does not pretend to.
    OnlyDefault,
}

/// One attribute.
pub(super) const fn attribute(key: &'static str, default: &'static str, accepts: Accepts) -> Attribute {
    Attribute { key, default, accepts }
}

/// All attributes of a resource, from what the state keeps of them.
pub(super) fn all(known: &[Attribute], kept: &BTreeMap<String, String>) -> Vec<(String, String)> {
    let value = |attribute: &Attribute| {
        let value = kept.get(attribute.key).map_or(attribute.default, String::as_str);
        (attribute.key.to_owned(), value.to_owned())
    };
    known.iter().map(value).collect()
}

/// Set attributes of a `noun`, such as `Load balancer`: all, or none and an error.
pub(super) fn set(
    noun: &str,
    known: &[Attribute],
    kept: &mut BTreeMap<String, String>,
    given: impl IntoIterator<Item = (Option<String>, Option<String>)>,
) -> Result<(), Error> {
    for (key, value) in given {
        let (key, value) = (key.unwrap_or_default(), value.unwrap_or_default());
        let attribute = known
            .iter()
            .find(|attribute| attribute.key == key)
            .ok_or_else(|| invalid(format!("{noun} attribute key '{key}' is not recognized")))?;
        attribute.check(noun, &value)?;
        if value == attribute.default {
            kept.remove(&key);
        } else {
            kept.insert(key, value);
        }
    }
    Ok(())
}

impl Attribute {
    fn check(&self, noun: &str, value: &str) -> Result<(), Error> {
        let (good, wanted) = match &self.accepts {
            Accepts::Boolean => (matches!(value, "true" | "false"), "true or false".to_owned()),
            Accepts::Number(range) => (
                value.parse().is_ok_and(|number| range.contains(&number)),
                format!("a number from {} to {}", range.start(), range.end()),
            ),
            Accepts::OneOf(words) => (words.contains(&value), format!("one of {}", words.join(", "))),
            Accepts::OnlyDefault => {
                (value == self.default, format!("'{}': nothing else is supported", self.default))
            }
        };
        if good {
            return Ok(());
        }
        Err(invalid(format!(
            "{noun} attribute '{}' cannot have the value '{value}'. It must be {wanted}",
            self.key
        )))
    }
}
