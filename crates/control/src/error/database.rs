//! What can stand against an operation of RDS.
//!
//! Sources: the errors of each action in the Amazon RDS API Reference, with their HTTP statuses, and messages that
//! AWS's own responses carry.

/// Why an operation of RDS was refused.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The caller has no DB instance of this name.
    #[error("DBInstance {0} not found.")]
    InstanceNotFound(String),
    /// The caller has a DB instance of this name.
    #[error("DB instance already exists")]
    InstanceExists,
    /// The DB instance's state does not allow it; the message is the whole of it.
    #[error("{0}")]
    InstanceState(String),
    /// More DB instances than an account may have in a region.
    #[error("DB Instance quota exceeded: an account may have {0} DB instances in a region")]
    InstanceQuota(usize),
    /// The caller has no DB subnet group of this name.
    #[error("DB subnet group '{0}' does not exist.")]
    SubnetGroupNotFound(String),
    /// The caller has a DB subnet group of this name.
    #[error("The DB subnet group '{0}' already exists.")]
    SubnetGroupExists(String),
    /// The DB subnet group is in use; the message is the whole of it.
    #[error("{0}")]
    SubnetGroupState(String),
    /// More DB subnet groups than an account may have in a region.
    #[error("DB subnet group quota exceeded: an account may have {0} DB subnet groups in a region")]
    SubnetGroupQuota(usize),
    /// More subnets than a group may have.
    #[error("The number of subnets in a DB subnet group cannot exceed {0}")]
    SubnetQuota(usize),
    /// Subnets in fewer than two zones.
    #[error(
        "The DB subnet group doesn't meet Availability Zone (AZ) coverage requirement. Current AZ coverage: {0}. \
         Add subnets to cover at least 2 AZs."
    )]
    ZonesNotCovered(String),
    /// Subnets that a group or a DB instance cannot have; the message is the whole of it.
    #[error("{0}")]
    InvalidSubnet(String),
    /// A subnet that a change would take from a DB instance.
    #[error("Some of the subnets to be deleted are currently in use: {0}")]
    SubnetInUse(String),
    /// The VPC is not fit for it; the message is the whole of it.
    #[error("{0}")]
    NetworkState(String),
    /// The caller has no DB parameter group of this name.
    #[error("DBParameterGroup not found: {0}")]
    ParameterGroupNotFound(String),
    /// The caller has a DB parameter group of this name.
    #[error("Parameter group {0} already exists")]
    ParameterGroupExists(String),
    /// The DB parameter group is in use, or one of AWS's own; the message is the whole of it.
    #[error("{0}")]
    ParameterGroupState(String),
    /// More DB parameter groups than an account may have in a region.
    #[error("DB parameter group quota exceeded: an account may have {0} DB parameter groups in a region")]
    ParameterGroupQuota(usize),
    /// There are no option groups but AWS's own.
    #[error("Specified OptionGroupName: {0} not found.")]
    OptionGroupNotFound(String),
    /// There are no DB clusters.
    #[error("DBCluster {0} not found.")]
    ClusterNotFound(String),
    /// There are no DB snapshots.
    #[error("DBSnapshot {0} not found.")]
    SnapshotNotFound(String),
    /// Not a certificate authority of RDS.
    #[error("Certificate {0} not found.")]
    CertificateNotFound(String),
    /// DB instances have IPv4 addresses only.
    #[error("The network type {0} is not supported: DB instances have IPv4 addresses only")]
    NetworkType(String),
}

impl DatabaseError {
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::InstanceNotFound(_) => "DBInstanceNotFound",
            Self::InstanceExists => "DBInstanceAlreadyExists",
            Self::InstanceState(_) => "InvalidDBInstanceState",
            Self::InstanceQuota(_) => "InstanceQuotaExceeded",
            Self::SubnetGroupNotFound(_) => "DBSubnetGroupNotFoundFault",
            Self::SubnetGroupExists(_) => "DBSubnetGroupAlreadyExists",
            Self::SubnetGroupState(_) => "InvalidDBSubnetGroupStateFault",
            Self::SubnetGroupQuota(_) => "DBSubnetGroupQuotaExceeded",
            Self::SubnetQuota(_) => "DBSubnetQuotaExceededFault",
            Self::ZonesNotCovered(_) => "DBSubnetGroupDoesNotCoverEnoughAZs",
            Self::InvalidSubnet(_) => "InvalidSubnet",
            Self::SubnetInUse(_) => "SubnetAlreadyInUse",
            Self::NetworkState(_) => "InvalidVPCNetworkStateFault",
            Self::ParameterGroupNotFound(_) => "DBParameterGroupNotFound",
            Self::ParameterGroupExists(_) => "DBParameterGroupAlreadyExists",
            Self::ParameterGroupState(_) => "InvalidDBParameterGroupState",
            Self::ParameterGroupQuota(_) => "DBParameterGroupQuotaExceeded",
            Self::OptionGroupNotFound(_) => "OptionGroupNotFoundFault",
            Self::ClusterNotFound(_) => "DBClusterNotFoundFault",
            Self::SnapshotNotFound(_) => "DBSnapshotNotFound",
            Self::CertificateNotFound(_) => "CertificateNotFound",
            Self::NetworkType(_) => "NetworkTypeNotSupported",
        }
    }

    /// The HTTP status: RDS has its own for what is not there.
    pub(super) fn status(&self) -> u16 {
        match self {
            Self::InstanceNotFound(_)
            | Self::SubnetGroupNotFound(_)
            | Self::ParameterGroupNotFound(_)
            | Self::OptionGroupNotFound(_)
            | Self::ClusterNotFound(_)
            | Self::SnapshotNotFound(_)
            | Self::CertificateNotFound(_) => 404,
            _ => 400,
        }
    }
}
