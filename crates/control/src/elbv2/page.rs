//! Answers in pages: `PageSize` and `Marker`.

use super::invalid;
use crate::Error;
use crate::page::{Limits, Page};

const LIMITS: Limits = Limits { least: 1, most: 400, clamp: false };

/// All items, or those of the page, with the marker of the next one. `items` are in the order of `key`.
pub(super) fn cut<T>(
    page_size: Option<i32>,
    marker: &Option<String>,
    items: impl IntoIterator<Item = T>,
    key: impl Fn(&T) -> String,
) -> Result<(Vec<T>, Option<String>), Error> {
    Page::new(LIMITS, page_size, marker).cut(items, key).map_err(|error| match error {
        Error::InvalidNextToken(marker) => invalid(format!("The marker '{marker}' is not valid")),
        Error::InvalidParameterValue(_) => invalid(format!(
            "1 validation error detected: Value '{}' at 'pageSize' failed to satisfy constraint: Member must have \
             value between {} and {}",
            page_size.unwrap_or_default(),
            LIMITS.least,
            LIMITS.most
        )),
        error => error,
    })
}
