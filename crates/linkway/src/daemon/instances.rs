//! Watching over instances: noticing that one has ended, and ending those that shall.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::str::FromStr;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use linkway_control::Control;
use linkway_model::database::DbInstance;
use linkway_model::instance::{Instance, InstanceState, Process};
use linkway_model::{InstanceId, Snapshot};
use linkway_store::Store;
use nix::sys::signal::Signal;

use crate::daemon::Daemon;
use crate::instance::files::Files;
use crate::instance::process::{self, GRACE};
use crate::state_dir::{instance_run_directory, run_directory};
use crate::stop::Stop;

/// How often processes are looked at.
const PERIOD: Duration = Duration::from_secs(1);

/// How often while an instance is being ended: somebody waits for it.
const BUSY_PERIOD: Duration = Duration::from_millis(50);

/// Instances that are being ended: when they were sent SIGTERM, and whether SIGKILL too.
type Ending = HashMap<InstanceId, (Instant, bool)>;

/// Watch over instances until `stop` turns true.
pub(crate) async fn watch(daemon: Arc<Daemon>, mut stop: Stop) {
    let mut snapshots = daemon.store.subscribe();
    let mut ending = Ending::new();
    loop {
        let seen = Arc::clone(&snapshots.borrow_and_update());
        let worker = Arc::clone(&daemon);
        // Looking reads files, and what is noticed is written to the disk.
        let looked = tokio::task::spawn_blocking(move || {
            look(&worker, &mut ending);
            ending
        });
        ending = match looked.await {
            Ok(ending) => ending,
            Err(error) => {
                tracing::error!(%error, "looking after instances failed");
                Ending::new()
            }
        };
        let period = if ending.is_empty() { PERIOD } else { BUSY_PERIOD };
        tokio::select! {
            () = tokio::time::sleep(period) => {}
            Ok(_) = snapshots.wait_for(|state| !state.same::<Instance>(&seen)) => {}
            () = stop.wait() => return,
        }
    }
}

fn look(daemon: &Daemon, ending: &mut Ending) {
    // Taken before the state is, so that every instance in there that is being launched has its launcher here.
    let mut launchers = daemon.launchers.lock().unwrap_or_else(PoisonError::into_inner);
    let state = daemon.store.snapshot();
    launchers.retain(|id, _| state.get::<Instance>(id).is_some_and(|i| i.state == InstanceState::Pending));
    for instance in state.all::<Instance>().filter(|instance| instance.launch.is_none()) {
        match instance.state {
            InstanceState::Pending => {
                if !launchers.get(&instance.id).is_some_and(|launcher| process::is_alive(*launcher)) {
                    ended(&daemon.control, &instance.id, "its launch was broken off");
                }
            }
            InstanceState::Running => {
                if !instance.process.is_some_and(process::is_alive) {
                    ended(&daemon.control, &instance.id, "its process has ended");
                }
            }
            InstanceState::ShuttingDown => match instance.process.filter(|p| process::is_alive(*p)) {
                Some(process) => end(&instance.id, process, ending),
                None => {
                    ending.remove(&instance.id);
                    ended(&daemon.control, &instance.id, "it was terminated");
                }
            },
            InstanceState::Stopping | InstanceState::Stopped | InstanceState::Terminated => {
                ending.remove(&instance.id);
            }
        }
    }
    ending.retain(|id, _| state.get::<Instance>(id).is_some());
    remove_old_files(daemon, &state);
}

/// Note the instances that ended while no daemon ran: all of them, if the machine has booted since. What is not known
/// to have ended would be given its namespace and its interface again.
pub(crate) fn end_dead(control: &Control, store: &Store) {
    for instance in store.snapshot().all::<Instance>().filter(|instance| instance.launch.is_none()) {
        match instance.state {
            InstanceState::Pending => ended(control, &instance.id, "its launch was broken off"),
            InstanceState::Running if !instance.process.is_some_and(process::is_alive) => {
                ended(control, &instance.id, "its process has ended");
            }
            InstanceState::ShuttingDown if !instance.process.is_some_and(process::is_alive) => {
                ended(control, &instance.id, "it was terminated");
            }
            _ => {}
        }
    }
}

/// Remove the files of instances that have ended, and the consoles of those that are forgotten.
fn remove_old_files(daemon: &Daemon, state: &Snapshot) {
    end_strays(&daemon.settings.name, &daemon.store, Rights::None);
    for id in listed(&daemon.settings.state.instances()) {
        if state.get::<Instance>(&id).is_none() {
            remove(&daemon.settings.state.instance(&id));
        }
    }
}

/// Ask it to end; insist once it has had its time.
fn end(id: &InstanceId, process: Process, ending: &mut Ending) {
    let (signal, next) = match ending.get(id) {
        None => (Signal::SIGTERM, (Instant::now(), false)),
        Some((since, false)) if since.elapsed() > GRACE => (Signal::SIGKILL, (*since, true)),
        Some(_) => return,
    };
    if let Err(error) = process::signal(process, signal) {
        tracing::warn!(instance = %id, %error, "{signal} could not be sent");
    }
    ending.insert(id.clone(), next);
}

fn ended(control: &Control, id: &InstanceId, reason: &str) {
    tracing::info!(instance = %id, reason, "an instance has ended");
    if let Err(error) = control.ended(id, reason) {
        tracing::error!(instance = %id, %error, "an instance's end could not be recorded");
    }
}

/// Remove an instance's files of this run, if they are there.
fn remove_files(name: &str, id: &InstanceId) {
    remove(&instance_run_directory(name, id));
}

fn remove(directory: &Path) {
    if let Err(error) = fs::remove_dir_all(directory)
        && error.kind() != ErrorKind::NotFound
    {
        tracing::warn!(directory = %directory.display(), %error, "an instance's files could not be removed");
    }
}

/// What the caller of [`end_strays`] may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rights {
    /// It is a thread of the daemon's, which cannot end what the API has started: that is another user's.
    None,
    /// It has the rights that the daemon was started with.
    All,
}

/// Remove the files of instances that have ended, or that the state does not know: of an ephemeral daemon that is
/// gone, or of before a reset. What still runs of them is killed, as nobody could find it without its files.
pub(crate) fn end_strays(name: &str, store: &Store, rights: Rights) {
    let is_machine = |id: &InstanceId| Files::at(&instance_run_directory(name, id)).read_boot().is_some();
    let mut found = with_files(name);
    found.retain(|id| rights == Rights::All || !is_machine(id));
    // Later than the files, so that every instance in there that is launched at this moment is known.
    let state = store.snapshot();
    let databases: HashSet<&InstanceId> =
        state.all::<DbInstance>().map(|database| &database.instance).collect();
    let over = |id: &InstanceId| {
        let ended = |instance: &Arc<Instance>| instance.state == InstanceState::Terminated;
        state.get::<Instance>(id).is_none_or(ended) && !databases.contains(id)
    };
    kill(name, &with_processes(name, found.into_iter().filter(over)));
}

/// Instances of this name that have left files behind, with their processes.
pub(crate) fn left(name: &str) -> Vec<(InstanceId, Option<Process>)> {
    with_processes(name, with_files(name).into_iter())
}

fn with_files(name: &str) -> Vec<InstanceId> {
    listed(&run_directory(name).join("instances"))
}

fn with_processes(
    name: &str,
    instances: impl Iterator<Item = InstanceId>,
) -> Vec<(InstanceId, Option<Process>)> {
    let process = |id: &InstanceId| Files::at(&instance_run_directory(name, id)).read_process();
    instances.map(|id| (id.clone(), process(&id))).collect()
}

/// Ids that are names in `directory`.
pub(crate) fn listed<I: FromStr>(directory: &Path) -> Vec<I> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// Kill what runs of these instances, and remove their files: there is nothing that knows of them any more.
pub(crate) fn kill(name: &str, instances: &[(InstanceId, Option<Process>)]) {
    for (id, process) in instances {
        if let Some(process) = process
            && let Err(error) = process::signal(*process, Signal::SIGKILL)
        {
            tracing::warn!(instance = %id, %error, "an instance could not be killed");
        }
        remove_files(name, id);
    }
}
