//! Instances that the API starts: each one's state is brought to its end, boot by boot.
//!
//! Every step starts from what the state says and from what there is, and may be taken again: after a failure, or by
//! the next daemon. The [`crate::keeper`] does what takes rights.

mod step;

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use futures_util::future::try_join_all;
use linkway_control::{Console, Control};
use linkway_model::image::Image;
use linkway_model::instance::{Instance, InstanceState};
use linkway_model::{ImageId, InstanceId, Snapshot, Timestamp};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::daemon::Daemon;
use crate::daemon::busy::Busy;
use crate::daemon::instances::listed;
use crate::daemon::machines::step::Due;
use crate::daemon::tries::{Tries, Verdict};
use crate::keeper::client::Keeper;
use crate::keeper::protocol::{Place, Request};
use crate::machine::directory;
use crate::stop::Stop;

/// How often instances are looked at.
const PERIOD: Duration = Duration::from_secs(1);

/// Instances that are worked on at a time.
const AT_A_TIME: usize = 16;

/// What looks after instances.
pub(crate) struct Machines {
    place: Place,
    busy: Busy<InstanceId>,
}

impl Machines {
    /// Nobody is worked on yet.
    pub(crate) fn of(place: Place) -> Self {
        Self { place, busy: Busy::new(AT_A_TIME) }
    }

    /// End instances that an ephemeral state does not know, and remove their files, once nobody works on them any more.
    /// What was to be kept is never taken for a stray's.
    pub(crate) async fn remove_strays(
        &self,
        keeper: &Arc<Keeper>,
        snapshots: &watch::Receiver<Arc<Snapshot>>,
    ) -> Result<()> {
        if !self.place.ephemeral {
            return Ok(());
        }
        let unknown = |id: &InstanceId| snapshots.borrow().get::<Instance>(id).is_none();
        self.busy.until_none(unknown).await?;
        let strays = listed(&directory::machines(&self.place)).into_iter().filter(unknown);
        remove(keeper, strays).await
    }

    /// Where images that were imported have their directories.
    pub(crate) fn images(&self) -> PathBuf {
        directory::images(&self.place)
    }

    /// Remove the files of images that nobody can launch instances of, and that none is made of.
    async fn remove_old_images(&self, daemon: &Daemon) -> Result<()> {
        // Listed before the state is asked: an image is known before it has files.
        let found: Vec<ImageId> = listed(&self.images());
        let state = daemon.store.snapshot();
        for id in found {
            let made_of = |instance: &Arc<Instance>| {
                let image = instance.launch.as_ref().map(|launch| &launch.image);
                instance.state != InstanceState::Terminated && image == Some(&id)
            };
            if state.get::<Image>(&id).is_none() && !state.all::<Instance>().any(made_of) {
                daemon.keeper.ask(Request::RemoveImage(id)).await?;
            }
        }
        Ok(())
    }

    /// What is to be done with an instance that is gone, and has left files.
    fn left_over(&self, instance: &Instance) -> Option<Due> {
        let gone = instance.launch.is_some() && instance.state == InstanceState::Terminated;
        let left = || directory::machines(&self.place).join(instance.id.as_str()).exists();
        (gone && left()).then_some(Due::Remove)
    }
}

/// End instances at once and remove their files, side by side: the end of each waits for the disk.
async fn remove(keeper: &Arc<Keeper>, instances: impl Iterator<Item = InstanceId>) -> Result<()> {
    try_join_all(instances.map(|id| keeper.ask(Request::RemoveMachine(id)))).await.map(drop)
}

/// End all instances at once and remove their files: an ephemeral daemon's, when it ends and nobody looks after them
/// any more.
pub(crate) async fn remove_all(daemon: &Daemon) -> Result<()> {
    let (machines, images) = (directory::machines(&daemon.machines.place), daemon.machines.images());
    remove(&daemon.keeper, listed(&machines).into_iter()).await?;
    for id in listed(&images) {
        daemon.keeper.ask(Request::RemoveImage(id)).await?;
    }
    for directory in [machines, images] {
        // But for locks it is empty, or it stays.
        drop(fs::remove_file(directory.join("lock")).and_then(|()| fs::remove_dir(&directory)));
    }
    Ok(())
}

/// The end of what an instance has written to its console.
pub(crate) fn console(machines: &Path, instance: &InstanceId) -> Option<Console> {
    let [earlier, later] = directory::console_files(machines, instance);
    let written = fs::metadata(&later).and_then(|found| found.modified()).ok()?;
    let mut output = tail(&later, Console::MOST).ok()?;
    if output.len() < Console::MOST {
        let mut before = tail(&earlier, Console::MOST - output.len()).unwrap_or_default();
        before.append(&mut output);
        output = before;
    }
    Some(Console { output, written: Timestamp::try_from(written).ok()? })
}

fn tail(path: &Path, most: usize) -> std::io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(most as u64)))?;
    let mut bytes = Vec::new();
    file.take(most as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Note instances that ended while no daemon ran, by themselves or with the machine: before anything is made for them
/// again.
pub(crate) fn note_ends(control: &Control, state: &Snapshot, name: &str) {
    for instance in state.all::<Instance>() {
        if step::due(instance) == Some(Due::Ended)
            && let Err(error) = step::note_end(control, name, instance)
        {
            tracing::error!(instance = %instance.id, %error, "an instance's end could not be recorded");
        }
    }
}

/// Look after instances until `stop` turns true.
pub(crate) async fn run(daemon: Arc<Daemon>, mut stop: Stop) {
    let mut snapshots = daemon.store.subscribe();
    if let Err(error) = daemon.machines.remove_strays(&daemon.keeper, &snapshots).await {
        tracing::error!("files of instances that are gone could not be removed: {error:#}");
    }
    let mut driver = Driver {
        daemon,
        tries: Tries::default(),
        tasks: JoinSet::new(),
        seen: Arc::default(),
        looked: false,
    };
    loop {
        let state = Arc::clone(&snapshots.borrow_and_update());
        driver.start_steps(&state);
        driver.look_at_images(&state);
        tokio::select! {
            Some(ended) = driver.tasks.join_next() => driver.note(ended).await,
            () = tokio::time::sleep(PERIOD) => {}
            Ok(()) = snapshots.changed() => {}
            () = stop.wait() => return,
        }
    }
}

/// What a step has come to.
struct Outcome {
    instance: Arc<Instance>,
    due: Due,
    done: Result<()>,
}

/// What a step begins from: what is due, and at which boot.
type From = (Due, u32);

struct Driver {
    daemon: Arc<Daemon>,
    tries: Tries<From>,
    tasks: JoinSet<Outcome>,
    /// The state that images were last looked at in, if they were.
    seen: Arc<Snapshot>,
    looked: bool,
}

impl Driver {
    fn start_steps(&mut self, state: &Arc<Snapshot>) {
        let daemon = &self.daemon;
        self.tries.retain(|id| id.parse().is_ok_and(|id: InstanceId| state.get::<Instance>(&id).is_some()));
        for instance in state.all::<Instance>() {
            let id = &instance.id;
            let due = step::due(instance).or_else(|| daemon.machines.left_over(instance));
            let Some(due) = due else { continue };
            if !self.tries.is_due(id.as_str(), from(instance, due)) {
                continue;
            }
            let Some(work) = daemon.machines.busy.begin(id) else { continue };
            let (daemon, instance) = (Arc::clone(daemon), Arc::clone(instance));
            self.tasks.spawn(async move {
                let _work = work;
                let done = step::take(&daemon, &instance, due).await;
                Outcome { instance, due, done }
            });
        }
    }

    /// Old images are looked for when an image or an instance may have gone.
    fn look_at_images(&mut self, state: &Arc<Snapshot>) {
        let same = self.seen.images.ptr_eq(&state.images) && self.seen.instances.ptr_eq(&state.instances);
        if std::mem::replace(&mut self.looked, true) && same {
            return;
        }
        self.seen = Arc::clone(state);
        let daemon = Arc::clone(&self.daemon);
        tokio::spawn(async move {
            if let Err(error) = daemon.machines.remove_old_images(&daemon).await {
                tracing::error!("the files of an image could not be removed: {error:#}");
            }
        });
    }

    async fn note(&mut self, ended: Result<Outcome, tokio::task::JoinError>) {
        let Outcome { instance, due, done } = match ended {
            Ok(outcome) => outcome,
            Err(error) => return tracing::error!(%error, "looking after an instance failed"),
        };
        let id = instance.id.as_str();
        let Err(error) = done else { return self.tries.succeeded(id) };
        let reason = format!("{error:#}");
        tracing::error!(instance = id, reason, "an instance could not be brought to its state");
        if self.tries.failed(id, from(&instance, due), due == Due::Boot) == Verdict::GivenUp
            && let Err(error) = step::give_up(&self.daemon, &instance, reason).await
        {
            tracing::error!(instance = id, "that an instance has failed could not be recorded: {error:#}");
        }
    }
}

fn from(instance: &Instance, due: Due) -> From {
    (due, instance.launch.as_ref().map_or(0, |launch| launch.boot))
}
