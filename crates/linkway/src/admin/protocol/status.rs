//! How the daemon is, and what its packet path dropped.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use linkway_model::Timestamp;
use linkway_model::crossing::Obstacle;
use serde::{Deserialize, Serialize};

/// How the daemon and the packet path are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Status {
    /// The daemon's name.
    pub(crate) name: String,
    /// Its version.
    pub(crate) version: String,
    /// Its process.
    pub(crate) pid: u32,
    /// When it started.
    pub(crate) started: Timestamp,
    /// Where its API listens.
    pub(crate) listen: SocketAddr,
    /// Whether its state ends with it.
    pub(crate) ephemeral: bool,
    /// Revision of the state.
    pub(crate) revision: u64,
    /// Revision that packets follow.
    pub(crate) applied: u64,
    /// Why the packet path does not follow the state, if so.
    pub(crate) fault: Option<String>,
    /// Network interfaces that have no device, and why.
    pub(crate) problems: BTreeMap<String, String>,
    /// How many there are of each kind of resource.
    pub(crate) resources: BTreeMap<String, usize>,
    /// How many endpoints there are in each state.
    pub(crate) endpoints: BTreeMap<String, usize>,
    /// How many targets there are of each health.
    pub(crate) targets: BTreeMap<String, usize>,
    /// How many instances there are in each state.
    pub(crate) instances: BTreeMap<String, usize>,
    /// How many DB instances there are in each state.
    pub(crate) databases: BTreeMap<String, usize>,
    /// Open flows.
    pub(crate) flows: u64,
    /// Which interfaces opened them.
    pub(crate) shares: Vec<FlowShare>,
    /// The host's device that internet gateways lead to.
    pub(crate) uplink: Option<String>,
    /// What went through each interface of an endpoint.
    pub(crate) traffic: Vec<Traffic>,
    /// What went through each NAT gateway and each internet gateway.
    pub(crate) gateways: Vec<Traffic>,
    /// All of it, to compare.
    pub(crate) ways: Ways,
    /// What was dropped since the packet path was made.
    pub(crate) drops: Vec<DropCount>,
}

/// What an interface has of the table of flows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FlowShare {
    /// The interface: its id, or its number in brackets once it is gone.
    pub(crate) interface: String,
    /// What the interface is, for people.
    pub(crate) of: String,
    /// Flows that it opened.
    pub(crate) flows: u64,
    /// Those of them that are TCP and were never answered.
    pub(crate) half_open: u64,
}

/// What went through an endpoint by one of its interfaces, or through a gateway, since that was first used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Traffic {
    /// The interface, or the internet gateway: its id, or its number in brackets once it is gone.
    pub(crate) interface: String,
    /// The endpoint, the NAT gateway or the VPC, for people.
    pub(crate) of: String,
    /// Connections, and other flows, that consumers opened.
    pub(crate) connections: u64,
    /// Bytes from consumers.
    pub(crate) bytes_in: u64,
    /// Packets from consumers.
    pub(crate) packets_in: u64,
    /// Bytes to consumers.
    pub(crate) bytes_out: u64,
    /// Packets to consumers.
    pub(crate) packets_out: u64,
}

/// How many bytes went which way, both ways together, through what is still there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ways {
    /// Through endpoints.
    pub(crate) endpoints: u64,
    /// Through NAT gateways.
    pub(crate) nat_gateways: u64,
    /// Through internet gateways, from what has an elastic address itself.
    pub(crate) internet_gateways: u64,
    /// Led to a gateway and dropped, as `NoUplink`: mostly first packets, each tried again some times.
    pub(crate) no_uplink: u64,
}

/// What was dropped at one interface for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DropCount {
    /// The interface: its id, or its number in brackets once it is gone.
    pub(crate) interface: String,
    /// What the interface is, for people: its `Name`, its instance or its endpoint.
    pub(crate) of: String,
    /// The reason.
    pub(crate) reason: String,
    /// What that means.
    pub(crate) meaning: String,
    /// How many packets.
    pub(crate) packets: u64,
    /// How many bytes.
    pub(crate) bytes: u64,
}

/// One dropped packet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DropEvent {
    /// When.
    pub(crate) time: Timestamp,
    /// Why.
    pub(crate) reason: String,
    /// The security-group rule that was concerned, if there was one.
    pub(crate) rule: Option<String>,
    /// The network ACL or the route table that decided, if one did and still does.
    pub(crate) decider: Option<Decider>,
    /// The interface that it was dropped at.
    pub(crate) interface: String,
    /// The interface at the other side, where it is known.
    pub(crate) other: Option<String>,
    /// The VPC.
    pub(crate) vpc: String,
    /// `tcp`, `udp`, `icmp`, or a number.
    pub(crate) protocol: String,
    /// Where the packet came from: an address, and a port where the protocol has them.
    pub(crate) source: String,
    /// Where it was going.
    pub(crate) destination: String,
    /// Its length in bytes.
    pub(crate) length: u32,
    /// Drops before it that were counted and not shown, as there were too many.
    pub(crate) suppressed: u32,
}

/// What decided between subnets that a packet is dropped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Decider {
    /// A network ACL.
    NetworkAcl {
        /// Its id.
        id: String,
        /// `egress`, or `ingress`.
        direction: String,
        /// The entry's number; `*`: none matches.
        entry: String,
    },
    /// A route table.
    RouteTable {
        /// Its id.
        id: String,
        /// The route's destination, if one decides: else none leads there.
        route: Option<String>,
    },
}

impl From<Obstacle<'_>> for Decider {
    fn from(obstacle: Obstacle<'_>) -> Self {
        match obstacle {
            Obstacle::Acl { acl, egress, entry } => Self::NetworkAcl {
                id: acl.id.to_string(),
                direction: if egress { "egress" } else { "ingress" }.into(),
                entry: entry.map_or_else(|| "*".into(), |entry| entry.number.to_string()),
            },
            Obstacle::Route { table, route, .. } => Self::RouteTable {
                id: table.id.to_string(),
                route: route.map(|route| route.destination.to_string()),
            },
        }
    }
}

impl std::fmt::Display for Decider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NetworkAcl { id, direction, entry } => write!(f, "{id} {direction} entry {entry}"),
            Self::RouteTable { id, route: Some(route) } => write!(f, "{id} route {route}"),
            Self::RouteTable { id, route: None } => write!(f, "{id}, which has no route there"),
        }
    }
}
