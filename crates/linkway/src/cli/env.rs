//! `linkway env`.

use anyhow::{Context, Result};
use clap::Args;
use linkway_model::AccountId;

use crate::admin::client::Client;
use crate::admin::protocol::ListKeys;
use crate::cli::output;
use crate::state_dir::StateDir;

/// Print the environment that points the AWS CLI and SDKs at the daemon.
#[derive(Debug, Args)]
#[command(after_help = "Use it so:\n  eval \"$(sudo linkway env)\"")]
pub(crate) struct Env {
    /// The region that clients ask.
    #[arg(long, default_value = "us-east-1")]
    region: String,
    /// Print a key of this account; otherwise it is the first administrator's.
    #[arg(long, value_name = "ACCOUNT")]
    account: Option<AccountId>,
    /// Print this key.
    #[arg(long, value_name = "KEY", conflicts_with = "account")]
    access_key_id: Option<String>,
}

impl Env {
    /// Carry it out.
    pub(crate) fn run(&self, state: &StateDir) -> Result<()> {
        let daemon = state.read_daemon()?;
        let (id, secret) = self.key(state)?;
        // Whoever shares this machine reaches what listens on every address at the loopback one.
        let mut listen = daemon.listen;
        if listen.ip().is_unspecified() {
            listen.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
        }
        output::text(&lines(&format!("http://{listen}"), &id, &secret, &self.region))
    }

    fn key(&self, state: &StateDir) -> Result<(String, String)> {
        if self.account.is_none() && self.access_key_id.is_none() {
            return state.read_admin_key();
        }
        let keys = Client::new(state).call(&ListKeys { account: self.account.clone() })?;
        let key = keys
            .into_iter()
            .find(|key| self.access_key_id.as_ref().is_none_or(|id| *id == key.id))
            .context("there is no such key; `linkway key create` makes one")?;
        Ok((key.id, key.secret))
    }
}

/// The `export` lines.
fn lines(endpoint: &str, id: &str, secret: &str, region: &str) -> String {
    [
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_ACCESS_KEY_ID", id),
        ("AWS_SECRET_ACCESS_KEY", secret),
        ("AWS_REGION", region),
        // What the AWS CLI's first version and boto3 read in its place.
        ("AWS_DEFAULT_REGION", region),
    ]
    .map(|(name, value)| format!("export {name}={}\n", quote(value)))
    .concat()
}

/// A value as a shell takes it literally.
fn quote(value: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:+=,@".contains(c);
    if !value.is_empty() && value.chars().all(plain) {
        return value.to_owned();
    }
    format!("'{}'", value.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_survive_the_shell() {
        assert_eq!(quote("AKIA123/+="), "AKIA123/+=");
        assert_eq!(quote("a b"), "'a b'");
        assert_eq!(quote("it's $HOME"), r"'it'\''s $HOME'");
        assert_eq!(quote(""), "''");
    }

    #[test]
    fn there_is_a_line_for_every_variable() {
        assert_eq!(
            lines("http://127.0.0.1:4820", "AKIA", "s", "eu-west-1"),
            "export AWS_ENDPOINT_URL=http://127.0.0.1:4820\nexport AWS_ACCESS_KEY_ID=AKIA\n\
             export AWS_SECRET_ACCESS_KEY=s\nexport AWS_REGION=eu-west-1\n\
             export AWS_DEFAULT_REGION=eu-west-1\n"
        );
    }
}
