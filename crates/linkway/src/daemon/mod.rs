//! The daemon: control plane and packet path in one process.
//!
//! Its threads: the [`fabric`] thread, which alone has capabilities; the [`service`] threads, which live in the
//! service namespace; and all others, which serve the API and the commands in the host's. [`start`] puts them in
//! place.

pub(crate) mod audit;
mod busy;
pub(crate) mod counters;
pub(crate) mod databases;
mod decider;
pub(crate) mod drops;
pub(crate) mod fabric;
pub(crate) mod health;
pub(crate) mod instances;
mod journal;
pub(crate) mod lock;
pub(crate) mod machines;
pub(crate) mod names;
pub(crate) mod notifications;
pub(crate) mod privileges;
pub(crate) mod service;
pub(crate) mod start;
pub(crate) mod tries;
pub(crate) mod upstream;
pub(crate) mod verification;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result};
use linkway_control::Control;
use linkway_model::instance::Process;
use linkway_model::outside_targets::OutsideTargets;
use linkway_model::own_region::OwnRegion;
use linkway_model::{InstanceId, Timestamp};
use linkway_resolver::Resolver;
use linkway_store::Store;
use tokio::sync::broadcast;

use crate::admin::protocol::DropEvent;
use crate::daemon::counters::CountersHandle;
use crate::daemon::databases::Databases;
use crate::daemon::fabric::FabricHandle;
use crate::daemon::instances::Rights;
use crate::daemon::machines::Machines;
use crate::daemon::names::Names;
use crate::daemon::upstream::UpstreamChoice;
use crate::keeper::client::Keeper;
use crate::state_dir::StateDir;
use crate::stop::Stopper;

/// What a daemon is started with.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Where the API listens.
    pub(crate) listen: SocketAddr,
    /// Its state directory.
    pub(crate) state: StateDir,
    /// Its name.
    pub(crate) name: String,
    /// Whether the state ends with the daemon.
    pub(crate) ephemeral: bool,
    /// Who answers for names that are not Linkway's.
    pub(crate) upstream: UpstreamChoice,
    /// The host's device that internet gateways lead to.
    pub(crate) uplink: Option<String>,
    /// Addresses outside of VPCs that may be targets.
    pub(crate) outside_targets: OutsideTargets,
    /// Regions beside AWS's, besides those that are known from earlier.
    pub(crate) own_regions: Vec<OwnRegion>,
    /// Names of regions beside AWS's that are not wanted any more.
    pub(crate) forgotten_regions: Vec<String>,
}

/// What the daemon's threads share.
pub(crate) struct Daemon {
    /// What it was started with.
    pub(crate) settings: Settings,
    /// When that was.
    pub(crate) started: Timestamp,
    /// The state.
    pub(crate) store: Arc<Store>,
    /// The control plane.
    pub(crate) control: Arc<Control>,
    /// The fabric's thread.
    pub(crate) fabric: FabricHandle,
    /// What has the rights that take starting databases and instances.
    pub(crate) keeper: Arc<Keeper>,
    /// What looks after databases.
    pub(crate) databases: Databases,
    /// What looks after instances that the API starts.
    pub(crate) machines: Machines,
    /// What it has counted.
    pub(crate) counters: CountersHandle,
    /// What answers DNS.
    pub(crate) resolver: Resolver,
    /// Names of what it has counted.
    pub(crate) names: Arc<Mutex<Names>>,
    /// Drops, as they happen.
    pub(crate) drops: broadcast::Sender<DropEvent>,
    /// Turns true when the daemon is to end.
    pub(crate) stop: Stopper,
    /// Who launches the instances that have no process yet.
    pub(crate) launchers: Mutex<HashMap<InstanceId, Process>>,
}

impl Daemon {
    /// Run what may write to the disk on a thread that may wait for it.
    pub(crate) async fn control<R: Send + 'static>(
        &self,
        work: impl FnOnce(&Control) -> R + Send + 'static,
    ) -> Result<R> {
        let control = Arc::clone(&self.control);
        tokio::task::spawn_blocking(move || work(&control)).await.context("the daemon failed")
    }

    /// Wait until packets follow the state as it is now.
    pub(crate) async fn settled(&self) -> Result<()> {
        self.fabric.wait_for(self.store.snapshot().revision).await
    }

    /// Wipe the state but for accounts and keys, and end all instances and databases.
    pub(crate) async fn reset(&self) -> Result<()> {
        self.control(Control::reset).await??;
        let (name, store) = (self.settings.name.clone(), Arc::clone(&self.store));
        // By their files, which are there before an instance counts as running: none slips through that starts
        // at this moment.
        tokio::task::spawn_blocking(move || instances::end_strays(&name, &store, Rights::None))
            .await
            .context("the daemon failed")?;
        self.databases.remove_strays(&self.keeper, &self.store.subscribe()).await?;
        self.machines.remove_strays(&self.keeper, &self.store.subscribe()).await?;
        self.settled().await
    }
}
