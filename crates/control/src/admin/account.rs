//! Accounts and access keys.

use linkway_model::account::{AccessKey, Account};
use linkway_model::{AccountId, Snapshot, Timestamp};
use linkway_store::Transaction;

use crate::error::AdminError;
use crate::{Control, Error};

/// The account that the first start makes: the one of AWS's documentation.
const FIRST_ACCOUNT: &str = "123456789012";

/// Characters of a key's id or secret.
const MAX_KEY: usize = 128;

impl Control {
    /// The first account's key, made if there is none, and the account with it.
    pub fn bootstrap(&self) -> Result<AccessKey, Error> {
        let id: AccountId = FIRST_ACCOUNT.parse().expect("twelve digits");
        self.write(None, |tx| {
            if tx.get::<Account>(&id).is_none() {
                tx.put(Account { id: id.clone(), name: "first".into(), created: self.now() });
            }
            match keys_of(tx, &id).into_iter().next() {
                Some(key) => Ok(key),
                None => make_key(tx, &id, None, None, self.now()),
            }
        })
    }

    /// Make an account, with this number if one is given.
    pub fn create_account(&self, id: Option<AccountId>, name: String) -> Result<Account, Error> {
        self.write(None, |tx| {
            let id = id.unwrap_or_else(|| free_account(tx));
            if tx.get::<Account>(&id).is_some() {
                return Err(AdminError::AccountExists(id).into());
            }
            let account = Account { id, name, created: self.now() };
            tx.put(account.clone());
            Ok(account)
        })
    }

    /// All accounts, by number.
    pub fn accounts(&self) -> Vec<Account> {
        self.store.snapshot().all::<Account>().map(|account| Account::clone(account)).collect()
    }

    /// Make a key for an account's root, with this id and secret if they are given.
    pub fn create_key(
        &self,
        account: &AccountId,
        id: Option<String>,
        secret: Option<String>,
    ) -> Result<AccessKey, Error> {
        self.write(None, |tx| make_key(tx, account, id, secret, self.now()))
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
    id: Option<String>,
    secret: Option<String>,
    now: Timestamp,
) -> Result<AccessKey, Error> {
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
    let key = AccessKey {
        id,
        secret,
        account: account.clone(),
        principal: format!("arn:aws:iam::{account}:root"),
        created: now,
    };
    tx.put(key.clone());
    Ok(key)
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
