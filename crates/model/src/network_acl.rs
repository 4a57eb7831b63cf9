//! Network access control lists.

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::{AccountId, NetworkAclId, Tags, VpcId};

/// A network ACL. Which subnets use it is kept by the subnets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkAcl {
    /// Its id.
    pub id: NetworkAclId,
    /// Who owns it.
    pub owner: AccountId,
    /// Where it is.
    pub region: String,
    /// Its VPC.
    pub vpc: VpcId,
    /// Whether the VPC was born with it.
    pub is_default: bool,
    /// Its entries, without the last one of each direction, which denies and is always there.
    pub entries: Vec<NetworkAclEntry>,
    /// Its tags.
    pub tags: Tags,
}

/// An entry of a network ACL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkAclEntry {
    /// Its place: 1 to 32766, lowest first.
    pub number: i32,
    /// Whether it looks at what leaves the subnet.
    pub egress: bool,
    /// IANA's number; `None` is AWS's `-1`, every protocol.
    pub protocol: Option<u8>,
    /// The range on the other side.
    pub cidr: IpNet,
    /// Whether it allows, or denies.
    pub allow: bool,
    /// First and last port, of TCP and UDP; `None`: all.
    #[serde(default)]
    pub ports: Option<(u16, u16)>,
    /// Type and code, of ICMP; -1 in either place: all.
    #[serde(default)]
    pub icmp: Option<(i32, i32)>,
}
