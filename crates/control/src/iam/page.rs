//! Answers in pages: `MaxItems`, `Marker` and `IsTruncated`.

use super::validate::constraint;
use crate::Error;
use crate::error::IamError;
use crate::page::{Limits, Page};

const LIMITS: Limits = Limits { least: 1, most: 1000, clamp: false };

/// Items of a page, unless the call says how many.
const USUAL: i32 = 100;

/// A page of items.
pub(super) struct Cut<T> {
    pub(super) items: Vec<T>,
    pub(super) is_truncated: Option<bool>,
    pub(super) marker: Option<String>,
}

impl<T> Cut<T> {
    /// The same page, of what `shape` makes of the items.
    pub(super) fn map<U>(self, shape: impl FnMut(T) -> U) -> Cut<U> {
        let Self { items, is_truncated, marker } = self;
        Cut { items: items.into_iter().map(shape).collect(), is_truncated, marker }
    }
}

/// The items of a page. `items` are in the order of `key`, which is unique.
pub(super) fn cut<T>(
    max_items: Option<i32>,
    marker: &Option<String>,
    items: impl IntoIterator<Item = T>,
    key: impl Fn(&T) -> String,
) -> Result<Cut<T>, Error> {
    let page = Page::new(LIMITS, Some(max_items.unwrap_or(USUAL)), marker).cut(items, key);
    let (items, marker) = page.map_err(|error| match error {
        Error::InvalidNextToken(_) => IamError::Validation("Invalid Marker.".to_owned()).into(),
        Error::InvalidParameterValue(_) => {
            let size = max_items.unwrap_or_default();
            let rule = match size < LIMITS.least {
                true => "Member must have value greater than or equal to 1",
                false => "Member must have value less than or equal to 1000",
            };
            constraint(&size.to_string(), "maxItems", rule)
        }
        error => error,
    })?;
    Ok(Cut { items, is_truncated: Some(marker.is_some()), marker })
}
