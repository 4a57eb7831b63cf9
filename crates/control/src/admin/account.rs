//! Accounts and access keys.

use linkway_model::account::{AccessKey, Account, User};
use linkway_model::{AccountId, Snapshot, Tags, Timestamp};
use linkway_store::Transaction;

use crate::error::AdminError;
use crate::{Control, Error};

/// The account that the first start makes: the one of AWS's documentation.
const FIRST_ACCOUNT: &str = "123456789012";

/// Characters of a key's id or secret.
const MAX_KEY: usize = 128;

/// A key to be made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewKey {
    /// Its id; one at random if none is given.
    pub id: Option<String>,
    /// Its secret; one at random if none is given.
    pub secret: Option<String>,
    /// Name of the user that it is of; the account's root if none is given.
    pub user: Option<String>,
    /// The user's tags.
    pub tags: Tags,
}

impl Control {
    /// The first account's key, made if there is none, and the account with it.
    pub fn bootstrap(&self) -> Result<AccessKey, Error> {
        let id: AccountId = FIRST_ACCOUNT.parse().expect("twelve digits");
        self.write(None, |tx| {
            if tx.get::<Account>(&id).is_none() {
                tx.put(Account {
                    id: id.clone(),
                    name: "first".into(),
                    organization: None,
                    created: self.now(),
                });
            }
            match keys_of(tx, &id).into_iter().next() {
                Some(key) => Ok(key),
                None => make_key(tx, &id, NewKey::default(), self.now()),
            }
        })
    }

    /// Make an account, with this number and in this organization if they are given.
    pub fn create_account(
        &self,
        id: Option<AccountId>,
        name: String,
        organization: Option<String>,
    ) -> Result<Account, Error> {
        if organization.as_deref().is_some_and(|id| !is_organization(id)) {
            return Err(AdminError::UnusableOrganization.into());
        }
        self.write(None, |tx| {
            let id = id.unwrap_or_else(|| free_account(tx));
            if tx.get::<Account>(&id).is_some() {
                return Err(AdminError::AccountExists(id).into());
            }
            let account = Account { id, name, organization, created: self.now() };
            tx.put(account.clone());
            Ok(account)
        })
    }

    /// All accounts, by number.
    pub fn accounts(&self) -> Vec<Account> {
        self.store.snapshot().all::<Account>().map(|account| Account::clone(account)).collect()
    }

    /// Make a key for an account's root, or for a user of its.
    pub fn create_key(&self, account: &AccountId, new: NewKey) -> Result<AccessKey, Error> {
        self.write(None, |tx| make_key(tx, account, new, self.now()))
    }

    /// All keys, by id.
    pub fn keys(&self) -> Vec<AccessKey> {
        self.store.snapshot().all::<AccessKey>().map(|key| AccessKey::clone(key)).collect()
    }

    /// Delete the key of this id: nobody signs with it any more.
    pub fn delete_key(&self, id: &str) -> Result<(), Error> {
        self.write(None, |tx| {
            if tx.delete::<AccessKey>(id) {
                Ok(())
            } else {
                Err(AdminError::KeyNotFound(id.to_owned()).into())
            }
        })
    }
}

/// An account's keys, oldest first.
fn keys_of(state: &Snapshot, account: &AccountId) -> Vec<AccessKey> {
    let mut keys: Vec<AccessKey> = state
        .all::<AccessKey>()
        .filter(|key| key.account == *account)
        .map(|key| AccessKey::clone(key))
        .collect();
    keys.sort_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id)));
    keys
}

fn make_key(
    tx: &mut Transaction,
    account: &AccountId,
    new: NewKey,
    now: Timestamp,
) -> Result<AccessKey, Error> {
    let NewKey { id, secret, user, tags } = new;
    if tx.get::<Account>(account).is_none() {
        return Err(AdminError::AccountNotFound(account.clone()).into());
    }
    // AWS's ids are written in the same alphabet, base 32, in capitals.
    let id = id.unwrap_or_else(|| format!("AKIA{}", linkway_model::random_label(16).to_uppercase()));
    let secret = secret.unwrap_or_else(|| linkway_model::random_label(40));
    let usable = |text: &str, allowed: fn(&u8) -> bool| {
        (1..=MAX_KEY).contains(&text.len()) && text.as_bytes().iter().all(allowed)
    };
    if !usable(&id, |byte| byte.is_ascii_alphanumeric() || *byte == b'_')
        || !usable(&secret, u8::is_ascii_graphic)
    {
        return Err(AdminError::UnusableKey.into());
    }
    if tx.get::<AccessKey>(&id).is_some() {
        return Err(AdminError::KeyExists(id).into());
    }
    let user = user.map(|name| user_of(tx, account, name, tags)).transpose()?;
    let principal = match &user {
        Some(user) => format!("arn:aws:iam::{account}:user/{}", user.name),
        None => format!("arn:aws:iam::{account}:root"),
    };
    let key = AccessKey { id, secret, account: account.clone(), principal, user, created: now };
    tx.put(key.clone());
    Ok(key)
}

/// A user: the one that other keys of the name are of, or a new one. Tags that are given are those of all its keys
/// from then on.
fn user_of(tx: &mut Transaction, account: &AccountId, name: String, tags: Tags) -> Result<User, Error> {
    if !is_user_name(&name) {
        return Err(AdminError::UnusableUser.into());
    }
    let same = |key: &AccessKey| key.user.clone().filter(|user| user.name == name);
    let keys: Vec<(String, User)> =
        keys_of(tx, account).iter().filter_map(|key| Some((key.id.clone(), same(key)?))).collect();
    let mut user = keys.first().map(|(_, user)| user.clone()).unwrap_or_else(|| User {
        id: format!("AIDA{}", linkway_model::random_label(17).to_uppercase()),
        name,
        tags: Tags::new(),
    });
    if !tags.is_empty() {
        user.tags = tags;
        for (id, _) in keys {
            tx.update::<AccessKey>(&id, |key| key.user = Some(user.clone()));
        }
    }
    Ok(user)
}

/// Source: "IAM and AWS STS quotas": letters, digits and `_+=,.@-`, at most 64.
fn is_user_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
    (1..=64).contains(&name.len()) && name.bytes().all(allowed)
}

/// Source: AWS Organizations' API reference, "Organization": `o-` and 10 to 32 small letters and digits.
fn is_organization(id: &str) -> bool {
    id.strip_prefix("o-").is_some_and(|rest| {
        (10..=32).contains(&rest.len())
            && rest.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    })
}

/// A number that no account has, at random.
fn free_account(state: &Snapshot) -> AccountId {
    loop {
        let digits = u64::from_str_radix(&linkway_model::random_hex(12), 16).expect("hexadecimal digits");
        let id = format!("{:012}", digits % 1_000_000_000_000);
        let id: AccountId = id.parse().expect("twelve digits");
        if state.get::<Account>(&id).is_none() {
            return id;
        }
    }
}
