//! Instances: what runs in a namespace of its own. There are two kinds: commands that `linkway run` started, and
//! machines that `RunInstances` made of an image, which have a [`Launch`] and can be stopped and started again.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::launch::{Launch, NameOptions};
use crate::network_interface::NetworkInterface;
use crate::subnet::Subnet;
use crate::{
    AccountId, InstanceId, NetworkInterfaceId, ReservationId, Snapshot, SubnetId, Tags, Timestamp, VpcId,
};

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
    /// What it runs, of one that `linkway run` made.
    pub command: Vec<String>,
    /// What it was launched with, of one that `RunInstances` made.
    #[serde(default)]
    pub launch: Option<Box<Launch>>,
    /// Its first process, while it runs: the id, and the start time of `/proc/PID/stat` that tells it from
    /// a later process of the same id.
    pub process: Option<Process>,
    /// Its state.
    pub state: InstanceState,
    /// Who or what brought it to this state, when it is ending or has ended.
    #[serde(default)]
    pub cause: Option<StateCause>,
    /// Why it is in this state, in words, when it is ending or has ended.
    pub reason: String,
    /// When it was launched, or last started.
    pub launched: Timestamp,
    /// When it was terminated, if it was: it is forgotten an hour later.
    pub ended: Option<Timestamp>,
    /// Its tags.
    pub tags: Tags,
}

impl Instance {
    /// What its names are made of: of one without a launch, its subnet says it.
    pub fn names(&self, state: &Snapshot) -> Option<NameOptions> {
        let of_subnet = |subnet: &Arc<Subnet>| NameOptions {
            hostname_type: subnet.hostname_type.clone(),
            resource_name_a_record: subnet.resource_name_a_record,
            resource_name_aaaa_record: subnet.resource_name_aaaa_record,
        };
        match &self.launch {
            Some(launch) => Some(launch.names.clone()),
            None => state.get::<Subnet>(&self.subnet).map(of_subnet),
        }
    }

    /// Its private name in its VPC, by its first interface: made of that one's address, or of the instance's id.
    pub fn private_dns_name(&self, first: &NetworkInterface) -> String {
        let by_address = first.private_dns_name(first.address);
        let by_id = self.launch.as_ref().is_some_and(|launch| launch.names.hostname_type == "resource-name");
        match by_address.split_once('.') {
            Some((_, domain)) if by_id => format!("{}.{domain}", self.id),
            _ => by_address,
        }
    }
}

/// A process of this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Its id in the daemon's own namespace.
    pub pid: u32,
    /// Field 22 of `/proc/PID/stat`: clock ticks since boot at which it started.
    pub start_time: u64,
}

/// AWS's instance states. The API sets where an instance is to go (`Pending`, `Stopping`, `ShuttingDown`); that it is
/// there (`Running`, `Stopped`, `Terminated`) only what runs it can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InstanceState {
    /// Its namespace and interface are being made, and it is being started.
    Pending,
    /// It runs.
    Running,
    /// It is being ended for good.
    ShuttingDown,
    /// It has ended; shown for an hour.
    Terminated,
    /// It is being ended, to be started again.
    Stopping,
    /// Nothing of it runs; it keeps its interfaces.
    Stopped,
}

impl InstanceState {
    /// AWS's name of it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::ShuttingDown => "shutting-down",
            Self::Terminated => "terminated",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
        }
    }

    /// AWS's code of it.
    pub fn code(self) -> i32 {
        match self {
            Self::Pending => 0,
            Self::Running => 16,
            Self::ShuttingDown => 32,
            Self::Terminated => 48,
            Self::Stopping => 64,
            Self::Stopped => 80,
        }
    }

    /// Whether an instance in this state is to have a running process.
    pub fn wants_process(self) -> bool {
        matches!(self, Self::Pending | Self::Running)
    }

    /// Whether nothing of an instance in this state runs, and it has no network namespace.
    pub fn is_at_rest(self) -> bool {
        matches!(self, Self::Terminated | Self::Stopped)
    }
}

/// What brought an instance to an end, or to a stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StateCause {
    /// A caller of the API.
    User,
    /// Itself: its first process ended.
    Instance,
    /// It could not be started.
    Failure,
}

impl StateCause {
    /// AWS's code of it, in a `StateReason`.
    pub fn code(self) -> &'static str {
        match self {
            Self::User => "Client.UserInitiatedShutdown",
            Self::Instance => "Client.InstanceInitiatedShutdown",
            Self::Failure => "Server.InternalError",
        }
    }
}
