//! What does not exist here: asked about, there is none of it.

use linkway_wire::rds::{
    DBClusterMessage, DBSnapshotMessage, DescribeDBClustersMessage, DescribeDBSnapshotsMessage,
    DescribePendingMaintenanceActionsMessage, PendingMaintenanceActionsMessage,
};

use crate::error::DatabaseError;
use crate::{Caller, Control, Error};

/// `DescribeDBClusters`.
pub(crate) fn clusters(
    _: &Control,
    _: &Caller,
    input: DescribeDBClustersMessage,
) -> Result<DBClusterMessage, Error> {
    match input.db_cluster_identifier.filter(|name| !name.is_empty()) {
        Some(name) => Err(DatabaseError::ClusterNotFound(name).into()),
        None => Ok(DBClusterMessage::default()),
    }
}

/// `DescribeDBSnapshots`.
pub(crate) fn snapshots(
    _: &Control,
    _: &Caller,
    input: DescribeDBSnapshotsMessage,
) -> Result<DBSnapshotMessage, Error> {
    match input.db_snapshot_identifier.filter(|name| !name.is_empty()) {
        Some(name) => Err(DatabaseError::SnapshotNotFound(name).into()),
        None => Ok(DBSnapshotMessage::default()),
    }
}

/// `DescribePendingMaintenanceActions`.
pub(crate) fn maintenance(
    _: &Control,
    _: &Caller,
    _: DescribePendingMaintenanceActionsMessage,
) -> Result<PendingMaintenanceActionsMessage, Error> {
    Ok(PendingMaintenanceActionsMessage::default())
}
