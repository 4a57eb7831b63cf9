//! Aliases of accounts.

use linkway_model::iam::AccountAlias;
use linkway_wire::iam::*;

use super::page::{Cut, cut};
use super::validate::constraint;
use crate::error::IamError;
use crate::{Caller, Control, Error};

/// An account has one alias: another one takes its place.
pub(super) fn create_alias(
    control: &Control,
    caller: &Caller,
    input: CreateAccountAliasRequest,
) -> Result<(), Error> {
    let alias = checked(input.account_alias)?;
    control.write(None, |tx| {
        match tx.get::<AccountAlias>(&alias) {
            Some(there) if there.account != caller.account => {
                let message = format!("The account alias {alias} already exists.");
                return Err(IamError::EntityAlreadyExists(message).into());
            }
            _ => {}
        }
        let others: Vec<String> = own(tx, caller).filter(|other| *other != alias).collect();
        for other in others {
            tx.delete::<AccountAlias>(other);
        }
        tx.put(AccountAlias { alias, account: caller.account.clone() });
        Ok(())
    })
}

pub(super) fn delete_alias(
    control: &Control,
    caller: &Caller,
    input: DeleteAccountAliasRequest,
) -> Result<(), Error> {
    let alias = input.account_alias.unwrap_or_default();
    control.write(None, |tx| {
        if !own(tx, caller).any(|own| own == alias) {
            let message = format!("The account alias {alias} cannot be found.");
            return Err(IamError::NoSuchEntity(message).into());
        }
        tx.delete::<AccountAlias>(&alias);
        Ok(())
    })
}

pub(super) fn list_aliases(
    control: &Control,
    caller: &Caller,
    input: ListAccountAliasesRequest,
) -> Result<ListAccountAliasesResponse, Error> {
    let state = control.read(None)?;
    let page = cut(input.max_items, &input.marker, own(&state, caller), Clone::clone)?;
    let Cut { items, is_truncated, marker } = page;
    Ok(ListAccountAliasesResponse { account_aliases: items, is_truncated, marker })
}

fn own<'a>(state: &'a linkway_model::Snapshot, caller: &'a Caller) -> impl Iterator<Item = String> + 'a {
    state
        .all::<AccountAlias>()
        .filter(|alias| alias.account == caller.account)
        .map(|alias| alias.alias.clone())
}

/// Small letters, digits and single hyphens inside; 3 to 63, and no account's number.
fn checked(alias: Option<String>) -> Result<String, Error> {
    let alias = alias.unwrap_or_default();
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let is_account = alias.len() == 12 && alias.bytes().all(|byte| byte.is_ascii_digit());
    let whole = (3..=63).contains(&alias.len())
        && alias.bytes().all(allowed)
        && !alias.starts_with('-')
        && !alias.ends_with('-')
        && !alias.contains("--")
        && !is_account;
    if whole {
        return Ok(alias);
    }
    let rule = "Member must satisfy regular expression pattern: ^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$";
    Err(constraint(&alias, "accountAlias", rule))
}
