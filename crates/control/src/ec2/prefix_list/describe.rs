//! Lists and their ranges, as responses carry them.

use std::collections::BTreeSet;

use ipnet::IpNet;
use linkway_model::Snapshot;
use linkway_model::prefix_list::{PrefixList, PrefixListEntry, PrefixListState};
use linkway_wire::ec2::{
    DescribeManagedPrefixListsRequest, DescribeManagedPrefixListsResult, DescribePrefixListsRequest,
    DescribePrefixListsResult, Filter, GetManagedPrefixListEntriesRequest, GetManagedPrefixListEntriesResult,
    ManagedPrefixList, PrefixList as PrefixListShape, PrefixListEntry as EntryShape,
};

use super::listed::{Listed, all, find};
use crate::error::PrefixListError;
use crate::filter::{Field, Filters, fields, one};
use crate::lookup::{Owned, parse, required};
use crate::page::{Limits, Page, USUAL};
use crate::{Caller, Control, Error, tags};

const MANAGED: &[Field<Listed>] = fields! {
    "owner-id" => |_, list| one(list.owner());
    "prefix-list-id" => |_, list| one(list.id());
    "prefix-list-name" => |_, list| one(list.name());
};

const OF_SERVICES: &[Field<Listed>] = fields! {
    "prefix-list-id" => |_, list| one(list.id());
    "prefix-list-name" => |_, list| one(list.name());
};

/// What `MaxResults` of the managed lists' operations may be.
const LIMITS: Limits = Limits { least: 1, most: 100, clamp: false };

/// The lists of these ids (none: all) that match the filters. `missing` makes the error for an id of none.
fn matching(
    state: &Snapshot,
    lists: Vec<Listed>,
    ids: &[String],
    fields: &'static [Field<Listed>],
    filters: &[Filter],
    missing: impl Fn(Vec<String>) -> Error,
) -> Result<Vec<Listed>, Error> {
    let filters = Filters::new(fields, filters)?;
    for id in ids {
        parse::<PrefixList>(id)?;
    }
    let wanted: BTreeSet<&str> = ids.iter().map(String::as_str).collect();
    let known: BTreeSet<&str> = lists.iter().map(|list| list.id().as_str()).collect();
    let unknown: Vec<String> = wanted.difference(&known).map(ToString::to_string).collect();
    if !unknown.is_empty() {
        return Err(missing(unknown));
    }
    let is_wanted = |list: &Listed| {
        (wanted.is_empty() || wanted.contains(list.id().as_str()))
            && filters.matches(state, list, list.tags())
    };
    Ok(lists.iter().filter(|list| is_wanted(list)).cloned().collect())
}

/// `DescribePrefixLists`: AWS's own, by which clients find the ids of its services' lists.
pub(crate) fn describe(
    control: &Control,
    caller: &Caller,
    input: DescribePrefixListsRequest,
) -> Result<DescribePrefixListsResult, Error> {
    let state = control.read(input.dry_run)?;
    let lists: Vec<_> =
        all(&state, caller).into_iter().filter(|list| matches!(list, Listed::Aws(_))).collect();
    let missing = |ids: Vec<String>| Error::DescribedPrefixListNotFound(ids.join(", "));
    let lists = matching(&state, lists, &input.prefix_list_ids, OF_SERVICES, &input.filters, missing)?;
    let limits = Limits { clamp: true, ..USUAL };
    let page = Page::new(limits, input.max_results, &input.next_token);
    let (lists, next_token) = page.cut(lists, |list| list.id().to_string())?;
    let shape = |list: Listed| PrefixListShape {
        cidrs: current(&list).into_iter().map(|entry| entry.cidr.to_string()).collect(),
        prefix_list_id: Some(list.id().to_string()),
        prefix_list_name: Some(list.name().to_owned()),
    };
    Ok(DescribePrefixListsResult { next_token, prefix_lists: lists.into_iter().map(shape).collect() })
}

pub(crate) fn describe_managed(
    control: &Control,
    caller: &Caller,
    input: DescribeManagedPrefixListsRequest,
) -> Result<DescribeManagedPrefixListsResult, Error> {
    let state = control.read(input.dry_run)?;
    let missing = |ids| Error::NotFound { noun: PrefixList::NOUN, ids };
    let lists =
        matching(&state, all(&state, caller), &input.prefix_list_ids, MANAGED, &input.filters, missing)?;
    let page = Page::new(LIMITS, input.max_results, &input.next_token);
    let (lists, next_token) = page.cut(lists, |list| list.id().to_string())?;
    let prefix_lists = lists.iter().map(|list| shape(list, caller)).collect();
    Ok(DescribeManagedPrefixListsResult { next_token, prefix_lists })
}

fn shape(list: &Listed, caller: &Caller) -> ManagedPrefixList {
    match list {
        Listed::Own(list) => of_own(list),
        Listed::Aws(list) => ManagedPrefixList {
            address_family: Some("IPv4".into()),
            owner_id: Some("AWS".into()),
            prefix_list_arn: Some(format!("arn:aws:ec2:{}:aws:prefix-list/{}", caller.region, list.id)),
            prefix_list_id: Some(list.id.to_string()),
            prefix_list_name: Some(list.name.clone()),
            state: Some(PrefixListState::CreateComplete.name().into()),
            ..ManagedPrefixList::default()
        },
    }
}

/// A caller's list.
pub(super) fn of_own(list: &PrefixList) -> ManagedPrefixList {
    ManagedPrefixList {
        address_family: Some(list.family.name().into()),
        max_entries: i32::try_from(list.max_entries).ok(),
        owner_id: Some(list.owner.to_string()),
        prefix_list_arn: Some(list.arn()),
        prefix_list_id: Some(list.id.to_string()),
        prefix_list_name: Some(list.name.clone()),
        state: Some(list.state.name().into()),
        state_message: list.state_message.clone(),
        tags: tags::shape(&list.tags),
        version: Some(list.version()),
        ..ManagedPrefixList::default()
    }
}

fn current(list: &Listed) -> Vec<PrefixListEntry> {
    match list {
        Listed::Own(list) => list.entries().to_vec(),
        Listed::Aws(list) => {
            let entry = |cidr: IpNet| PrefixListEntry { cidr, description: None };
            list.ranges().into_iter().map(entry).collect()
        }
    }
}

pub(crate) fn get_entries(
    control: &Control,
    caller: &Caller,
    input: GetManagedPrefixListEntriesRequest,
) -> Result<GetManagedPrefixListEntriesResult, Error> {
    let state = control.read(input.dry_run)?;
    let list = find(&state, caller, required(input.prefix_list_id.as_deref(), "PrefixListId")?)?;
    let entries = match (&list, input.target_version) {
        (_, None) => current(&list),
        (Listed::Own(list), Some(number)) => {
            let version = list.versions.iter().find(|version| version.number == number);
            version.ok_or(PrefixListError::NoSuchVersion(number))?.entries.clone()
        }
        (Listed::Aws(_), Some(number)) => return Err(PrefixListError::NoSuchVersion(number).into()),
    };
    let page = Page::new(LIMITS, input.max_results, &input.next_token);
    // By place in the list, in a form whose order is that of numbers.
    let (entries, next_token) =
        page.cut(entries.into_iter().enumerate(), |(place, _)| format!("{place:06}"))?;
    let shape = |(_, entry): (usize, PrefixListEntry)| EntryShape {
        cidr: Some(entry.cidr.to_string()),
        description: entry.description,
    };
    Ok(GetManagedPrefixListEntriesResult { entries: entries.into_iter().map(shape).collect(), next_token })
}
