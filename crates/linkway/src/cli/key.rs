//! `linkway key`.

use anyhow::Result;
use clap::Subcommand;
use linkway_model::AccountId;

use crate::admin::client::Client;
use crate::admin::protocol::{CreateKey, DeleteKey, ListKeys};
use crate::cli::output::Output;
use crate::state_dir::StateDir;

/// What can be done with access keys.
#[derive(Debug, Subcommand)]
pub(crate) enum Key {
    /// Make an access key. Its secret is printed too.
    Create {
        /// Whose.
        #[arg(long, default_value = "123456789012")]
        account: AccountId,
        /// Its id. One is made up if it is not given.
        #[arg(long, value_name = "ID")]
        access_key_id: Option<String>,
        /// Its secret. One is made up if it is not given.
        #[arg(long, value_name = "SECRET")]
        secret_access_key: Option<String>,
        /// An IAM user of the account's, whom endpoint policies may name: the account's root if none is given. A user
        /// that is not there yet is made, with the policy AdministratorAccess.
        #[arg(long, value_name = "NAME")]
        user: Option<String>,
        /// A tag of the user's, such as team=blue; may be given several times.
        #[arg(long = "tag", value_name = "KEY=VALUE", value_parser = tag, requires = "user")]
        tags: Vec<(String, String)>,
        #[command(flatten)]
        output: Output,
    },
    /// List access keys, without their secrets. `linkway env --access-key-id` prints one's.
    List {
        /// Whose. Everyone's if it is not given.
        #[arg(long)]
        account: Option<AccountId>,
        #[command(flatten)]
        output: Output,
    },
    /// Delete an access key: what is signed with it is refused from then on.
    Delete {
        /// Its id.
        access_key_id: String,
    },
}

/// A key as it is listed.
#[derive(serde::Serialize)]
struct Listed {
    access_key_id: String,
    account: String,
    principal: String,
    created: String,
}

impl Key {
    /// Carry it out.
    pub(crate) fn run(self, state: &StateDir) -> Result<()> {
        let client = Client::new(state);
        match self {
            Self::Create { account, access_key_id, secret_access_key, user, tags, output } => {
                let tags = tags.into_iter().collect();
                let key =
                    client.call(&CreateKey { account, access_key_id, secret_access_key, user, tags })?;
                output.list(&[key], ["ACCESS KEY ID", "SECRET ACCESS KEY", "ACCOUNT"], |key| {
                    [key.id.clone(), key.secret.clone(), key.account.to_string()]
                })
            }
            Self::List { account, output } => {
                let keys: Vec<Listed> = client
                    .call(&ListKeys { account })?
                    .into_iter()
                    .map(|key| Listed {
                        access_key_id: key.id,
                        account: key.account.to_string(),
                        principal: key.principal,
                        created: format!("{:.0}", key.created),
                    })
                    .collect();
                output.list(&keys, ["ACCESS KEY ID", "ACCOUNT", "PRINCIPAL", "CREATED"], |key| {
                    [&key.access_key_id, &key.account, &key.principal, &key.created].map(Clone::clone)
                })
            }
            Self::Delete { access_key_id } => client.call(&DeleteKey { access_key_id }),
        }
    }
}

fn tag(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("expecting KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}
