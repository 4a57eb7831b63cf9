//! Filters of describe calls. Unlike EC2's, their values are taken as they are: no wildcards.

use linkway_wire::rds::Filter;

use super::invalid;
use crate::Error;

/// Whether an item matches all filters: any value of each. `values` gives the item's values for a filter of
/// this name.
pub(super) fn matches(filters: &[Filter], values: impl Fn(&str) -> Vec<String>) -> bool {
    filters.iter().all(|filter| {
        let has = values(name(filter));
        filter.values.iter().any(|wanted| has.iter().any(|has| has.eq_ignore_ascii_case(wanted)))
    })
}

/// Refuse filters that the operation does not have.
pub(super) fn check(filters: &[Filter], known: &[&str]) -> Result<(), Error> {
    match filters.iter().map(name).find(|name| !known.contains(name)) {
        Some(unknown) => Err(invalid(format!("Unrecognized filter name: {unknown}"))),
        None => Ok(()),
    }
}

fn name(filter: &Filter) -> &str {
    filter.name.as_deref().unwrap_or_default()
}
