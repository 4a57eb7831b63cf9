//! Instances: commands that run in a namespace of their own.

use serde::{Deserialize, Serialize};

use crate::{AccountId, InstanceId, NetworkInterfaceId, ReservationId, SubnetId, Tags, Timestamp, VpcId};

/// An instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    /// Its id.
    pub id: InstanceId,
    /// What launched it.
    pub reservation: ReservationId,
    /// Who owns it.
    pub owner: AccountId,
    /// Where it is.
    pub region: String,
    /// Its VPC.
    pub vpc: VpcId,
    /// Its subnet.
    pub subnet: SubnetId,
    /// Name of its zone.
    pub zone: String,
    /// Its first network interface.
    pub interface: NetworkInterfaceId,
    /// What it runs.
    pub command: Vec<String>,
    /// Its first process, while it runs: the id, and the start time of `/proc/PID/stat` that tells it from
    /// a later process of the same id.
    pub process: Option<Process>,
    /// Its state.
    pub state: InstanceState,
    /// Why it is in this state, when it has ended.
    pub reason: String,
    /// When it was launched.
    pub launched: Timestamp,
    /// When it ended, if it did: it is forgotten an hour later.
    pub ended: Option<Timestamp>,
    /// Its tags.
    pub tags: Tags,
}

/// A process of this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Its id in the daemon's own namespace.
    pub pid: u32,
    /// Field 22 of `/proc/PID/stat`: clock ticks since boot at which it started.
    pub start_time: u64,
}

/// AWS's instance states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InstanceState {
    /// Its namespace and interface are being made.
    Pending,
    /// Its command runs.
    Running,
    /// It is being ended.
    ShuttingDown,
    /// It has ended; shown for an hour.
    Terminated,
}

impl InstanceState {
    /// AWS's name of it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::ShuttingDown => "shutting-down",
            Self::Terminated => "terminated",
        }
    }

    /// AWS's code of it.
    pub fn code(self) -> i32 {
        match self {
            Self::Pending => 0,
            Self::Running => 16,
            Self::ShuttingDown => 32,
            Self::Terminated => 48,
        }
    }
}
