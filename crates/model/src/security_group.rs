//! Security groups and their rules.

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::{AccountId, PrefixListId, SecurityGroupId, SecurityGroupRuleId, Tags, VpcId};

/// A security group. Its rules are documents of their own: [`SecurityGroupRule`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecurityGroup {
    /// Its id.
    pub id: SecurityGroupId,
    /// Its number in the packet path's tables: from 1, never used again.
    pub number: u32,
    /// Who owns it.
    pub owner: AccountId,
    /// Where it is.
    pub region: String,
    /// Its VPC.
    pub vpc: VpcId,
    /// Its name, unique in the VPC.
    pub name: String,
    /// Other VPCs of its owner whose interfaces may have it.
    #[serde(default)]
    pub associations: Vec<VpcId>,
    /// What it is for, in its maker's words.
    pub description: String,
    /// Its tags.
    pub tags: Tags,
}

/// Which way a rule looks, from the interface that has the group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Towards the interface.
    Ingress,
    /// From the interface.
    Egress,
}

/// Who is on the other side.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Peer {
    /// An address range.
    Cidr(IpNet),
    /// Interfaces that have this group.
    Group(SecurityGroupId),
    /// The ranges of a prefix list, as they are at the time.
    PrefixList(PrefixListId),
}

/// Which packets: `ip_protocol` as AWS writes it, with ports or an ICMP type and code.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Traffic {
    /// IANA's number; `None` is AWS's `-1`, every protocol.
    pub protocol: Option<u8>,
    /// First port, or ICMP type; -1: any; `None` where the protocol has none.
    pub from: Option<i32>,
    /// Last port, or ICMP code; -1: any; `None` where the protocol has none.
    pub to: Option<i32>,
}

/// One rule of a group: allow `traffic` with `peer`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecurityGroupRule {
    /// Its id.
    pub id: SecurityGroupRuleId,
    /// Its number in the packet path's tables: from 1, never used again.
    pub number: u32,
    /// Who owns it.
    pub owner: AccountId,
    /// Where it is.
    pub region: String,
    /// Its group.
    pub group: SecurityGroupId,
    /// Which way.
    pub direction: Direction,
    /// Which packets.
    pub traffic: Traffic,
    /// From or to whom.
    pub peer: Peer,
    /// In its maker's words.
    pub description: Option<String>,
    /// Its tags.
    pub tags: Tags,
}
