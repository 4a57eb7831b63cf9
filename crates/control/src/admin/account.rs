//! Accounts and access keys.

use linkway_model::account::{AccessKey, Account, EarlierUser, Quotas};
use linkway_model::aws_policy::ADMINISTRATOR_ACCESS;
use linkway_model::iam::{Named, Permissions, User};
use linkway_model::{AccountId, Snapshot, Tags, Timestamp};
use linkway_store::Transaction;

use crate::error::AdminError;
use crate::iam::remove_user;
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
            adopt_earlier_users(tx, self.now());
            if tx.get::<Account>(&id).is_none() {
                tx.put(Account {
                    id: id.clone(),
                    name: "first".into(),
                    organization: None,
                    quotas: Quotas::default(),
                    created: self.now(),
                });
            }
            match keys_of(tx, &id).into_iter().find(|key| key.user_key.is_none() && !key.inactive) {
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
            let account = Account { id, name, organization, quotas: Quotas::default(), created: self.now() };
            tx.put(account.clone());
            Ok(account)
        })
    }

    /// Change an account's quotas.
    pub fn set_quotas(&self, id: &AccountId, change: impl FnOnce(&mut Quotas)) -> Result<Account, Error> {
        self.write(None, |tx| {
            tx.update::<Account>(id, |account| change(&mut account.quotas));
            let account = tx.get::<Account>(id);
            account
                .map(|account| Account::clone(account))
                .ok_or_else(|| AdminError::AccountNotFound(id.clone()).into())
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
    let fresh = new_key(account, None, now);
    let (id, secret) = (id.unwrap_or(fresh.id), secret.unwrap_or(fresh.secret));
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
    let user = user.map(|name| user_of(tx, account, &name, tags, now)).transpose()?;
    let key = AccessKey { id, secret, ..new_key(account, user.as_ref(), now) };
    tx.put(key.clone());
    Ok(key)
}

/// A key of a user's, or of the account's root, that nobody has seen yet.
pub(crate) fn new_key(account: &AccountId, user: Option<&User>, now: Timestamp) -> AccessKey {
    AccessKey {
        // AWS's ids are written in the same alphabet, base 32, in capitals.
        id: format!("AKIA{}", linkway_model::random_label(16).to_uppercase()),
        secret: linkway_model::random_label(40),
        account: account.clone(),
        principal: user.map_or_else(|| format!("arn:aws:iam::{account}:root"), User::arn),
        user_key: user.map(|user| user.named.key.clone()),
        user: None,
        inactive: false,
        created: now,
    }
}

/// A user: the one of the name, or a new one, who may do all in the account. Tags that are given are its tags from
/// then on.
fn user_of(
    tx: &mut Transaction,
    account: &AccountId,
    name: &str,
    tags: Tags,
    now: Timestamp,
) -> Result<User, Error> {
    if !is_user_name(name) {
        return Err(AdminError::UnusableUser.into());
    }
    let mut user = match tx.get::<User>(Named::key_of(account, name)) {
        Some(user) => User::clone(user),
        None => administrator(Named::new(account, name, "/", "AIDA", now), Tags::new()),
    };
    if !tags.is_empty() {
        user.tags = tags;
    }
    tx.put(user.clone());
    Ok(user)
}

/// A user that the command line made.
fn administrator(named: Named, tags: Tags) -> User {
    User { named, tags, permissions: all_permissions(), groups: Default::default(), kept: true }
}

fn all_permissions() -> Permissions {
    Permissions { attached: [ADMINISTRATOR_ACCESS.to_owned()].into(), ..Permissions::default() }
}

/// Users of states that had them in their keys become IAM's: who they were, with what they could do.
fn adopt_earlier_users(tx: &mut Transaction, now: Timestamp) {
    let earlier: Vec<AccessKey> =
        tx.all::<AccessKey>().filter(|key| key.user.is_some()).map(|key| AccessKey::clone(key)).collect();
    for key in earlier {
        let Some(EarlierUser { name, id, tags }) = key.user else { continue };
        let named = Named { id, ..Named::new(&key.account, &name, "/", "AIDA", now) };
        let user_key = named.key.clone();
        if tx.get::<User>(&user_key).is_none() {
            tx.put(administrator(named, tags));
        }
        tx.update::<AccessKey>(&key.id, |key| {
            key.user_key = Some(user_key);
            key.user = None;
        });
    }
}

/// Users that the command line made are as they were then; others are gone, with their keys.
pub(super) fn reset_users(tx: &mut Transaction) {
    let users: Vec<User> = tx.all::<User>().map(|user| User::clone(user)).collect();
    for mut user in users {
        if user.kept {
            user.permissions = all_permissions();
            user.groups.clear();
            tx.put(user);
        } else {
            remove_user(tx, &user.named.key);
        }
    }
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
