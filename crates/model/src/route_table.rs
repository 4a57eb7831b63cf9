//! Route tables.

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::internet_gateway::{EgressOnlyInternetGateway, InternetGateway};
use crate::nat_gateway::NatGateway;
use crate::network_interface::{InterfaceRole, NetworkInterface};
use crate::{
    AccountId, EgressOnlyInternetGatewayId, InternetGatewayId, NatGatewayId, NetworkInterfaceId,
    RouteTableAssociationId, RouteTableId, Snapshot, SubnetId, Tags, VpcId,
};

/// A route table. It always has the VPC's own ranges as `local` routes, which are not kept here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteTable {
    /// Its id.
    pub id: RouteTableId,
    /// Who owns it.
    pub owner: AccountId,
    /// Where it is.
    pub region: String,
    /// Its VPC.
    pub vpc: VpcId,
    /// The association that makes it the VPC's main one, if it is.
    pub main_association: Option<RouteTableAssociationId>,
    /// Subnets that use it.
    pub associations: Vec<(RouteTableAssociationId, SubnetId)>,
    /// Its routes beside the local ones, in the order in which they were made.
    #[serde(default)]
    pub routes: Vec<Route>,
    /// Its tags.
    pub tags: Tags,
}

/// A route that a caller made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// Where to: one of a table's routes each.
    pub destination: IpNet,
    /// By which way.
    pub target: RouteTarget,
}

/// Where a route leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RouteTarget {
    /// To the internet and back.
    InternetGateway(InternetGatewayId),
    /// To the internet, over IPv6.
    EgressOnlyInternetGateway(EgressOnlyInternetGatewayId),
    /// To a NAT gateway.
    NatGateway(NatGatewayId),
    /// To an interface, whose instance sends on.
    NetworkInterface(NetworkInterfaceId),
}

impl RouteTarget {
    /// Whether it leads somewhere from `vpc`. A route whose target does not, for example because it was deleted or
    /// detached, is what AWS calls a blackhole.
    pub fn is_usable(&self, state: &Snapshot, vpc: &VpcId) -> bool {
        match self {
            Self::InternetGateway(id) => {
                state.get::<InternetGateway>(id).is_some_and(|found| found.vpc.as_ref() == Some(vpc))
            }
            Self::EgressOnlyInternetGateway(id) => {
                state.get::<EgressOnlyInternetGateway>(id).is_some_and(|found| found.vpc == *vpc)
            }
            Self::NatGateway(id) => state.get::<NatGateway>(id).is_some_and(|found| found.state.is_live()),
            Self::NetworkInterface(id) => {
                state.get::<NetworkInterface>(id).is_some_and(|found| found.role != InterfaceRole::Available)
            }
        }
    }
}
