//! Answers in pages: `MaxRecords` and `Marker`.

use super::invalid;
use crate::Error;
use crate::page::{Limits, Page};

const LIMITS: Limits = Limits { least: 20, most: 100, clamp: false };

/// Records of a page, unless the call says how many.
const USUAL: i32 = 100;

/// The records of the page, with the marker of the next one. `items` are in the order of `key`.
pub(super) fn cut<T>(
    max_records: Option<i32>,
    marker: &Option<String>,
    items: impl IntoIterator<Item = T>,
    key: impl Fn(&T) -> String,
) -> Result<(Vec<T>, Option<String>), Error> {
    // An empty marker is how some clients ask for the first page.
    let marker = marker.clone().filter(|marker| !marker.is_empty());
    Page::new(LIMITS, Some(max_records.unwrap_or(USUAL)), &marker).cut(items, key).map_err(
        |error| match error {
            Error::InvalidNextToken(marker) => invalid(format!("Invalid value {marker} for Marker.")),
            Error::InvalidParameterValue(_) => invalid(format!(
                "Invalid value {} for MaxRecords. Must be between {} and {}",
                max_records.unwrap_or_default(),
                LIMITS.least,
                LIMITS.most
            )),
            error => error,
        },
    )
}
