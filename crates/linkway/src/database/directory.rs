//! A database's directory in the state directory.
//!
//! The directory itself is root's; in it are the server's data, which are its user's, and its configuration.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, chown};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::database::engine::User;
use crate::keeper::protocol::Place;
use crate::state_dir::{StateDir, lock, remove, write_private};

/// A database's directory.
pub(crate) struct Directory(PathBuf);

/// What was done to a database, so that it is done once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Applied {
    /// Where its server was started to listen.
    pub(crate) port: Option<u16>,
    /// A digest of the administrator's password that was set last; none before roles and database were made.
    pub(crate) password: Option<String>,
}

/// Where a daemon's databases have their directories.
pub(crate) fn databases(place: &Place) -> PathBuf {
    let state = StateDir::at(&place.state);
    if place.ephemeral { state.ephemeral_databases() } else { state.databases() }
}

impl Directory {
    /// The directory of the database of this resource id.
    pub(crate) fn of(place: &Place, resource_id: &str) -> Result<Self> {
        let well_formed = resource_id.strip_prefix("db-").is_some_and(|rest| {
            !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
        });
        if !well_formed {
            bail!("{resource_id:?} is no resource id of a database");
        }
        Ok(Self(databases(place).join(resource_id)))
    }

    /// The directory itself.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The server's data.
    pub(crate) fn data(&self) -> PathBuf {
        self.0.join("data")
    }

    /// The server's data, while they are made.
    pub(crate) fn new_data(&self) -> PathBuf {
        self.0.join("data.new")
    }

    /// Its configuration, certificate and key.
    pub(crate) fn configuration(&self) -> PathBuf {
        self.0.join("conf")
    }

    /// Make it, if need be, and have it to ourselves for as long as the answer is kept: of an earlier daemon, a
    /// worker may be at it still.
    pub(crate) fn lock(&self) -> Result<File> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.0)
            .with_context(|| format!("cannot make {}", self.0.display()))?;
        lock(&self.0.join("lock"))
    }

    /// A directory inside, new and empty, of this user's alone.
    pub(crate) fn make_private(&self, path: &Path, user: &User) -> Result<()> {
        remove(path)?;
        DirBuilder::new()
            .mode(0o700)
            .create(path)
            .and_then(|()| chown(path, Some(user.uid), Some(user.gid)))
            .with_context(|| format!("cannot make {}", path.display()))
    }

    /// Write files of the configuration, which the server's user may read and nobody but root may change.
    pub(crate) fn configure(&self, files: &[(&str, String)], user: &User) -> Result<()> {
        let directory = self.configuration();
        if !directory.is_dir() {
            DirBuilder::new()
                .mode(0o750)
                .create(&directory)
                .with_context(|| format!("cannot make {}", directory.display()))?;
        }
        // Each time: whoever made it may have been killed before it came to this.
        chown(&directory, Some(0), Some(user.gid))
            .with_context(|| format!("cannot give away {}", directory.display()))?;
        for (name, text) in files {
            let (path, next) = (directory.join(name), directory.join("next"));
            remove(&next)
                .and_then(|()| {
                    let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&next)?;
                    file.write_all(text.as_bytes())?;
                    // A private key: PostgreSQL takes one only if nobody but its user can read it.
                    chown(&next, Some(user.uid), Some(user.gid))?;
                    Ok(fs::rename(&next, &path)?)
                })
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(())
    }

    /// What was done to the database.
    pub(crate) fn applied(&self) -> Applied {
        fs::read(self.0.join("applied.json"))
            .ok()
            .and_then(|json| serde_json::from_slice(&json).ok())
            .unwrap_or_default()
    }

    /// Note what was done to the database.
    pub(crate) fn write_applied(&self, applied: &Applied) -> Result<()> {
        write_private(&self.0.join("applied.json"), &serde_json::to_vec(applied)?)
            .with_context(|| format!("cannot write in {}", self.0.display()))
    }

    /// Remove it, with all data.
    pub(crate) fn remove(&self) -> Result<()> {
        remove(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(state: &Path, ephemeral: bool) -> Place {
        Place { name: "linkway".into(), state: state.to_owned(), ephemeral }
    }

    #[test]
    fn only_a_resource_id_names_a_directory() {
        let place = place(Path::new("/var/lib/linkway"), false);
        let good = Directory::of(&place, "db-ABCDEFGHIJKLMNOPQRSTUVWXY2").unwrap();
        assert_eq!(good.path(), Path::new("/var/lib/linkway/databases/db-ABCDEFGHIJKLMNOPQRSTUVWXY2"));
        for bad in ["", "db-", "db-..", "db-A/../../B", "../db-A", "db-a", "db-A\n"] {
            assert!(Directory::of(&place, bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn what_was_done_reads_back_and_goes_with_the_directory() {
        let state = tempfile::tempdir().unwrap();
        let directory = Directory::of(&place(state.path(), true), "db-A").unwrap();
        let _lock = directory.lock().unwrap();
        assert_eq!(directory.applied(), Applied::default());
        let applied = Applied { port: Some(5432), password: Some("0f".into()) };
        directory.write_applied(&applied).unwrap();
        assert_eq!(directory.applied(), applied);
        directory.remove().unwrap();
        directory.remove().unwrap();
        assert!(!state.path().join("databases-ephemeral/db-A").exists());
    }
}
