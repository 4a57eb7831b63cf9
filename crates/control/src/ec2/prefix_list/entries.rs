//! A list's ranges, as requests give and change them.

use std::collections::HashSet;

use ipnet::IpNet;
use linkway_model::prefix_list::{AddressFamily, PrefixListEntry};
use linkway_wire::ec2::{AddPrefixListEntry, RemovePrefixListEntry};

use crate::Error;
use crate::error::PrefixListError;

/// Entries that one call may add or remove. Source: the members' limits in EC2's API model.
const MAX_IN_CALL: usize = 100;

/// Characters of an entry's description.
const MAX_DESCRIPTION: usize = 255;

/// The entries that remain of `present`, and those that a call adds to them.
pub(super) fn changed(
    present: &[PrefixListEntry],
    family: AddressFamily,
    add: &[AddPrefixListEntry],
    remove: &[RemovePrefixListEntry],
) -> Result<Vec<PrefixListEntry>, Error> {
    if add.len() > MAX_IN_CALL || remove.len() > MAX_IN_CALL {
        return Err(invalid(format!("A request may add and remove at most {MAX_IN_CALL} entries each.")));
    }
    let removed: HashSet<IpNet> =
        remove.iter().map(|entry| cidr(entry.cidr.as_deref(), family)).collect::<Result<_, _>>()?;
    let added: Vec<PrefixListEntry> =
        add.iter().map(|given| entry(given, family)).collect::<Result<_, _>>()?;
    if let Some(both) = added.iter().find(|entry| removed.contains(&entry.cidr)) {
        return Err(invalid(format!(
            "Request cannot contain Cidr {} in both AddPrefixListEntries and RemovePrefixListEntries",
            both.cidr
        )));
    }
    if let Some(unknown) = removed.iter().find(|cidr| !present.iter().any(|entry| entry.cidr == **cidr)) {
        return Err(PrefixListError::NoSuchEntry(*unknown).into());
    }
    let mut entries: Vec<_> =
        present.iter().filter(|entry| !removed.contains(&entry.cidr)).cloned().collect();
    let mut seen = HashSet::new();
    for entry in added {
        if !seen.insert(entry.cidr) {
            return Err(invalid(format!("Request cannot contain Cidr {} more than once", entry.cidr)));
        }
        match entries.iter_mut().find(|other| other.cidr == entry.cidr) {
            Some(same) if same.description == entry.description => {
                let description = entry.description.unwrap_or_default();
                return Err(PrefixListError::EntryExists { cidr: entry.cidr, description }.into());
            }
            Some(other) => other.description = entry.description,
            None => entries.push(entry),
        }
    }
    Ok(entries)
}

fn entry(given: &AddPrefixListEntry, family: AddressFamily) -> Result<PrefixListEntry, Error> {
    let description = given.description.clone().filter(|text| !text.is_empty());
    if description.as_ref().is_some_and(|text| text.chars().count() > MAX_DESCRIPTION) {
        return Err(invalid(format!("An entry's description has at most {MAX_DESCRIPTION} characters.")));
    }
    Ok(PrefixListEntry { cidr: cidr(given.cidr.as_deref(), family)?, description })
}

fn cidr(given: Option<&str>, family: AddressFamily) -> Result<IpNet, Error> {
    let given = given.unwrap_or_default();
    let cidr: IpNet = given.parse().map_err(|_| invalid(format!("The CIDR '{given}' is invalid.")))?;
    if !family.has(&cidr) {
        return Err(invalid(format!("The CIDR '{given}' is not of the address family {}.", family.name())));
    }
    Ok(cidr.trunc())
}

fn invalid(message: String) -> Error {
    Error::InvalidParameterValue(message)
}
