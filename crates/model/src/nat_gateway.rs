//! NAT gateways.

use serde::{Deserialize, Serialize};

use crate::{AccountId, AllocationId, NatGatewayId, NetworkInterfaceId, SubnetId, Tags, Timestamp, VpcId};

/// A NAT gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NatGateway {
    /// Its id.
    pub id: NatGatewayId,
    /// Who owns it.
    pub owner: AccountId,
    /// Where it is.
    pub region: String,
    /// Its VPC.
    pub vpc: VpcId,
    /// The subnet that it stands in.
    pub subnet: SubnetId,
    /// Its interface; none once it is deleted, or when it failed.
    pub interface: Option<NetworkInterfaceId>,
    /// Its elastic addresses, the primary one first; none of a private gateway.
    pub allocations: Vec<AllocationId>,
    /// What it is doing.
    pub state: NatGatewayState,
    /// The revision that made it so.
    pub since: u64,
    /// AWS's code and message, when it failed.
    pub failure: Option<(String, String)>,
    /// When it was made.
    pub created: Timestamp,
    /// When it was deleted.
    pub deleted: Option<Timestamp>,
    /// Its tags.
    pub tags: Tags,
}

/// A NAT gateway's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NatGatewayState {
    /// Being set up.
    Pending,
    /// It could not be set up.
    Failed,
    /// There.
    Available,
    /// Being deleted.
    Deleting,
    /// Deleted, and shown for a while.
    Deleted,
}

impl NatGatewayState {
    /// As AWS spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Failed => "failed",
            Self::Available => "available",
            Self::Deleting => "deleting",
            Self::Deleted => "deleted",
        }
    }

    /// Whether it is there, or is going to be.
    pub fn is_live(self) -> bool {
        matches!(self, Self::Pending | Self::Available)
    }
}

impl NatGateway {
    /// Whether it has a public address.
    pub fn is_public(&self) -> bool {
        !self.allocations.is_empty()
    }
}
