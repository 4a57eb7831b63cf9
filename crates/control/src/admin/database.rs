//! DB instances: what the daemon tells of their servers' lives.

use linkway_model::database::{DbInstance, DbStatus};
use linkway_model::instance::Process;
use linkway_model::network_interface::NetworkInterface;
use linkway_store::Transaction;

use crate::{Control, Error};

impl Control {
    /// A DB instance's server has a process; whether it takes connections is not known yet. Returns whether it shall
    /// run: not if it was stopped or deleted meanwhile.
    pub fn database_started(&self, arn: &str, process: Process) -> Result<bool, Error> {
        self.write(None, |tx| Ok(change(tx, arn, starts, |database| database.process = Some(process))))
    }

    /// A DB instance's server takes connections, and is as its document says. Returns whether it shall run, as
    /// [`Self::database_started`] does.
    pub fn database_running(&self, arn: &str, process: Process) -> Result<bool, Error> {
        self.write(None, |tx| {
            Ok(change(
                tx,
                arn,
                |status| starts(status) || status == DbStatus::Available,
                |database| {
                    database.process = Some(process);
                    database.status = DbStatus::Available;
                    database.reason = None;
                },
            ))
        })
    }

    /// The server of a DB instance that was to be stopped has ended.
    pub fn database_stopped(&self, arn: &str) -> Result<(), Error> {
        self.write(None, |tx| {
            change(
                tx,
                arn,
                |status| status == DbStatus::Stopping,
                |database| {
                    database.process = None;
                    database.status = DbStatus::Stopped;
                    database.reason = None;
                },
            );
            Ok(())
        })
    }

    /// The server that was `process` has ended, and nobody asked it to. It is to be started again.
    pub fn database_ended(&self, arn: &str, process: Option<Process>) -> Result<(), Error> {
        self.write(None, |tx| {
            let database = tx.get::<DbInstance>(arn);
            if database.is_some_and(|database| database.process == process) {
                change(
                    tx,
                    arn,
                    |status| status == DbStatus::Available,
                    |database| {
                        database.process = None;
                        database.status = DbStatus::Starting;
                        database.reason = Some("its server has ended, and is started again".into());
                    },
                );
            }
            Ok(())
        })
    }

    /// A step towards a running server has failed, and is tried again: `reason` says why it takes long.
    pub fn database_waits(&self, arn: &str, reason: &str) -> Result<(), Error> {
        self.write(None, |tx| {
            change(tx, arn, starts, |database| database.reason = Some(reason.to_owned()));
            Ok(())
        })
    }

    /// A DB instance's server cannot be run, and is not tried again.
    pub fn database_failed(&self, arn: &str, reason: &str) -> Result<(), Error> {
        self.write(None, |tx| {
            change(tx, arn, starts, |database| {
                database.process = None;
                database.status = DbStatus::Failed;
                database.reason = Some(reason.to_owned());
            });
            Ok(())
        })
    }

    /// The server and the files of a DB instance that was to be deleted are gone; so is the DB instance now, with its
    /// interface.
    pub fn database_removed(&self, arn: &str) -> Result<(), Error> {
        self.write(None, |tx| {
            let database = tx.get::<DbInstance>(arn).filter(|found| found.status == DbStatus::Deleting);
            if let Some(interface) = database.map(|database| database.interface.clone()) {
                tx.delete::<NetworkInterface>(&interface);
                tx.delete::<DbInstance>(arn);
            }
            Ok(())
        })
    }
}

/// Whether a server in this state is on its way to take connections.
fn starts(status: DbStatus) -> bool {
    match status {
        DbStatus::Creating | DbStatus::Modifying | DbStatus::Rebooting | DbStatus::Starting => true,
        DbStatus::Available
        | DbStatus::Stopping
        | DbStatus::Stopped
        | DbStatus::Deleting
        | DbStatus::Failed => false,
    }
}

/// Change a DB instance that is in a state of these; what comes late changes nothing. Returns whether it was.
fn change(
    tx: &mut Transaction,
    arn: &str,
    of: impl Fn(DbStatus) -> bool,
    change: impl FnOnce(&mut DbInstance),
) -> bool {
    tx.get::<DbInstance>(arn).is_some_and(|database| of(database.status)) && tx.update(arn, change)
}
