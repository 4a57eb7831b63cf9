//! The fabric's thread: the only one that touches the kernel, and the only one with capabilities.
//!
//! It follows the state. For every new snapshot, DNS learns of it first, so that a name that is removed stops
//! resolving before its packets stop; then the packet path; then whatever waited for the packet path (an endpoint
//! that becomes `available`, say) is advanced, which makes the next snapshot, and then its name resolves.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result};
use linkway_control::Control;
use linkway_fabric::Fabric;
use linkway_health::Checker;
use linkway_model::{Snapshot, Timestamp};
use linkway_resolver::Resolver;
use tokio::runtime;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::daemon::names::Names;
use crate::daemon::privileges;
use crate::gateway::view::Views;
use crate::stop::{Stop, Stopper};

/// How often life cycles are advanced, whatever happens.
const PERIOD: Duration = Duration::from_secs(1);

/// How long flows rest between two walks through their table. The shortest time-out is 30 seconds.
const COLLECT_REST: Duration = Duration::from_secs(5);

/// For how long expired flows are collected each time, and how often during a walk. It takes a CPU, and what is in its
/// cache, from the packets: so a walk has 4 % of one, and a fifth where much has expired, which keeps up with tens of
/// thousands of flows that end every second.
const COLLECT_BUDGET: Duration = Duration::from_millis(2);
const COLLECT_PERIOD: Duration = Duration::from_millis(50);
const COLLECT_PERIOD_BUSY: Duration = Duration::from_millis(10);

/// How long to let new states gather at most, when several have been followed at once: that takes little longer than to
/// follow one, so that a burst of calls leaves most of the CPU to the calls. It is let gather for as long as following
/// each by itself would have taken; whoever sends one call after another does not notice.
const GATHER: Duration = Duration::from_millis(20);

/// How long to wait before what failed is tried again: at first, and at most.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));

/// How long a command waits for the packet path.
const PATIENCE: Duration = Duration::from_secs(10);

/// How far the packet path has come.
#[derive(Debug, Clone, Default)]
pub(crate) struct Applied {
    /// The revision that packets follow.
    pub(crate) revision: u64,
    /// Why it is not a later one.
    pub(crate) fault: Option<String>,
    /// Why network interfaces have no device, by their numbers.
    pub(crate) problems: BTreeMap<u32, String>,
}

/// The others' side of the fabric's thread.
pub(crate) struct FabricHandle {
    applied: watch::Receiver<Applied>,
}

impl FabricHandle {
    /// How far the packet path has come.
    pub(crate) fn applied(&self) -> Applied {
        self.applied.borrow().clone()
    }

    /// Wait until packets follow this revision of the state, or a later one.
    pub(crate) async fn wait_for(&self, revision: u64) -> Result<()> {
        let mut applied = self.applied.clone();
        let reached = applied.wait_for(|applied| applied.revision >= revision);
        if let Ok(reached) = tokio::time::timeout(PATIENCE, reached).await {
            reached.context("the daemon is stopping")?;
            return Ok(());
        }
        let fault = self.applied().fault.unwrap_or_else(|| "it takes too long".into());
        anyhow::bail!("the packet path does not follow: {fault}")
    }
}

/// What the thread tells of new states.
pub(crate) struct Followers {
    /// The control plane, whose life cycles advance.
    pub(crate) control: Arc<Control>,
    /// DNS.
    pub(crate) resolver: Resolver,
    /// Health checks.
    pub(crate) checker: Arc<Checker>,
    /// Names of what the packet path counts.
    pub(crate) names: Arc<Mutex<Names>>,
    /// The gateway's view.
    pub(crate) views: Views,
}

/// Start the thread. It ends when the daemon stops, and the daemon with it.
pub(crate) fn start(
    fabric: Fabric,
    followers: Followers,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    stopper: &Stopper,
) -> Result<(JoinHandle<()>, FabricHandle)> {
    let (stop, vital) = (stopper.subscribe(), stopper.when_dropped());
    let (progress, applied) = watch::channel(Applied::default());
    let thread = Builder::new()
        .name("fabric".into())
        .spawn(move || {
            let _vital = vital;
            let outcome = privileges::keep_needed().and_then(|()| {
                // Only to wait with: what the fabric does, it does on this thread, outside of the runtime.
                let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
                Follower { fabric, followers, snapshots, stop, progress, next: Instant::now(), retry: None }
                    .run(&runtime);
                Ok(())
            });
            if let Err(error) = outcome {
                tracing::error!(%error, "the fabric's thread could not start");
            }
        })
        .context("cannot start a thread")?;
    Ok((thread, FabricHandle { applied }))
}

struct Follower {
    fabric: Fabric,
    followers: Followers,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    stop: Stop,
    progress: watch::Sender<Applied>,
    /// When to follow the next state.
    next: Instant,
    /// When to try again what failed, and how long the wait for it was.
    retry: Option<(Instant, Duration)>,
}

/// What the thread wakes up for.
enum Wake {
    State,
    Retry,
    Collect,
    Advance,
    Stop,
}

impl Follower {
    fn run(mut self, runtime: &runtime::Runtime) {
        self.apply();
        let (mut collect, mut advance) = (Instant::now() + PERIOD, Instant::now() + PERIOD);
        loop {
            match runtime.block_on(self.wait(collect, advance)) {
                Wake::State | Wake::Retry => {
                    let (start, before) = (Instant::now(), self.followed());
                    self.apply();
                    let others = (self.followed() - before).saturating_sub(1);
                    let took = start.elapsed().as_secs_f64();
                    self.next = Instant::now() + GATHER.min(Duration::from_secs_f64(took * others as f64));
                }
                Wake::Collect => collect = Instant::now() + self.collect(),
                Wake::Advance => {
                    advance = Instant::now() + PERIOD;
                    self.advance();
                }
                Wake::Stop => return,
            }
        }
    }

    async fn wait(&mut self, collect: Instant, advance: Instant) -> Wake {
        let retry = async {
            match self.retry {
                Some((at, _)) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        let state = async {
            tokio::time::sleep_until(self.next).await;
            self.snapshots.changed().await
        };
        tokio::select! {
            biased;
            () = self.stop.wait() => Wake::Stop,
            // Before new states, which may come without a pause: these are bounded by their periods.
            () = tokio::time::sleep_until(collect) => Wake::Collect,
            () = tokio::time::sleep_until(advance) => Wake::Advance,
            Ok(()) = state => Wake::State,
            () = retry => Wake::Retry,
        }
    }

    /// Collect some flows. Returns how long to wait before the next: the end of a walk is a time to rest.
    fn collect(&mut self) -> Duration {
        match self.fabric.collect_flows(COLLECT_BUDGET) {
            Ok(step) if step.finished => COLLECT_REST,
            // An eighth of what is there.
            Ok(step) if step.removed * 8 > step.seen => COLLECT_PERIOD_BUSY,
            Ok(_) => COLLECT_PERIOD,
            Err(error) => {
                tracing::error!(%error, "flows could not be collected");
                COLLECT_REST
            }
        }
    }

    fn apply(&mut self) {
        let snapshot = Arc::clone(&self.snapshots.borrow_and_update());
        self.followers.resolver.publish(Arc::clone(&snapshot));
        self.followers.names.lock().unwrap_or_else(PoisonError::into_inner).learn(&snapshot);
        // Connections to an endpoint that is new meet a gateway that knows it.
        self.followers.views.publish(&snapshot);
        match self.fabric.apply(&snapshot) {
            Ok(()) => {
                if self.retry.take().is_some() {
                    tracing::info!("the packet path follows again");
                }
                self.progress.send_replace(self.applied(&snapshot));
                self.followers.checker.publish(snapshot);
                self.advance();
            }
            Err(error) => {
                let wait = self.retry.map_or(BACKOFF.0, |(_, last)| (last * 2).min(BACKOFF.1));
                self.retry = Some((Instant::now() + wait, wait));
                tracing::error!(%error, revision = snapshot.revision, "the packet path could not follow the state");
                self.progress.send_modify(|applied| applied.fault = Some(error.to_string()));
            }
        }
    }

    fn applied(&self, snapshot: &Snapshot) -> Applied {
        let problems = self.fabric.problems().iter();
        let problems = problems.map(|(number, problem)| (*number, problem.to_string())).collect();
        Applied { revision: snapshot.revision, fault: None, problems }
    }

    fn advance(&self) {
        self.followers.control.advance(self.followed(), Timestamp::now());
    }

    /// The revision of the state that packets follow.
    fn followed(&self) -> u64 {
        self.progress.borrow().revision
    }
}
