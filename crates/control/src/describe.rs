//! The one way that resources are described: the caller's own, by ids, by filters, in pages.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use linkway_model::Snapshot;
use linkway_model::index::{self, Term};
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
    let after = page.after()?;
    let narrow =
        if ids.is_empty() { narrowest::<T>(state, caller, filters.narrow(T::TAGS), &after) } else { None };
    let rest = (Bound::Excluded(after.as_str()), Bound::Unbounded);
    let candidates: Box<dyn Iterator<Item = &Arc<T>>> = match &narrow {
        _ if !ids.is_empty() => Box::new(named.into_iter()),
        Some((term, texts)) if texts.len() == 1 => Box::new(state.found_after(*term, &texts[0], &after)),
        // In the order of ids, each once.
        Some((term, texts)) => {
            let found = texts.iter().flat_map(|text| state.found_after::<T>(*term, text, &after));
            Box::new(found.map(|found| (found.id(), found)).collect::<BTreeMap<_, _>>().into_values())
        }
        None => Box::new(T::table(state).range::<_, str>(rest).map(|(_, found)| found)),
    };
    let matching = candidates
        .filter(|found| found.belongs_to(caller) && filters.matches(state, found, found.tags()))
        .cloned();
    page.cut(matching, |found| found.id().to_owned())
}

/// How far resources under a term are counted, to choose between terms.
const FEW: usize = 1000;

/// The term, with its texts, under which the fewest resources are, from the one after this id on: of those that a
/// call's filters lead to, and of the caller's own. `None`: the index has none of these.
fn narrowest<T: Owned>(
    state: &Snapshot,
    caller: &Caller,
    by_filters: Vec<(Term, Vec<String>)>,
    after: &str,
) -> Option<(Term, Vec<String>)> {
    let own = T::OWNERS.map(|term| (term, vec![index::owner(&caller.account, &caller.region)]));
    let few = |(term, texts): &(Term, Vec<String>)| {
        texts.iter().flat_map(|text| state.ids_after(*term, text, after)).take(FEW).count()
    };
    let counted = by_filters.into_iter().map(|narrow| (few(&narrow), narrow));
    // Many that stand under several texts would have to be sorted; the caller's own are gone through in order.
    let fewest = counted.filter(|(count, (_, texts))| texts.len() == 1 || *count < FEW);
    fewest.min_by_key(|(count, _)| *count).map(|(_, narrow)| narrow).or(own)
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
