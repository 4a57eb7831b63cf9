//! Flow logs: what a caller wants to be recorded of a VPC's, a subnet's or an interface's packets.

use serde::{Deserialize, Serialize};

use crate::{AccountId, FlowLogId, NetworkInterfaceId, SubnetId, Tags, Timestamp, VpcId};

/// A flow log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowLog {
    /// Its id.
    pub id: FlowLogId,
    /// Who owns it.
    pub owner: AccountId,
    /// Where it is.
    pub region: String,
    /// What it is of.
    pub resource: FlowLogResource,
    /// AWS's `ACCEPT`, `REJECT` or `ALL`.
    pub traffic: String,
    /// Where records go.
    pub destination: FlowLogDestination,
    /// Which fields a record has, as `${version} ${account-id}`.
    pub format: String,
    /// Seconds that a record is about at most: 60 or 600.
    pub interval_seconds: i32,
    /// The first of the flow logs that were made by the same request.
    pub made_with: FlowLogId,
    /// When it was made.
    pub created: Timestamp,
    /// Its tags.
    pub tags: Tags,
}

/// What a flow log is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FlowLogResource {
    /// All interfaces of a VPC.
    Vpc(VpcId),
    /// All interfaces of a subnet.
    Subnet(SubnetId),
    /// One interface.
    NetworkInterface(NetworkInterfaceId),
}

impl FlowLogResource {
    /// Its id.
    pub fn id(&self) -> &str {
        match self {
            Self::Vpc(id) => id.as_str(),
            Self::Subnet(id) => id.as_str(),
            Self::NetworkInterface(id) => id.as_str(),
        }
    }
}

/// Where a flow log's records go, in AWS's words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowLogDestination {
    /// `cloud-watch-logs`, `s3` or `kinesis-data-firehose`.
    pub kind: String,
    /// Its ARN, unless it is a log group's name.
    pub arn: Option<String>,
    /// The name of a log group.
    pub log_group: Option<String>,
    /// ARN of the role that may write there.
    pub role: Option<String>,
    /// ARN of the role for another account's destination.
    pub cross_account_role: Option<String>,
    /// Of S3: `plain-text` or `parquet`, whether partitions are Hive's, and whether there is one an hour.
    pub options: Option<(String, bool, bool)>,
}
