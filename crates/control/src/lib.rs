//! What a caller may do: every operation as a transaction, every life cycle as a reconciler.
//!
//! [`Control`] implements the traits that `wire` generates, one a service: the registries `acm.rs`, `ec2.rs`, `elbv2.rs`,
//! `iam.rs`, `rds.rs` and `sts.rs` have a line an operation, which names the function in the resource's own file. What those
//! functions share has a file each: [`error`] makes AWS's codes, `lookup` finds what a caller names, `describe`
//! selects by ids and filters and cuts into pages, `tags`, `idempotency`. The command line's own operations,
//! which AWS does not have, are in `admin`. Who an access key is, `identity` says; what it may do, `access`.
#![forbid(unsafe_code)]

mod access;
mod acm;
mod admin;
mod describe;
mod ec2;
mod elbv2;
pub mod error;
mod filter;
mod hosted_zone;
mod iam;
mod idempotency;
pub mod identity;
mod lookup;
mod page;
mod rds;
mod reconcile;
mod registry;
mod sts;
mod tags;

use std::sync::Arc;

use linkway_model::database::InstalledEngine;
use linkway_model::outside_targets::OutsideTargets;
use linkway_model::{AccountId, InstanceId, Snapshot, Timestamp};
use linkway_store::{Store, Transaction};

pub use crate::admin::{AttachRequest, BackendRequest, ImageRequest, LaunchRequest, NewKey, WebhookRequest};
pub use crate::error::Error;
pub use crate::reconcile::Verification;
pub use crate::sts::{InstanceCredentials, profile_of, role_of};

/// Who calls: what a request's signature says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The account of the key.
    pub account: AccountId,
    /// ARN of the key's user, such as `arn:aws:iam::123456789012:root`.
    pub principal: String,
    /// AWS's unique id of the user; the account's number for its root.
    pub user_id: String,
    /// The region that the request is signed for.
    pub region: String,
    /// The key that signed; `None`: the command line, which acts as root.
    pub access_key_id: Option<String>,
    /// What is known of the request besides: global condition keys and their values, as `aws:SourceVpce`.
    pub circumstances: Vec<(String, String)>,
}

impl Caller {
    /// An account's root, as which the command line acts.
    pub fn root(account: AccountId, region: String) -> Self {
        let principal = format!("arn:aws:iam::{account}:root");
        let user_id = account.to_string();
        Self { user_id, principal, account, region, access_key_id: None, circumstances: Vec::new() }
    }
}

/// The end of what an instance has written to its console.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Console {
    /// At most the last [`Console::MOST`] bytes of it.
    pub output: Vec<u8>,
    /// When it last wrote.
    pub written: Timestamp,
}

impl Console {
    /// How much of it `GetConsoleOutput` answers, in bytes: 64 KiB, as on AWS.
    pub const MOST: usize = 64 * 1024;
}

/// Reads an instance's console.
pub type ReadConsole = dyn Fn(&InstanceId) -> Option<Console> + Send + Sync;

/// What the control plane is told once.
#[derive(Clone)]
pub struct Settings {
    /// The time; tests move it.
    pub clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    /// The database servers that this host can run now: those that DB instances may be made of.
    pub engines: Arc<dyn Fn() -> Vec<InstalledEngine> + Send + Sync>,
    /// What an instance has written to its console; `None`: nothing yet.
    pub console: Arc<ReadConsole>,
    /// Which addresses outside of VPCs may be registered as targets.
    pub outside_targets: OutsideTargets,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            clock: Arc::new(Timestamp::now),
            engines: Arc::new(Vec::new),
            console: Arc::new(|_| None),
            outside_targets: OutsideTargets::default(),
        }
    }
}

/// The control plane.
pub struct Control {
    store: Arc<Store>,
    settings: Settings,
    policies: access::Compiled,
}

impl Control {
    /// A control plane over `store`.
    pub fn new(store: Arc<Store>, settings: Settings) -> Self {
        Self { store, settings, policies: access::Compiled::default() }
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.settings.clock)()
    }

    /// The state, for an operation that only reads. A dry run ends here: there is nothing more to check.
    pub(crate) fn read(&self, dry_run: Option<bool>) -> Result<Arc<Snapshot>, Error> {
        if dry_run == Some(true) { Err(Error::DryRun) } else { Ok(self.store.snapshot()) }
    }

    /// Run an operation that writes. A dry run does all of it and then lets go of the changes, so that it
    /// meets every error that the real one would.
    pub(crate) fn write<R>(
        &self,
        dry_run: Option<bool>,
        work: impl FnOnce(&mut Transaction) -> Result<R, Error>,
    ) -> Result<R, Error> {
        self.store.transact(|tx| {
            let answer = work(tx)?;
            if dry_run == Some(true) { Err(Error::DryRun) } else { Ok(answer) }
        })
    }
}
