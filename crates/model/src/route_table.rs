//! Route tables.

use serde::{Deserialize, Serialize};

use crate::{AccountId, RouteTableAssociationId, RouteTableId, SubnetId, Tags, VpcId};

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
    /// Its tags.
    pub tags: Tags,
}
