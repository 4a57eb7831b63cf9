//! RDS: DB instances, and the groups that they are made with.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

use crate::instance::Process;
use crate::{AccountId, InstanceId, NetworkInterfaceId, SecurityGroupId, SubnetId, Tags, Timestamp, VpcId};

/// A DB instance: a database server in a network namespace of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DbInstance {
    /// Its ARN, `arn:aws:rds:REGION:ACCOUNT:db:IDENTIFIER`: its id in the state.
    pub arn: String,
    /// Its name, in lower case; unique in its account and region.
    pub identifier: String,
    /// `db-` and 26 letters and digits: the same through all changes of its name.
    pub resource_id: String,
    /// Who owns it.
    pub owner: AccountId,
    /// Where it is.
    pub region: String,
    /// What it runs.
    pub engine: DbEngine,
    /// The server's version, such as `15.18`.
    pub engine_version: String,
    /// Such as `db.t3.micro`; has no effect here.
    pub class: String,
    /// The administrator's name.
    pub master_username: String,
    /// The administrator's password.
    pub master_password: String,
    /// The database that is made with it.
    pub database: Option<String>,
    /// Where it listens.
    pub port: u16,
    /// Its VPC.
    pub vpc: VpcId,
    /// Name of its subnet group.
    pub subnet_group: String,
    /// The subnet that it is in.
    pub subnet: SubnetId,
    /// That subnet's zone.
    pub zone: String,
    /// The instance that its server runs in: names its network namespace, and is not shown by EC2.
    pub instance: InstanceId,
    /// Its network interface, managed by it.
    pub interface: NetworkInterfaceId,
    /// Security groups of its interface.
    pub groups: Vec<SecurityGroupId>,
    /// Name of its parameter group.
    pub parameter_group: String,
    /// Whether settings of that group wait for the server to be started again. Whoever asks for a start or a
    /// reboot takes it back: the server reads the group's settings when it starts.
    #[serde(default)]
    pub pending_reboot: bool,
    /// Its DNS name: `NAME.HASH.REGION.rds.amazonaws.com`.
    pub dns_name: String,
    /// Its state.
    pub status: DbStatus,
    /// Why it is in this state, where that is not plain.
    pub reason: Option<String>,
    /// Its server's first process, while one runs.
    pub process: Option<Process>,
    /// What a local server cannot honour: kept and answered. By the member's name in the API, as JSON.
    pub stored: BTreeMap<String, serde_json::Value>,
    /// When it was made.
    pub created: Timestamp,
    /// Its tags.
    pub tags: Tags,
}

/// A database server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DbEngine {
    /// PostgreSQL.
    Postgres,
    /// MySQL.
    MySql,
    /// MariaDB.
    MariaDb,
}

/// A database server that this host can run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct InstalledEngine {
    /// What it is.
    pub engine: DbEngine,
    /// Its version as AWS writes it: `15.18` of PostgreSQL, `10.11.14` of MariaDB.
    pub version: String,
}

/// AWS's states of a DB instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DbStatus {
    /// Its files are being made, and its server started for the first time.
    Creating,
    /// It takes connections.
    Available,
    /// A change is being carried out: another password or port.
    Modifying,
    /// Its server is being started again.
    Rebooting,
    /// Its server is being stopped.
    Stopping,
    /// Its server does not run.
    Stopped,
    /// Its server is being started.
    Starting,
    /// Its server and its files are being removed.
    Deleting,
    /// Its server cannot be run; `reason` says why.
    Failed,
}

/// Subnets that DB instances may be in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DbSubnetGroup {
    /// Its ARN, `arn:aws:rds:REGION:ACCOUNT:subgrp:NAME`: its id in the state.
    pub arn: String,
    /// Its name, in lower case.
    pub name: String,
    /// Who owns it.
    pub owner: AccountId,
    /// Where it is.
    pub region: String,
    /// In its maker's words.
    pub description: String,
    /// The VPC of its subnets.
    pub vpc: VpcId,
    /// Its subnets.
    pub subnets: Vec<SubnetId>,
    /// Its tags.
    pub tags: Tags,
}

/// Settings of database servers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DbParameterGroup {
    /// Its ARN, `arn:aws:rds:REGION:ACCOUNT:pg:NAME`: its id in the state.
    pub arn: String,
    /// Its name, in lower case.
    pub name: String,
    /// Who owns it.
    pub owner: AccountId,
    /// Where it is.
    pub region: String,
    /// Such as `postgres15`.
    pub family: String,
    /// In its maker's words.
    pub description: String,
    /// What was set: names and values.
    pub parameters: BTreeMap<String, String>,
    /// Those of them that were asked to be applied at the next reboot only.
    #[serde(default)]
    pub at_reboot: BTreeSet<String>,
    /// Its tags.
    pub tags: Tags,
}

impl DbEngine {
    /// AWS's name of it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::MySql => "mysql",
            Self::MariaDb => "mariadb",
        }
    }

    /// The engine of this name.
    pub fn find(name: &str) -> Option<Self> {
        [Self::Postgres, Self::MySql, Self::MariaDb].into_iter().find(|engine| engine.name() == name)
    }

    /// Where it listens unless told otherwise.
    pub fn default_port(self) -> u16 {
        match self {
            Self::Postgres => 5432,
            Self::MySql | Self::MariaDb => 3306,
        }
    }
}

impl DbStatus {
    /// AWS's name of it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Creating => "creating",
            Self::Available => "available",
            Self::Modifying => "modifying",
            Self::Rebooting => "rebooting",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::Starting => "starting",
            Self::Deleting => "deleting",
            Self::Failed => "failed",
        }
    }
}
