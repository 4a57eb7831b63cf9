//! What runs the checks.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use linkway_model::Snapshot;
use linkway_model::load_balancer::{HealthReason, TargetHealth, TargetId};
use linkway_model::outside_targets::OutsideTargets;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, watch};
use tokio::task::{AbortHandle, JoinSet};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;

use crate::check::check;
use crate::plan::{Key, Spec, plan};
use crate::task;

/// Checks that may be under way at once, as each holds a socket. More than that wait.
const CHECKS: usize = 512;

/// Checks the targets of the snapshots that it is given.
pub struct Checker {
    environment: Arc<Environment>,
    snapshots: watch::Sender<Arc<Snapshot>>,
}

/// What every check needs from outside.
pub(crate) struct Environment {
    pub(crate) report: Box<Report>,
    pub(crate) probe: Box<Probe>,
    pub(crate) outside: Outside,
    pub(crate) tls: TlsConnector,
    pub(crate) checks: Semaphore,
}

impl Environment {
    /// Where a target is. `None`: it has no address yet.
    pub(crate) fn address(&self, (group, target, port): &Key, spec: &Spec) -> Option<IpAddr> {
        spec.outside.map_or_else(|| (self.probe)(group, target, *port), |address| Some(address.into()))
    }

    /// Check a target with this port at this address, when it is its turn. `None`: the daemon is ending.
    pub(crate) async fn check(
        &self,
        address: IpAddr,
        port: u16,
        spec: &Spec,
    ) -> Option<Result<(), HealthReason>> {
        if spec.outside.is_some_and(|address| !self.outside.allowed.allow(address)) {
            return Some(Err(HealthReason::FailedHealthChecks));
        }
        let _permit = self.checks.acquire().await.ok()?;
        let check = check((address, spec.port(port)).into(), spec.clone(), self.tls.clone());
        match spec.outside {
            None => Some(check.await),
            Some(_) => self.outside.runtime.spawn(check).await.ok(),
        }
    }
}

/// How targets outside of their VPC are checked.
pub struct Outside {
    /// The runtime whose threads reach them: those of the host's network, where the checker's own are elsewhere.
    pub runtime: Handle,
    /// The ones that may be reached. Others fail their checks, without a connection.
    pub allowed: OutsideTargets,
}

type Report = dyn Fn(&str, &TargetId, u16, TargetHealth) + Send + Sync;
type Probe = dyn Fn(&str, &TargetId, u16) -> Option<IpAddr> + Send + Sync;

/// A target that is being checked.
struct Running {
    spec: Spec,
    recorded: watch::Sender<TargetHealth>,
    task: AbortHandle,
}

impl Checker {
    /// A checker. Both functions get a target as (ARN of its group, who it is, its port), and are called on
    /// the runtime's threads, so should return soon.
    ///
    /// `report` is told of a target's health when it changes, and again after each further check for as long
    /// as published snapshots say otherwise. `probe` gives the address that a check of a target in its VPC connects
    /// to, on the port that the group's settings say; `None`: it has none yet, so ask again soon. Those outside
    /// have their own, and are checked as `outside` says. `tls` is how targets are asked by HTTPS.
    pub fn new(
        report: impl Fn(&str, &TargetId, u16, TargetHealth) + Send + Sync + 'static,
        probe: impl Fn(&str, &TargetId, u16) -> Option<IpAddr> + Send + Sync + 'static,
        outside: Outside,
        tls: ClientConfig,
    ) -> Self {
        let environment = Environment {
            report: Box::new(report),
            probe: Box::new(probe),
            outside,
            tls: Arc::new(tls).into(),
            checks: Semaphore::new(CHECKS),
        };
        Self { environment: Arc::new(environment), snapshots: watch::Sender::new(Arc::default()) }
    }

    /// Check what this snapshot says, from now on.
    pub fn publish(&self, snapshot: Arc<Snapshot>) {
        self.snapshots.send_replace(snapshot);
    }

    /// Run the checks. Ends only by being dropped, and all checks with it.
    pub async fn run(&self) {
        let mut snapshots = self.snapshots.subscribe();
        let mut tasks = JoinSet::new();
        let mut running = BTreeMap::new();
        loop {
            let snapshot = Arc::clone(&snapshots.borrow_and_update());
            self.follow(&snapshot, &mut running, &mut tasks);
            while tasks.try_join_next().is_some() {}
            if snapshots.changed().await.is_err() {
                return;
            }
        }
    }

    /// Start, stop and inform tasks, until they are what the snapshot wants.
    fn follow(&self, snapshot: &Snapshot, running: &mut BTreeMap<Key, Running>, tasks: &mut JoinSet<()>) {
        let mut wanted = plan(snapshot);
        running.retain(|key, its| {
            let stays = !its.task.is_finished() && wanted.get(key).is_some_and(|(spec, _)| *spec == its.spec);
            if !stays {
                its.task.abort();
            }
            stays
        });
        for (key, its) in running.iter() {
            if let Some((_, health)) = wanted.remove(key) {
                its.recorded.send_if_modified(|recorded| std::mem::replace(recorded, health) != health);
            }
        }
        for (key, (spec, health)) in wanted {
            let recorded = watch::Sender::new(health);
            let checks =
                task::run(Arc::clone(&self.environment), key.clone(), spec.clone(), recorded.subscribe());
            let task = tasks.spawn(checks);
            running.insert(key, Running { spec, recorded, task });
        }
    }
}
