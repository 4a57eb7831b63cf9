//! What the daemon asks of the keeper, and what the keeper asks of its workers: the same.

use std::collections::BTreeMap;
use std::path::PathBuf;

use linkway_model::database::DbEngine;
use linkway_model::instance::Process;
use linkway_model::{ImageId, InstanceId};
use serde::{Deserialize, Serialize};

use crate::admin::protocol::Identity;

/// Where a daemon's databases and instances are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    /// The daemon's name.
    pub(crate) name: String,
    /// Its state directory.
    pub(crate) state: PathBuf,
    /// Whether the state ends with the daemon.
    pub(crate) ephemeral: bool,
}

/// A database: which it is, and how its server shall be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Spec {
    /// Names its directory.
    pub(crate) resource_id: String,
    /// Names its network namespace and its files of this run.
    pub(crate) instance: InstanceId,
    /// What it runs.
    pub(crate) engine: DbEngine,
    /// In this version: of PostgreSQL, the first number counts.
    pub(crate) version: String,
    /// Its address, and its VPC's resolver.
    pub(crate) identity: Identity,
    /// Where it listens.
    pub(crate) port: u16,
    /// The name in its certificate.
    pub(crate) dns_name: String,
    /// The administrator's name.
    pub(crate) master_username: String,
    /// The administrator's password.
    pub(crate) master_password: String,
    /// The database that is made with it.
    pub(crate) database: Option<String>,
    /// Its parameter group's parameters.
    pub(crate) parameters: BTreeMap<String, String>,
}

/// An instance that the API starts: which it is, and how it shall be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MachineSpec {
    /// Which it is: names its directory, its network namespace and its files of this run.
    pub(crate) instance: InstanceId,
    /// Which boot of it this is.
    pub(crate) boot: u32,
    /// The image that its file system begins as; the host's own if none is given.
    pub(crate) image: Option<ImageId>,
    /// Its address, and its VPC's resolver.
    pub(crate) identity: Identity,
    /// Its host name.
    pub(crate) host_name: String,
    /// What its first boot runs.
    #[serde(with = "linkway_model::base64_text")]
    pub(crate) user_data: Vec<u8>,
}

/// What can be asked. All of it may be asked again: what is done already is left as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Request {
    /// Make its files.
    Create(Spec),
    /// Write its configuration and a certificate, and start its server.
    Start(Spec),
    /// Wait until the server takes connections, and make roles, database and password as they shall be.
    SetUp(Spec, Process),
    /// Write its configuration anew, for the server to read it again.
    Configure(Spec),
    /// Remove its files. Its server has ended.
    Remove(String),
    /// Make an instance's files, and start its first process.
    Boot(MachineSpec),
    /// End an instance's first process, which is another user's than the daemon is, and wait until it has ended: in
    /// order, or `abruptly`.
    EndMachine {
        /// Which.
        instance: InstanceId,
        /// Whether it is given no time.
        abruptly: bool,
    },
    /// End an instance abruptly, and remove its files.
    RemoveMachine(InstanceId),
    /// Remove an image's files. No instance is made of it.
    RemoveImage(ImageId),
}

/// What is answered when it is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Answer {
    /// It is done.
    Done,
    /// The first process, which started now or ran already.
    Started(Process),
    /// A first process that ran already, of a server that listens elsewhere than it shall, or of an earlier boot of an
    /// instance: it has to be ended.
    Elsewhere(Process),
    /// It could not be done, in words for whoever owns the database or the instance.
    Failed(String),
}

/// A line to the keeper.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Numbered<T> {
    /// The request's number, for its answer.
    pub(crate) number: u64,
    /// The request, or the answer.
    pub(crate) what: T,
}
