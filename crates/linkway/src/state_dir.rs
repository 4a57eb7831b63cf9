//! What lies where in the state directory, and in `/run`.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use linkway_model::InstanceId;
use linkway_model::account::AccessKey;
use nix::unistd::geteuid;
use serde::{Deserialize, Serialize};

/// The state directory of a daemon that was told no other.
pub(crate) const DEFAULT: &str = "/var/lib/linkway";

/// A daemon's state directory.
#[derive(Debug, Clone)]
pub(crate) struct StateDir(PathBuf);

/// What commands want to know of the daemon that uses a state directory, whether or not it runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DaemonFile {
    /// Its name, which names its namespaces and so on.
    pub(crate) name: String,
    /// Where its API listens.
    pub(crate) listen: SocketAddr,
}

impl StateDir {
    /// The state directory at `path`.
    pub(crate) fn at(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// Make the directory, if need be: keys are in there, so only its owner may read. One that somebody else could
    /// put files in is refused, also because the daemon, which lets go of root's rights, could not remove its own.
    pub(crate) fn make(&self) -> Result<()> {
        let path = self.0.display();
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.0)
            .with_context(|| format!("cannot make the state directory {path}"))?;
        let found = fs::metadata(&self.0).with_context(|| format!("cannot look at {path}"))?;
        let user = geteuid();
        if found.uid() != user.as_raw() || found.mode() & 0o022 != 0 {
            bail!(
                "other users could change the state directory {path}: make it user {user}'s, with `chown {user} \
                 {path}` and `chmod go-w {path}`, or choose another with --state-dir"
            );
        }
        Ok(())
    }

    /// The directory itself.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The socket that commands talk to the daemon through.
    pub(crate) fn socket(&self) -> PathBuf {
        self.0.join("linkway.sock")
    }

    /// The CA's certificate, in PEM.
    pub(crate) fn ca_certificate(&self) -> PathBuf {
        self.0.join("ca.pem")
    }

    /// The CA's private key, in PEM.
    pub(crate) fn ca_key(&self) -> PathBuf {
        self.0.join("ca-key.pem")
    }

    /// The first administrator's key, as lines `NAME=value`.
    pub(crate) fn admin_key(&self) -> PathBuf {
        self.0.join("admin-key")
    }

    /// The directory of the records of requests through endpoints.
    pub(crate) fn audit(&self) -> PathBuf {
        self.0.join("audit")
    }

    /// The same of a daemon that keeps no state. It is there only while such a daemon runs, or if one was killed.
    pub(crate) fn ephemeral_audit(&self) -> PathBuf {
        self.0.join("audit-ephemeral")
    }

    /// What connection notifications have told, as JSON lines. Set aside as `notifications.jsonl.1` when it is full.
    pub(crate) fn notifications_log(&self) -> PathBuf {
        self.0.join("notifications.jsonl")
    }

    /// What a detached instance writes to its standard output and error.
    pub(crate) fn console_log(&self, instance: &InstanceId) -> PathBuf {
        self.instance(instance).join("console.log")
    }

    /// The directory of an instance's own directory.
    pub(crate) fn instances(&self) -> PathBuf {
        self.0.join("instances")
    }

    /// An instance's own directory.
    pub(crate) fn instance(&self, instance: &InstanceId) -> PathBuf {
        self.instances().join(instance.as_str())
    }

    /// The directory of databases' own directories.
    pub(crate) fn databases(&self) -> PathBuf {
        self.0.join("databases")
    }

    /// The same, for a daemon whose state ends with it: of those, nothing is kept, whatever else is in here.
    pub(crate) fn ephemeral_databases(&self) -> PathBuf {
        self.0.join("databases-ephemeral")
    }

    /// The directory of the directories of instances that the API starts.
    pub(crate) fn machines(&self) -> PathBuf {
        self.0.join("machines")
    }

    /// The same, for a daemon whose state ends with it.
    pub(crate) fn ephemeral_machines(&self) -> PathBuf {
        self.0.join("machines-ephemeral")
    }

    /// The directory of the images that were imported.
    pub(crate) fn images(&self) -> PathBuf {
        self.0.join("images")
    }

    /// The same, for a daemon whose state ends with it.
    pub(crate) fn ephemeral_images(&self) -> PathBuf {
        self.0.join("images-ephemeral")
    }

    fn daemon_file(&self) -> PathBuf {
        self.0.join("daemon.json")
    }

    /// Note which daemon uses the directory.
    pub(crate) fn write_daemon(&self, daemon: &DaemonFile) -> Result<()> {
        let json = serde_json::to_vec_pretty(daemon)?;
        write_private(&self.daemon_file(), &json).context("cannot note the daemon in its state directory")
    }

    /// Which daemon uses the directory, or used it last.
    pub(crate) fn read_daemon(&self) -> Result<DaemonFile> {
        let path = self.daemon_file();
        let json = fs::read(&path).map_err(|error| self.explain(error))?;
        serde_json::from_slice(&json).with_context(|| format!("{} does not read back", path.display()))
    }

    /// Keep the administrator's key where `linkway env` finds it.
    pub(crate) fn write_admin_key(&self, key: &AccessKey) -> Result<()> {
        let text = format!("AWS_ACCESS_KEY_ID={}\nAWS_SECRET_ACCESS_KEY={}\n", key.id, key.secret);
        write_private(&self.admin_key(), text.as_bytes()).context("cannot keep the administrator's key")
    }

    /// The administrator's key: its id and its secret.
    pub(crate) fn read_admin_key(&self) -> Result<(String, String)> {
        let text = fs::read_to_string(self.admin_key()).map_err(|error| self.explain(error))?;
        let value = |name: &str| {
            text.lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
                .map(str::to_owned)
                .with_context(|| format!("{} has no {name}", self.admin_key().display()))
        };
        Ok((value("AWS_ACCESS_KEY_ID")?, value("AWS_SECRET_ACCESS_KEY")?))
    }

    /// Why nothing of a daemon can be read here, and what to do about it.
    pub(crate) fn explain(&self, error: io::Error) -> anyhow::Error {
        let path = self.0.display();
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => anyhow::anyhow!(
                "no daemon runs with the state directory {path}; start one with `linkway up`, or name another \
                 one's with --state-dir or LINKWAY_STATE_DIR"
            ),
            io::ErrorKind::PermissionDenied => {
                anyhow::anyhow!(
                    "the state directory {path} is another user's; run this command as its owner, with sudo say"
                )
            }
            _ => anyhow::Error::new(error).context(format!("cannot reach the daemon of {path}")),
        }
    }
}

/// Files of a daemon that end with the machine's run: `/run/NAME`. Instances read them, whoever they run as.
pub(crate) fn run_directory(name: &str) -> PathBuf {
    Path::new("/run").join(name)
}

/// An instance's files of this run: its `/etc/hosts`, `/etc/resolv.conf`, trust store and process.
pub(crate) fn instance_run_directory(name: &str, instance: &InstanceId) -> PathBuf {
    run_directory(name).join("instances").join(instance.as_str())
}

/// Make a directory that anyone may read, and those above it that are not there, whatever the umask.
pub(crate) fn make_readable(directory: &Path) -> Result<()> {
    let making = || format!("cannot make {}", directory.display());
    if directory.is_dir() {
        return Ok(());
    }
    if let Some(above) = directory.parent() {
        make_readable(above)?;
    }
    match fs::create_dir(directory) {
        // Two commands may be at it at the same time.
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error).with_context(making),
        _ => {}
    }
    fs::set_permissions(directory, Permissions::from_mode(0o755)).with_context(making)
}

/// Have a lock to ourselves for as long as the answer is kept. Its file is made if need be.
pub(crate) fn lock(path: &Path) -> Result<File> {
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("cannot open {}", path.display()))?;
    file.lock().with_context(|| format!("cannot lock {}", path.display()))?;
    Ok(file)
}

/// Remove a file or a directory, if it is there.
pub(crate) fn remove(path: &Path) -> Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// Write a file that only its owner may read, whole or not at all.
pub(crate) fn write_private(path: &Path, contents: &[u8]) -> io::Result<()> {
    let next = path.with_extension("next");
    match fs::remove_file(&next) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&next)?;
    file.write_all(contents)?;
    file.sync_all()?;
    fs::rename(&next, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_administrators_key_reads_back_and_is_private() {
        let directory = tempfile::tempdir().unwrap();
        let state = StateDir::at(directory.path());
        let key = AccessKey {
            id: "AKIAIOSFODNN7EXAMPLE".into(),
            secret: "wJalr=XUtnFEMI/K7MDENG".into(),
            account: "123456789012".parse().unwrap(),
            principal: "arn:aws:iam::123456789012:root".into(),
            user_key: None,
            user: None,
            inactive: false,
            created: linkway_model::Timestamp::UNIX_EPOCH,
        };
        state.write_admin_key(&key).unwrap();
        state.write_admin_key(&key).unwrap();
        assert_eq!(state.read_admin_key().unwrap(), (key.id, key.secret));
        let mode = fs::metadata(state.admin_key()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_directory_that_others_may_write_in_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let state = StateDir::at(&directory.path().join("made"));
        state.make().unwrap();
        state.make().unwrap();
        fs::set_permissions(state.path(), Permissions::from_mode(0o775)).unwrap();
        let error = state.make().unwrap_err().to_string();
        assert!(error.contains("chmod go-w"), "{error}");
    }

    #[test]
    fn an_empty_directory_is_explained() {
        let directory = tempfile::tempdir().unwrap();
        let error = StateDir::at(directory.path()).read_daemon().unwrap_err().to_string();
        assert!(error.contains("linkway up"), "{error}");
    }
}
