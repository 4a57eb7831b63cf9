//! `StartDBInstance`, `StopDBInstance`, `RebootDBInstance`.

use linkway_model::database::{DbInstance, DbStatus};
use linkway_wire::rds::{
    DBInstance, RebootDBInstanceMessage, RebootDBInstanceResult, StartDBInstanceMessage,
    StartDBInstanceResult, StopDBInstanceMessage, StopDBInstanceResult,
};

use super::describe;
use crate::error::DatabaseError;
use crate::rds::{arn, name};
use crate::{Caller, Control, Error};

pub(crate) fn start(
    control: &Control,
    caller: &Caller,
    input: StartDBInstanceMessage,
) -> Result<StartDBInstanceResult, Error> {
    let identifier = input.db_instance_identifier.as_deref();
    let database = change(control, caller, identifier, |database| {
        if database.status != DbStatus::Stopped {
            return Err(format!(
                "Instance {} cannot be started as it is not in one of the following statuses: 'stopped'.",
                database.identifier
            ));
        }
        database.status = DbStatus::Starting;
        database.pending_reboot = false;
        Ok(())
    })?;
    Ok(StartDBInstanceResult { db_instance: Some(database) })
}

pub(crate) fn stop(
    control: &Control,
    caller: &Caller,
    input: StopDBInstanceMessage,
) -> Result<StopDBInstanceResult, Error> {
    if input.db_snapshot_identifier.is_some_and(|name| !name.is_empty()) {
        return Err(Error::InvalidParameterCombination(
            "There are no DB snapshots. Leave out DBSnapshotIdentifier".into(),
        ));
    }
    let database = change(control, caller, input.db_instance_identifier.as_deref(), |database| {
        if database.status != DbStatus::Available {
            return Err(format!("Instance {} is not in available state.", database.identifier));
        }
        database.status = DbStatus::Stopping;
        Ok(())
    })?;
    Ok(StopDBInstanceResult { db_instance: Some(database) })
}

/// A reboot is also the way back from `failed`, as it is on AWS from `incompatible-parameters`.
pub(crate) fn reboot(
    control: &Control,
    caller: &Caller,
    input: RebootDBInstanceMessage,
) -> Result<RebootDBInstanceResult, Error> {
    if input.force_failover == Some(true) {
        return Err(Error::InvalidParameterCombination(
            "There is no standby to fail over to. Leave out ForceFailover".into(),
        ));
    }
    let database = change(control, caller, input.db_instance_identifier.as_deref(), |database| {
        if !matches!(database.status, DbStatus::Available | DbStatus::Failed) {
            return Err(format!("Instance {} is not in available state.", database.identifier));
        }
        database.status = DbStatus::Rebooting;
        database.pending_reboot = false;
        Ok(())
    })?;
    Ok(RebootDBInstanceResult { db_instance: Some(database) })
}

/// Change the state of the DB instance of this name, or say why it cannot be.
fn change(
    control: &Control,
    caller: &Caller,
    identifier: Option<&str>,
    work: impl FnOnce(&mut DbInstance) -> Result<(), String>,
) -> Result<DBInstance, Error> {
    let identifier = name::required("DBInstanceIdentifier", identifier)?;
    control.write(None, |tx| {
        let mut database = DbInstance::clone(arn::find(tx, caller, identifier)?);
        work(&mut database).map_err(DatabaseError::InstanceState)?;
        database.reason = None;
        tx.put(database.clone());
        Ok(describe::shape(tx, &database))
    })
}
