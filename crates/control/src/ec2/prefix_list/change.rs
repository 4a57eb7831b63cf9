//! Making, changing and deleting lists.

use linkway_model::prefix_list::{
    AddressFamily, PrefixList, PrefixListEntry, PrefixListState, PrefixListVersion,
};
use linkway_model::{PrefixListId, SecurityGroupId, Snapshot};
use linkway_store::Transaction;
use linkway_wire::ec2::{
    CreateManagedPrefixListRequest, CreateManagedPrefixListResult, DeleteManagedPrefixListRequest,
    DeleteManagedPrefixListResult, ManagedPrefixList, ModifyManagedPrefixListRequest,
    ModifyManagedPrefixListResult, RestoreManagedPrefixListVersionRequest,
    RestoreManagedPrefixListVersionResult,
};

use super::associations::users;
use super::describe::of_own;
use super::entries::changed;
use super::listed::own_list;
use crate::ec2::security_group_rule::{MAX_RULES, counted};
use crate::error::PrefixListError;
use crate::idempotency::once;
use crate::lookup::{Owned, required};
use crate::tags::specified;
use crate::{Caller, Control, Error};

/// Characters of a name.
const MAX_NAME: usize = 255;

/// Ranges that a list may have. Source: AWS's message, "Must specify a max size between 1 and 1000".
const MAX_ENTRIES: i32 = 1000;

/// Versions that are kept; older ones are let go of.
const MAX_VERSIONS: usize = 100;

pub(crate) fn create(
    control: &Control,
    caller: &Caller,
    mut input: CreateManagedPrefixListRequest,
) -> Result<CreateManagedPrefixListResult, Error> {
    let (token, dry_run, now) = (input.client_token.take(), input.dry_run.take(), control.now());
    control.write(dry_run, |tx| {
        let make = |tx: &mut Transaction| make(tx, caller, &input);
        let operation = "CreateManagedPrefixList";
        let id = once::<PrefixList>(tx, caller, now, operation, token.as_deref(), &input, make)?;
        Ok(CreateManagedPrefixListResult { prefix_list: tx.get::<PrefixList>(&id).map(|list| of_own(list)) })
    })
}

fn make(
    tx: &mut Transaction,
    caller: &Caller,
    input: &CreateManagedPrefixListRequest,
) -> Result<String, Error> {
    let name = required(input.prefix_list_name.as_deref(), "PrefixListName")?;
    check_name(name)?;
    let family = match required(input.address_family.as_deref(), "AddressFamily")? {
        "IPv4" => AddressFamily::V4,
        "IPv6" => AddressFamily::V6,
        other => {
            return Err(Error::InvalidParameterValue(format!(
                "Value ({other}) for parameter AddressFamily is invalid. Valid values: IPv4, IPv6."
            )));
        }
    };
    let max_entries = size(required(input.max_entries, "MaxEntries")?)?;
    let entries = changed(&[], family, &input.entries, &[])?;
    check_count(&entries, max_entries)?;
    let list = PrefixList {
        id: PrefixListId::random(),
        owner: caller.account.clone(),
        region: caller.region.clone(),
        name: name.to_owned(),
        family,
        max_entries,
        versions: vec![PrefixListVersion { number: 1, entries }],
        state: PrefixListState::CreateInProgress,
        state_message: None,
        since: tx.revision(),
        deleted: None,
        tags: specified(&input.tag_specifications, PrefixList::NOUN.resource_type)?,
    };
    let id = list.id.to_string();
    tx.put(list);
    Ok(id)
}

fn check_name(name: &str) -> Result<(), Error> {
    let fault = if name.is_empty() || name.chars().count() > MAX_NAME {
        format!("It must have 1 to {MAX_NAME} characters.")
    } else if name.starts_with("com.amazonaws") {
        "Names of prefix lists cannot start with com.amazonaws.".to_owned()
    } else {
        return Ok(());
    };
    Err(Error::InvalidParameterValue(format!(
        "Value ({name}) for parameter PrefixListName is invalid. {fault}"
    )))
}

fn size(given: i32) -> Result<usize, Error> {
    usize::try_from(given)
        .ok()
        .filter(|_| (1..=MAX_ENTRIES).contains(&given))
        .ok_or_else(|| Error::InvalidParameterValue("Must specify a max size between 1 and 1000".into()))
}

fn check_count(entries: &[PrefixListEntry], most: usize) -> Result<(), Error> {
    if entries.len() > most { Err(PrefixListError::Full.into()) } else { Ok(()) }
}

pub(crate) fn modify(
    control: &Control,
    caller: &Caller,
    input: ModifyManagedPrefixListRequest,
) -> Result<ModifyManagedPrefixListResult, Error> {
    let changes_entries = !input.add_entries.is_empty() || !input.remove_entries.is_empty();
    if changes_entries && input.max_entries.is_some() {
        return Err(Error::InvalidParameterCombination(
            "You cannot modify the entries and the maximum entries for the prefix list in the same request."
                .into(),
        ));
    }
    control.write(input.dry_run, |tx| {
        let before = own_list(tx, caller, required(input.prefix_list_id.as_deref(), "PrefixListId")?)?;
        check_version(&before, input.current_version)?;
        let mut list = begun(tx, &before, PrefixListState::ModifyInProgress)?;
        if let Some(name) = &input.prefix_list_name {
            check_name(name)?;
            list.name.clone_from(name);
        }
        if changes_entries {
            let entries = changed(list.entries(), list.family, &input.add_entries, &input.remove_entries)?;
            check_count(&entries, list.max_entries)?;
            add_version(&mut list, entries);
        }
        if let Some(given) = input.max_entries {
            resize(tx, &mut list, size(given)?)?;
        }
        Ok(ModifyManagedPrefixListResult { prefix_list: Some(answer(tx, list, before.version())) })
    })
}

/// What a list becomes that a change begins for: not while another one is in progress.
fn begun(tx: &Transaction, list: &PrefixList, state: PrefixListState) -> Result<PrefixList, Error> {
    if list.state.completed().is_some() {
        return Err(
            PrefixListError::IncorrectState { id: list.id.to_string(), state: list.state.name() }.into()
        );
    }
    Ok(PrefixList { state, state_message: None, since: tx.revision(), ..list.clone() })
}

fn check_version(list: &PrefixList, given: Option<i64>) -> Result<(), Error> {
    match given {
        Some(given) if given < 1 => Err(Error::InvalidParameterValue(
            "The specified value for version is not valid. The value must be greater than (1).".into(),
        )),
        Some(given) if given != list.version() => Err(PrefixListError::VersionMismatch.into()),
        _ => Ok(()),
    }
}

fn add_version(list: &mut PrefixList, entries: Vec<PrefixListEntry>) {
    list.versions.push(PrefixListVersion { number: list.version() + 1, entries });
    let old = list.versions.len().saturating_sub(MAX_VERSIONS);
    list.versions.drain(..old);
}

/// Change how many ranges a list may have. Where a group that refers to it has no room for more, AWS takes the
/// request, and the change then fails.
fn resize(state: &Snapshot, list: &mut PrefixList, max_entries: usize) -> Result<(), Error> {
    check_count(list.entries(), max_entries)?;
    let more = max_entries.saturating_sub(list.max_entries);
    let full: Vec<SecurityGroupId> =
        users(state, &list.id).into_iter().filter(|group| !has_room(state, list, group, more)).collect();
    if full.is_empty() {
        list.max_entries = max_entries;
    } else {
        list.state = PrefixListState::ModifyFailed;
        list.state_message = Some(message("do not have sufficient capacity", &full));
    }
    Ok(())
}

fn has_room(state: &Snapshot, list: &PrefixList, group: &SecurityGroupId, more: usize) -> bool {
    counted(state, group, &list.id)
        .into_iter()
        .all(|(rules, references)| rules + references * more <= MAX_RULES)
}

fn message(fault: &str, groups: &[SecurityGroupId]) -> String {
    let groups: Vec<_> = groups.iter().map(ToString::to_string).collect();
    format!("The following VPC Security Group resources {fault}: [{}].", groups.join(", "))
}

/// Keep a list, and answer with it. As on AWS, the answer has the version from before the change.
fn answer(tx: &mut Transaction, list: PrefixList, version: i64) -> ManagedPrefixList {
    let shape = ManagedPrefixList { version: Some(version), ..of_own(&list) };
    tx.put(list);
    shape
}

pub(crate) fn restore(
    control: &Control,
    caller: &Caller,
    input: RestoreManagedPrefixListVersionRequest,
) -> Result<RestoreManagedPrefixListVersionResult, Error> {
    let previous = required(input.previous_version, "PreviousVersion")?;
    let current = required(input.current_version, "CurrentVersion")?;
    control.write(input.dry_run, |tx| {
        let before = own_list(tx, caller, required(input.prefix_list_id.as_deref(), "PrefixListId")?)?;
        check_version(&before, Some(current))?;
        let mut list = begun(tx, &before, PrefixListState::RestoreInProgress)?;
        let version = before.versions.iter().find(|version| version.number == previous);
        let entries = version.ok_or(PrefixListError::NoSuchVersion(previous))?.entries.clone();
        check_count(&entries, list.max_entries)?;
        add_version(&mut list, entries);
        Ok(RestoreManagedPrefixListVersionResult { prefix_list: Some(answer(tx, list, before.version())) })
    })
}

/// Delete a list. Where groups refer to it AWS takes the request, and the deletion then fails.
pub(crate) fn delete(
    control: &Control,
    caller: &Caller,
    input: DeleteManagedPrefixListRequest,
) -> Result<DeleteManagedPrefixListResult, Error> {
    control.write(input.dry_run, |tx| {
        let before = own_list(tx, caller, required(input.prefix_list_id.as_deref(), "PrefixListId")?)?;
        let users: Vec<_> = users(tx, &before.id).into_iter().collect();
        let mut list = PrefixList { since: tx.revision(), ..PrefixList::clone(&before) };
        if users.is_empty() {
            list.state = PrefixListState::DeleteComplete;
            list.deleted = Some(control.now());
        } else {
            list.state = PrefixListState::DeleteFailed;
            list.state_message = Some(message("refer to the prefix list", &users));
        }
        let version = before.version();
        let shape = ManagedPrefixList {
            state: Some("delete-in-progress".into()),
            state_message: None,
            ..answer(tx, list, version)
        };
        Ok(DeleteManagedPrefixListResult { prefix_list: Some(shape) })
    })
}
