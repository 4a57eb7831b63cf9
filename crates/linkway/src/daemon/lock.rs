//! Locks against a second daemon of the same state directory, or of the same name.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::state_dir::{StateDir, make_readable, run_directory};

/// Held for as long as the daemon runs, however it ends.
pub(crate) struct Lock {
    _file: File,
}

/// Lock a name: it names namespaces and tables, which two daemons would fight over.
pub(crate) fn name(name: &str) -> Result<Lock> {
    let directory = run_directory(name);
    make_readable(&directory)?;
    match take(&directory.join("lock"))? {
        Some(lock) => Ok(lock),
        None => bail!("a daemon named {name:?} runs on this machine already; give this one another --name"),
    }
}

/// Lock the state directory of a daemon that keeps no state, by the file that one with a state locks.
pub(crate) fn ephemeral_state(state: &StateDir) -> Result<Lock> {
    match take(&state.path().join("lock"))? {
        Some(lock) => Ok(lock),
        None => bail!(
            "{} is in use by another daemon; give this one a --state-dir of its own",
            state.path().display()
        ),
    }
}

fn take(path: &Path) -> Result<Option<Lock>> {
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("cannot open {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(Lock { _file: file })),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("cannot lock {}", path.display()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_had_once_and_again_after() {
        let directory = tempfile::tempdir().unwrap();
        let state = StateDir::at(directory.path());
        let lock = ephemeral_state(&state).unwrap();
        let error = ephemeral_state(&state).map(drop).unwrap_err().to_string();
        assert!(error.contains("--state-dir"), "{error}");
        drop(lock);
        ephemeral_state(&state).unwrap();
    }
}
