//! `linkway notification`.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Subcommand;

use crate::admin::client::Client;
use crate::admin::protocol::{ListWebhooks, SetWebhook, UnsetWebhook};
use crate::cli::output::{self, Output};
use crate::state_dir::StateDir;

/// What can be done about notifications' topics.
#[derive(Debug, Subcommand)]
pub(crate) enum Notification {
    /// Send what is told to a topic to a webhook, instead of what was said before. Prints the secret that messages
    /// are signed with, if it makes one.
    Set {
        /// The topic's ARN, as connection notifications name it: arn:aws:sns:REGION:ACCOUNT:NAME.
        topic: String,
        /// Where messages are posted, as this machine reaches it: http://HOST:PORT/PATH or https://HOST:PORT/PATH.
        #[arg(long, value_name = "URL")]
        webhook: String,
        /// A file with the certificates, in PEM, that an https:// receiver's own must lead to. Those that this
        /// machine trusts if it is not given.
        #[arg(long, value_name = "FILE")]
        ca: Option<PathBuf>,
        /// A file whose first line is the secret, of 16 to 256 characters. One at random if it is not given.
        #[arg(long, value_name = "FILE")]
        secret_file: Option<PathBuf>,
    },
    /// List the topics with a webhook, and how many messages wait.
    List {
        #[command(flatten)]
        output: Output,
    },
    /// Forget a topic's webhook: what it is told is in the log only.
    Unset {
        /// The topic's ARN.
        topic: String,
    },
}

impl Notification {
    /// Carry it out.
    pub(crate) fn run(self, state: &StateDir) -> Result<()> {
        let client = Client::new(state);
        let read = |path: PathBuf| {
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
        };
        match self {
            Self::Set { topic, webhook, ca, secret_file } => {
                let given = secret_file.map(read).transpose()?;
                let secret = given.map(|text| text.lines().next().unwrap_or_default().to_owned());
                let made = secret.is_none();
                let secret = client.call(&SetWebhook {
                    topic,
                    url: webhook,
                    ca: ca.map(read).transpose()?,
                    secret,
                })?;
                if made { output::text(&format!("{secret}\n")) } else { Ok(()) }
            }
            Self::List { output } => {
                let rows = client.call(&ListWebhooks {})?;
                output.list(&rows, ["TOPIC", "WEBHOOK", "WAITING"], |row| {
                    [row.topic.clone(), row.url.clone(), row.waiting.to_string()]
                })
            }
            Self::Unset { topic } => client.call(&UnsetWebhook { topic }),
        }
    }
}
