//! `DeleteDBInstance`.

use linkway_model::database::{DbInstance, DbStatus};
use linkway_wire::rds::{DeleteDBInstanceMessage, DeleteDBInstanceResult};

use super::describe;
use crate::error::DatabaseError;
use crate::rds::{arn, name};
use crate::{Caller, Control, Error};

/// The DB instance is there, `deleting`, until its server and its files are gone.
pub(crate) fn delete(
    control: &Control,
    caller: &Caller,
    input: DeleteDBInstanceMessage,
) -> Result<DeleteDBInstanceResult, Error> {
    let identifier = name::required("DBInstanceIdentifier", input.db_instance_identifier.as_deref())?;
    let snapshot = input.final_db_snapshot_identifier.as_deref().filter(|name| !name.is_empty());
    control.write(None, |tx| {
        let mut database = DbInstance::clone(arn::find(tx, caller, identifier)?);
        if database.status == DbStatus::Deleting {
            return Err(DatabaseError::InstanceState(format!(
                "Instance {} is already being deleted.",
                database.identifier
            ))
            .into());
        }
        let refuse = |why: &str| Err(Error::InvalidParameterCombination(why.to_owned()));
        match (input.skip_final_snapshot == Some(true), snapshot) {
            (true, None) => {}
            (true, Some(_)) => {
                return refuse("FinalDBSnapshotIdentifier cannot be specified when SkipFinalSnapshot is specified.");
            }
            (false, None) => {
                return refuse("FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.");
            }
            (false, Some(_)) => {
                return refuse(
                    "There are no DB snapshots, so no final one can be kept. Specify SkipFinalSnapshot, and all of \
                     the DB instance's data is lost",
                );
            }
        }
        if describe::is_protected(&database) {
            return refuse(
                "Cannot delete protected DB Instance, please disable deletion protection and try again.",
            );
        }
        database.status = DbStatus::Deleting;
        database.reason = None;
        tx.put(database.clone());
        Ok(DeleteDBInstanceResult { db_instance: Some(describe::shape(tx, &database)) })
    })
}
