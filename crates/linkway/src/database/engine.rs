//! What a database server is to Linkway, whichever it is.

use std::path::Path;

use anyhow::{Context, Result, bail};
use linkway_model::database::DbEngine;
use nix::sys::signal::Signal;
use nix::unistd;

use crate::database::{mariadb, postgres};
use crate::keeper::protocol::Spec;

/// A user of the host that servers run as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct User {
    /// Its name.
    pub(crate) name: String,
    /// Its number.
    pub(crate) uid: u32,
    /// Its group's number.
    pub(crate) gid: u32,
}

/// A certificate and its key, in PEM.
pub(crate) struct Certificate {
    /// The certificate.
    pub(crate) certificate: String,
    /// The key.
    pub(crate) key: String,
}

/// A database server that is installed here. Paths that it names are those inside of the [`super::sandbox`].
pub(crate) trait Engine {
    /// The user that its package has made for it.
    fn user(&self) -> &'static str;

    /// The command that fills its empty data directory.
    fn initialise(&self) -> Vec<String>;

    /// Its configuration: files by their names.
    fn configuration(&self, spec: &Spec, certificate: Certificate) -> Vec<(&'static str, String)>;

    /// The command that is the server.
    fn serve(&self) -> Vec<String>;

    /// What makes it end at once, and in order.
    fn stop_signal(&self) -> Signal;

    /// The command that carries out SQL from its standard input as the server's own administrator. `first`: none
    /// was carried out yet.
    fn client(&self, spec: &Spec, first: bool) -> Vec<String>;

    /// SQL that makes roles and the database. May be carried out again.
    fn first_statements(&self, spec: &Spec) -> String;

    /// SQL that sets the administrator's password, and gives back what else was lost of it.
    fn password_statements(&self, spec: &Spec) -> String;

    /// Directories of the host that its user may read and a server of ours has no business in.
    fn hidden(&self) -> &'static [&'static str];
}

/// The server for a database.
pub(crate) fn of(spec: &Spec) -> Result<Box<dyn Engine>> {
    match spec.engine {
        DbEngine::Postgres => Ok(Box::new(postgres::Postgres::find(&spec.version)?)),
        DbEngine::MariaDb => Ok(Box::new(mariadb::MariaDb::find()?)),
        DbEngine::MySql => bail!("no MySQL server is run here"),
    }
}

/// A user, by its name.
pub(crate) fn user(name: &str) -> Result<User> {
    let found = unistd::User::from_name(name)
        .with_context(|| format!("cannot look up the user {name}"))?
        .with_context(|| format!("there is no user {name}; the server's package makes it"))?;
    if found.uid.is_root() {
        bail!("the user {name} is root, and a server shall not be");
    }
    Ok(User { name: name.to_owned(), uid: found.uid.as_raw(), gid: found.gid.as_raw() })
}

/// A path as a word of a command.
pub(crate) fn word(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
