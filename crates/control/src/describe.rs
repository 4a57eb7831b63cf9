//! The one way that resources are described: the caller's own, by ids, by filters, in pages.

use std::collections::BTreeSet;
use std::sync::Arc;

use linkway_model::Snapshot;
use linkway_wire::ec2::Filter;

use crate::filter::{Field, Filters};
use crate::lookup::{Owned, own, parse};
use crate::page::Page;
use crate::{Caller, Error};

/// The caller's resources with these ids (none: all) that match the filters, in the order of ids; and the token
/// of the next page. An id that nothing has fails the call.
pub(crate) fn select<T: Owned>(
    state: &Snapshot,
    caller: &Caller,
    ids: &[String],
    fields: &'static [Field<T>],
    filters: &[Filter],
    page: Page<'_>,
) -> Result<(Vec<Arc<T>>, Option<String>), Error> {
    let filters = Filters::new(fields, filters)?;
    let named = by_ids::<T>(state, caller, ids)?;
    let all = state.all::<T>().filter(|found| ids.is_empty() && found.belongs_to(caller));
    let matching =
        named.into_iter().chain(all).filter(|found| filters.matches(state, found, found.tags())).cloned();
    page.cut(matching, |found| found.id().to_owned())
}

/// The caller's resources with these ids, in the order of ids. All ids that nothing has are named at once.
pub(crate) fn by_ids<'a, T: Owned>(
    state: &'a Snapshot,
    caller: &Caller,
    ids: &[String],
) -> Result<Vec<&'a Arc<T>>, Error> {
    for id in ids {
        parse::<T>(id)?;
    }
    let ids: BTreeSet<&String> = ids.iter().collect();
    let (found, missing): (Vec<_>, Vec<_>) = ids
        .into_iter()
        .map(|id| own::<T>(state, caller, id).map_err(|_| id.clone()))
        .partition(Result::is_ok);
    let missing: Vec<String> = missing.into_iter().filter_map(Result::err).collect();
    if missing.is_empty() {
        Ok(found.into_iter().flatten().collect())
    } else {
        Err(Error::NotFound { noun: T::NOUN, ids: missing })
    }
}
