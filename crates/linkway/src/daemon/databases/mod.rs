//! Database servers: each DB instance's status is brought to its end.
//!
//! Every step starts from what the state says and from what there is, and may be taken again: after a failure, or by
//! the next daemon. The [`crate::keeper`] does what takes rights.

mod step;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use linkway_control::Control;
use linkway_model::Snapshot;
use linkway_model::database::{DbInstance, DbParameterGroup, DbStatus};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::daemon::Daemon;
use crate::daemon::busy::Busy;
use crate::daemon::tries::{Tries, Verdict};
use crate::database::directory;
use crate::instance::process;
use crate::keeper::client::Keeper;
use crate::keeper::protocol::{Place, Request};
use crate::stop::Stop;

/// How often servers are looked at.
const PERIOD: Duration = Duration::from_secs(1);

/// Databases that are worked on at a time.
const AT_A_TIME: usize = 4;

/// What looks after databases.
pub(crate) struct Databases {
    place: Place,
    /// Resource ids of those that are worked on.
    busy: Busy<String>,
}

impl Databases {
    /// Nobody is worked on yet.
    pub(crate) fn of(place: Place) -> Self {
        Self { place, busy: Busy::new(AT_A_TIME) }
    }

    /// Remove the files of databases that an ephemeral state does not know, once nobody works on them any more. Their
    /// servers have ended: `instances::end_strays` sees to that. What was to be kept is never taken for a stray's.
    pub(crate) async fn remove_strays(
        &self,
        keeper: &Arc<Keeper>,
        snapshots: &watch::Receiver<Arc<Snapshot>>,
    ) -> Result<()> {
        if !self.place.ephemeral {
            return Ok(());
        }
        let unknown =
            |id: &String| !snapshots.borrow().all::<DbInstance>().any(|known| known.resource_id == *id);
        self.busy.until_none(unknown).await?;
        let above = directory::databases(&self.place);
        // Listed before the state is asked, so that a new one's are not taken for a stray's.
        for id in listed(&above).into_iter().filter(unknown) {
            keeper.ask(Request::Remove(id)).await?;
        }
        // Empty, or it stays.
        drop(fs::remove_dir(&above));
        Ok(())
    }
}

/// End all servers at once and remove their files: an ephemeral daemon's, when it ends and nobody looks after them any
/// more.
pub(crate) async fn remove_all(daemon: &Daemon) -> Result<()> {
    let state = daemon.store.snapshot();
    let above = directory::databases(&daemon.databases.place);
    // Removing waits for a worker that is at it still, and may just have started a server: that one is found then.
    for _ in 0..2 {
        for database in state.all::<DbInstance>() {
            step::kill(daemon, database).await;
        }
        for id in listed(&above) {
            daemon.keeper.ask(Request::Remove(id)).await?;
        }
    }
    drop(fs::remove_dir(&above));
    Ok(())
}

fn listed(directory: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

/// Look after databases until `stop` turns true.
pub(crate) async fn run(daemon: Arc<Daemon>, mut stop: Stop) {
    let mut snapshots = daemon.store.subscribe();
    if let Err(error) = daemon.databases.remove_strays(&daemon.keeper, &snapshots).await {
        tracing::error!("files of databases that are gone could not be removed: {error:#}");
    }
    let mut driver =
        Driver { daemon, tries: Tries::default(), configured: BTreeMap::new(), tasks: JoinSet::new() };
    loop {
        let state = Arc::clone(&snapshots.borrow_and_update());
        let (seen, before) = (Arc::clone(&state), Arc::clone(&state));
        if let Err(error) = driver.daemon.control(move |control| note_ends(control, &seen)).await {
            tracing::error!("{error:#}");
        }
        driver.start_steps(&state);
        tokio::select! {
            Some(ended) = driver.tasks.join_next() => driver.note(ended).await,
            () = tokio::time::sleep(PERIOD) => {}
            () = news(&mut snapshots, &before) => {}
            () = stop.wait() => return,
        }
    }
}

/// Wait until something has changed that steps go by.
async fn news(snapshots: &mut watch::Receiver<Arc<Snapshot>>, before: &Snapshot) {
    let is_news =
        |state: &Snapshot| !state.same::<DbInstance>(before) || !state.same::<DbParameterGroup>(before);
    if snapshots.wait_for(|state| is_news(state)).await.is_err() {
        // The daemon ends, and whoever waits with it.
        std::future::pending().await
    }
}

/// Servers that have ended by themselves, or with the machine, are to be started again: their DB instances are not
/// available.
pub(crate) fn note_ends(control: &Control, state: &Snapshot) {
    for database in state.all::<DbInstance>() {
        if database.status != DbStatus::Available || database.process.is_some_and(process::is_alive) {
            continue;
        }
        tracing::warn!(database = database.arn, "a database's server has ended by itself");
        if let Err(error) = control.database_ended(&database.arn, database.process) {
            tracing::error!(database = database.arn, %error, "a database's end could not be recorded");
        }
    }
}

/// Whether what has failed in this state is given up at some time. A server that ran before is tried for ever: whatever
/// stands against it may go away. So is what ends one.
fn is_bounded(status: DbStatus) -> bool {
    matches!(status, DbStatus::Creating | DbStatus::Modifying | DbStatus::Rebooting)
}

/// What a step has come to.
struct Outcome {
    database: Arc<DbInstance>,
    parameters: BTreeMap<String, String>,
    done: Result<()>,
}

struct Driver {
    daemon: Arc<Daemon>,
    tries: Tries<DbStatus>,
    /// The parameter group that each database's server was told last, and the parameters that it had.
    configured: BTreeMap<String, (String, BTreeMap<String, String>)>,
    tasks: JoinSet<Outcome>,
}

impl Driver {
    fn start_steps(&mut self, state: &Arc<Snapshot>) {
        let known: BTreeSet<_> =
            state.all::<DbInstance>().map(|database| database.resource_id.as_str()).collect();
        self.tries.retain(|id| known.contains(id));
        self.configured.retain(|id, _| known.contains(id.as_str()));
        for database in state.all::<DbInstance>() {
            let parameters = step::parameters(state, database);
            let id = &database.resource_id;
            let due = match database.status {
                DbStatus::Stopped | DbStatus::Failed => false,
                DbStatus::Available => match self.configured.get(id) {
                    None => !database.pending_reboot,
                    // As on AWS, another group waits for a reboot; changes within one do not.
                    Some((group, told)) => *group == database.parameter_group && *told != parameters,
                },
                _ => true,
            };
            let busy = &self.daemon.databases.busy;
            if database.status == DbStatus::Deleting && busy.has(id) {
                // Whoever waits for the server to take connections waits no longer.
                step::kill_now(&self.daemon, database);
            }
            if !due || !self.tries.is_due(id, database.status) {
                continue;
            }
            let Some(work) = busy.begin(id) else { continue };
            let (daemon, database, state) =
                (Arc::clone(&self.daemon), Arc::clone(database), Arc::clone(state));
            self.tasks.spawn(async move {
                let _work = work;
                let done = step::take(&daemon, &state, &database, &parameters).await;
                Outcome { database, parameters, done }
            });
        }
    }

    async fn note(&mut self, ended: Result<Outcome, tokio::task::JoinError>) {
        let Outcome { database, parameters, done } = match ended {
            Ok(outcome) => outcome,
            Err(error) => return tracing::error!(%error, "looking after a database failed"),
        };
        let (id, arn) = (&database.resource_id, database.arn.clone());
        let Err(error) = done else {
            self.tries.succeeded(id);
            self.configured.insert(id.clone(), (database.parameter_group.clone(), parameters));
            return;
        };
        let reason = format!("{error:#}");
        tracing::error!(database = arn, reason, "a database could not be brought to its state");
        match self.tries.failed(id, database.status, is_bounded(database.status)) {
            Verdict::Again => self.tell(move |control| control.database_waits(&arn, &reason)).await,
            Verdict::GivenUp => {
                step::kill(&self.daemon, &database).await;
                self.tell(move |control| control.database_failed(&arn, &reason)).await;
            }
        }
    }

    async fn tell(&self, what: impl FnOnce(&Control) -> Result<(), linkway_control::Error> + Send + 'static) {
        let told = self.daemon.control(what).await;
        if let Err(error) = told.and_then(|told| Ok(told?)) {
            tracing::error!("what became of a database could not be recorded: {error:#}");
        }
    }
}
