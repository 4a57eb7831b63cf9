//! `ModifyDBInstance`.

use linkway_model::Snapshot;
use linkway_model::database::{DbInstance, DbStatus};
use linkway_model::network_interface::NetworkInterface;
use linkway_model::vpc::Vpc;
use linkway_wire::rds::{CloudwatchLogsExportConfiguration, ModifyDBInstanceMessage, ModifyDBInstanceResult};
use serde_json::Value;

use super::settings::Settings;
use super::unsupported::{self, Asked};
use super::{create, credentials, describe, groups};
use crate::error::DatabaseError;
use crate::lookup::not_found;
use crate::rds::{arn, engine, name};
use crate::{Caller, Control, Error};

/// All changes are made at once, whatever `ApplyImmediately` says: there is no maintenance to wait for. Another
/// password or port is the server's to take: the DB instance is `modifying` until it has. Security groups are
/// those of its interface from now on.
pub(crate) fn modify(
    control: &Control,
    caller: &Caller,
    input: ModifyDBInstanceMessage,
) -> Result<ModifyDBInstanceResult, Error> {
    let identifier = name::required("DBInstanceIdentifier", input.db_instance_identifier.as_deref())?;
    control.write(None, |tx| {
        let mut database = DbInstance::clone(arn::find(tx, caller, identifier)?);
        let for_server = input.master_user_password.is_some() || input.db_port_number.is_some();
        let ready = match database.status {
            DbStatus::Available => true,
            // What nobody needs a server for: deletion protection, say.
            DbStatus::Failed => !for_server,
            _ => false,
        };
        if !ready {
            return Err(
                DatabaseError::InstanceState("Database instance is not in available state.".into()).into()
            );
        }
        unsupported::check_change(&input)?;
        Asked::from(&input).check(database.engine, &database.engine_version)?;
        stays(&database, &input)?;
        change(tx, caller, &mut database, &input)?;
        tx.update::<NetworkInterface>(&database.interface, |interface| {
            interface.groups.clone_from(&database.groups);
        });
        tx.put(database.clone());
        Ok(ModifyDBInstanceResult { db_instance: Some(describe::shape(tx, &database)) })
    })
}

/// Refuse what cannot be changed here.
fn stays(database: &DbInstance, input: &ModifyDBInstanceMessage) -> Result<(), Error> {
    let refuse = |why: String| Err(Error::InvalidParameterCombination(why));
    let name = &database.identifier;
    let other = |given: &Option<String>, now: &str| {
        given.clone().filter(|given| !given.is_empty() && !given.eq_ignore_ascii_case(now))
    };
    if other(&input.new_db_instance_identifier, name).is_some() {
        return refuse(format!("DB instance {name} cannot be renamed: make another one"));
    }
    if let Some(engine) = other(&input.engine, database.engine.name()) {
        return refuse(format!("DB instance {name} cannot be made a server of {engine}"));
    }
    if let Some(version) = input.engine_version.as_deref()
        && !engine::is_version(&database.engine_version, version)
    {
        return refuse(format!(
            "Cannot upgrade {} from {} to {version}: a DB instance keeps the version that it was made with",
            database.engine.name(),
            database.engine_version
        ));
    }
    if let Some(group) = other(&input.db_subnet_group_name, &database.subnet_group) {
        return Err(DatabaseError::NetworkState(format!(
            "You cannot move DB instance {name} to subnet group {group}: a DB instance keeps its DB subnet group"
        ))
        .into());
    }
    Ok(())
}

fn change(
    state: &Snapshot,
    caller: &Caller,
    database: &mut DbInstance,
    input: &ModifyDBInstanceMessage,
) -> Result<(), Error> {
    Settings::from(input).apply(database.engine, &mut database.stored)?;
    if let Some(logs) = &input.cloudwatch_logs_export_configuration {
        export_logs(database, logs);
    }
    if input.db_instance_class.is_some() {
        database.class = create::class(input.db_instance_class.as_deref())?;
    }
    if !input.vpc_security_group_ids.is_empty() {
        let vpc = state.get::<Vpc>(&database.vpc).ok_or_else(|| not_found::<Vpc>(database.vpc.as_str()))?;
        database.groups = groups::security(state, caller, &input.vpc_security_group_ids, vpc)?;
    }
    if let Some(group) = input.db_parameter_group_name.as_deref().filter(|name| !name.is_empty()) {
        let family = engine::family(database.engine, &database.engine_version);
        let group = groups::parameters(state, caller, Some(group), &family)?;
        // As on AWS, all settings of another group wait for a reboot.
        database.pending_reboot |= group != database.parameter_group;
        database.parameter_group = group;
    }
    if input.master_user_password.is_some() {
        database.master_password =
            credentials::password(database.engine, input.master_user_password.as_deref())?;
        database.status = DbStatus::Modifying;
    }
    if input.db_port_number.is_some() {
        let port = create::port(database.engine, input.db_port_number)?;
        if port != database.port {
            database.port = port;
            // The server is started again, and reads its settings.
            database.pending_reboot = false;
            database.status = DbStatus::Modifying;
        }
    }
    Ok(())
}

fn export_logs(database: &mut DbInstance, change: &CloudwatchLogsExportConfiguration) {
    let mut logs = describe::texts(database, "EnabledCloudwatchLogsExports");
    logs.retain(|log| !change.disable_log_types.contains(log));
    logs.extend(change.enable_log_types.iter().cloned());
    logs.sort();
    logs.dedup();
    database.stored.insert("EnabledCloudwatchLogsExports".into(), Value::from(logs));
}
