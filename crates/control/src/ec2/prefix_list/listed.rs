//! The lists that a caller may name: their own, and AWS's of the region.

use std::sync::Arc;

use linkway_model::aws_prefix_list::AwsPrefixList;
use linkway_model::prefix_list::{PrefixList, PrefixListState};
use linkway_model::{PrefixListId, Snapshot, Tags};

use crate::lookup::{Owned, not_found, parse};
use crate::{Caller, Error};

/// A list, whoever made it.
#[derive(Debug, Clone)]
pub(crate) enum Listed {
    Own(Arc<PrefixList>),
    Aws(AwsPrefixList),
}

/// Who owns AWS's own lists, as its responses write it.
const AWS: &str = "AWS";

impl Listed {
    pub(super) fn id(&self) -> &PrefixListId {
        match self {
            Self::Own(list) => &list.id,
            Self::Aws(list) => &list.id,
        }
    }

    pub(super) fn name(&self) -> &str {
        match self {
            Self::Own(list) => &list.name,
            Self::Aws(list) => &list.name,
        }
    }

    pub(super) fn owner(&self) -> &str {
        match self {
            Self::Own(list) => list.owner.as_str(),
            Self::Aws(_) => AWS,
        }
    }

    pub(super) fn tags(&self) -> &Tags {
        static NONE: Tags = Tags::new();
        match self {
            Self::Own(list) => &list.tags,
            Self::Aws(_) => &NONE,
        }
    }
}

/// All lists that a caller may name, in the order of ids; also those that were deleted a moment ago.
pub(super) fn all(state: &Snapshot, caller: &Caller) -> Vec<Listed> {
    let own = state.all::<PrefixList>().filter(|list| list.belongs_to(caller)).cloned().map(Listed::Own);
    let mut lists: Vec<_> =
        own.chain(AwsPrefixList::all(&caller.region).into_iter().map(Listed::Aws)).collect();
    lists.sort_by(|a, b| a.id().cmp(b.id()));
    lists
}

/// The list of an id. One that was deleted is not there.
pub(crate) fn find(state: &Snapshot, caller: &Caller, id: &str) -> Result<Listed, Error> {
    let parsed = parse::<PrefixList>(id)?;
    if let Some(list) = AwsPrefixList::find(&caller.region, &parsed) {
        return Ok(Listed::Aws(list));
    }
    let own = state
        .get::<PrefixList>(&parsed)
        .filter(|list| list.belongs_to(caller) && list.state != PrefixListState::DeleteComplete);
    own.cloned().map(Listed::Own).ok_or_else(|| not_found::<PrefixList>(id))
}

/// A list of the caller's own, to change. AWS's lists are nobody's to change.
pub(super) fn own_list(state: &Snapshot, caller: &Caller, id: &str) -> Result<Arc<PrefixList>, Error> {
    match find(state, caller, id)? {
        Listed::Own(list) => Ok(list),
        Listed::Aws(list) => {
            Err(Error::OperationNotPermitted(format!("The prefix list {} is managed by AWS.", list.id)))
        }
    }
}

/// How many rules a rule that refers to a list counts as: the ranges that it may have.
pub(crate) fn weight(state: &Snapshot, region: &str, id: &PrefixListId) -> usize {
    match state.get::<PrefixList>(id) {
        Some(list) => list.max_entries,
        None => AwsPrefixList::find(region, id).map_or(0, |list| list.ranges().len()),
    }
}
