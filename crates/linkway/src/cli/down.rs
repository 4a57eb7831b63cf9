//! `linkway down`.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::admin::client::Client;
use crate::admin::protocol::Stop;
use crate::cli::up::name;
use crate::daemon::start::BPFFS;
use crate::daemon::{instances, lock, privileges};
use crate::instance::process;
use crate::state_dir::{StateDir, remove, run_directory};

/// How long the daemon may take to stop.
const PATIENCE: Duration = Duration::from_secs(20);

/// How often its lock is tried meanwhile.
const PERIOD: Duration = Duration::from_millis(20);

/// Stop the daemon, end its instances, remove the packet path.
#[derive(Debug, Args)]
pub(crate) struct Down {
    /// The daemon's name. If it is not given, the one that the state directory's daemon has or had, or else
    /// `linkway`.
    #[arg(long, value_parser = name)]
    name: Option<String>,
    /// Delete the state directory too: accounts, keys, the CA, every resource.
    #[arg(long)]
    delete_state: bool,
}

impl Down {
    /// Carry it out. Goes on after an error, and returns them all.
    pub(crate) fn run(self, state: &StateDir) -> Result<()> {
        privileges::require()?;
        let known = state.read_daemon().ok().map(|daemon| daemon.name);
        let own = self.name.is_none() || self.name == known;
        let name = self.name.or(known).unwrap_or_else(|| "linkway".into());
        if own && state.socket().exists() {
            // Of a daemon that was killed, the socket is still there and nobody answers.
            drop(Client::new(state).call(&Stop {}));
        }
        let _lock = wait_for_lock(&name)?;

        let instances = instances::left(&name);
        let processes: Vec<_> = instances.iter().filter_map(|(_, process)| *process).collect();
        let mut errors = Vec::new();
        errors.extend(process::end_all(&processes).err());
        instances::kill(&name, &instances);
        errors.extend(linkway_fabric::teardown(&name, Path::new(BPFFS)).into_iter().map(anyhow::Error::from));
        errors.extend(remove_run_directory(&run_directory(&name)).err());
        if own {
            // A daemon that keeps nothing was killed, and could not remove them itself.
            errors.extend(remove(&state.ephemeral_databases()).err());
            errors.extend(remove(&state.ephemeral_machines()).err());
            errors.extend(remove(&state.ephemeral_images()).err());
        }
        if self.delete_state {
            errors.extend(remove(state.path()).err());
        }
        if errors.is_empty() {
            return Ok(());
        }
        let lines: Vec<String> = errors.iter().map(|error| format!("{error:#}")).collect();
        bail!("not everything could be removed:\n{}", lines.join("\n"))
    }
}

/// Have the name to ourselves: its daemon has ended, and none starts meanwhile.
fn wait_for_lock(wanted: &str) -> Result<lock::Lock> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match lock::name(wanted) {
            Ok(lock) => return Ok(lock),
            Err(error) if Instant::now() > deadline => {
                return Err(error).with_context(|| {
                    format!("the daemon {wanted:?} does not stop; is --state-dir its state directory?")
                });
            }
            Err(_) => std::thread::sleep(PERIOD),
        }
    }
}

/// Remove what is ours in `/run`, and the directory unless something else is in there.
fn remove_run_directory(directory: &Path) -> Result<()> {
    remove(&directory.join("instances"))?;
    remove(&directory.join("lock"))?;
    match fs::remove_dir(directory) {
        Err(error) if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::DirectoryNotEmpty) => {
            Err(error).with_context(|| format!("cannot remove {}", directory.display()))
        }
        _ => Ok(()),
    }
}
