//! Answers in pages: `MaxRecords` and `Marker`.

use super::invalid;
use crate::Error;
use crate::page::{Limits, Page};

/// Records of a page: fewest, and unless the call says how many.
const LEAST: i32 = 20;
const USUAL: i32 = 100;

/// Most records of a page.
const MOST: i32 = 100;

/// The records of the page, with the marker of the next one. `items` are in the order of `key`.
pub(super) fn cut<T>(
    max_records: Option<i32>,
    marker: &Option<String>,
    items: impl IntoIterator<Item = T>,
    key: impl Fn(&T) -> String,
) -> Result<(Vec<T>, Option<String>), Error> {
    cut_at(MOST, max_records, marker, items, key)
}

/// The same, with at most this many records a page.
pub(super) fn cut_at<T>(
    most: i32,
    max_records: Option<i32>,
    marker: &Option<String>,
    items: impl IntoIterator<Item = T>,
    key: impl Fn(&T) -> String,
) -> Result<(Vec<T>, Option<String>), Error> {
    // An empty marker is how some clients ask for the first page.
    let marker = marker.clone().filter(|marker| !marker.is_empty());
    let limits = Limits { least: LEAST, most, clamp: false };
    let page = Page::new(limits, Some(max_records.unwrap_or(USUAL)), &marker);
    page.cut(items, key).map_err(|error| match error {
        Error::InvalidNextToken(marker) => invalid(format!("Invalid value {marker} for Marker.")),
        Error::InvalidParameterValue(_) => invalid(format!(
            "Invalid value {} for MaxRecords. Must be between {LEAST} and {most}",
            max_records.unwrap_or_default()
        )),
        error => error,
    })
}
