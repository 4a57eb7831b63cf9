//! Internet gateways, and those that only let out.

use serde::{Deserialize, Serialize};

use crate::{AccountId, EgressOnlyInternetGatewayId, InternetGatewayId, Tags, VpcId};

/// An internet gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InternetGateway {
    /// Its id.
    pub id: InternetGatewayId,
    /// Its number in the packet path's tables, where it has one in common with interfaces. 0: it has none yet.
    #[serde(default)]
    pub number: u32,
    /// Who owns it.
    pub owner: AccountId,
    /// Where it is.
    pub region: String,
    /// The VPC that it is attached to. A VPC has one at most.
    pub vpc: Option<VpcId>,
    /// Its tags.
    pub tags: Tags,
}

/// An egress-only internet gateway: for IPv6, and attached to its VPC for life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EgressOnlyInternetGateway {
    /// Its id.
    pub id: EgressOnlyInternetGatewayId,
    /// Who owns it.
    pub owner: AccountId,
    /// Where it is.
    pub region: String,
    /// Its VPC.
    pub vpc: VpcId,
    /// Its tags.
    pub tags: Tags,
}
