//! `CreateDBInstance`.

use linkway_model::database::{DbEngine, DbInstance, DbStatus, DbSubnetGroup};
use linkway_model::vpc::Vpc;
use linkway_model::{InstanceId, random_label};
use linkway_store::Transaction;
use linkway_wire::rds::{CreateDBInstanceMessage, CreateDBInstanceResult};
use sha2::{Digest, Sha256};

use super::settings::{self, Settings, Stored};
use super::unsupported::{self, Asked};
use super::{credentials, describe, groups, place};
use crate::error::DatabaseError;
use crate::lookup::not_found;
use crate::rds::{arn, engine, invalid, name, subnet_group, tags};
use crate::{Caller, Control, Error};

/// DB instances that an account may have in a region. Source: "Quotas and constraints for Amazon RDS" in the RDS
/// User Guide.
const MAX_INSTANCES: usize = 40;

/// What may be asked for of an engine's old versions.
const LIFECYCLES: [&str; 2] =
    ["open-source-rds-extended-support", "open-source-rds-extended-support-disabled"];

pub(crate) fn create(
    control: &Control,
    caller: &Caller,
    input: CreateDBInstanceMessage,
) -> Result<CreateDBInstanceResult, Error> {
    control.write(None, |tx| {
        let database = make(control, tx, caller, &input)?;
        tx.put(database.clone());
        Ok(CreateDBInstanceResult { db_instance: Some(describe::shape(tx, &database)) })
    })
}

fn make(
    control: &Control,
    tx: &mut Transaction,
    caller: &Caller,
    input: &CreateDBInstanceMessage,
) -> Result<DbInstance, Error> {
    let identifier = input.db_instance_identifier.as_deref();
    let identifier = name::identifier("DBInstanceIdentifier", identifier, name::MAX_INSTANCE)?;
    let class = class(input.db_instance_class.as_deref())?;
    let engine_name = name::required("Engine", input.engine.as_deref())?;
    let server = engine::wanted(control, engine_name, input.engine_version.as_deref())?;
    let engine = server.engine;
    unsupported::check_new(input)?;
    Asked::from(input).check(engine, &server.version)?;
    let master_username = credentials::master_username(engine, input.master_username.as_deref())?;
    let master_password = credentials::password(engine, input.master_user_password.as_deref())?;
    let database = credentials::database(engine, input.db_name.as_deref())?;
    let port = port(engine, input.port)?;
    let resource_id = format!("db-{}", random_label(26).to_uppercase());
    let stored = stored(engine, &resource_id, input)?;

    let arn = arn::made::<DbInstance>(caller, &identifier);
    if tx.get::<DbInstance>(&arn).is_some() {
        return Err(DatabaseError::InstanceExists.into());
    }
    if arn::own::<DbInstance>(tx, caller).count() >= MAX_INSTANCES {
        return Err(DatabaseError::InstanceQuota(MAX_INSTANCES).into());
    }
    let group = match input.db_subnet_group_name.as_deref().filter(|name| !name.is_empty()) {
        Some(name) => DbSubnetGroup::clone(arn::find::<DbSubnetGroup>(tx, caller, name)?),
        None => subnet_group::default(tx, caller)?,
    };
    let vpc = tx.get::<Vpc>(&group.vpc).ok_or_else(|| not_found::<Vpc>(group.vpc.as_str()));
    let vpc = vpc.map_err(|error| DatabaseError::NetworkState(error.to_string()))?;
    let security = groups::security(tx, caller, &input.vpc_security_group_ids, vpc)?;
    let family = engine::family(engine, &server.version);
    let parameter_group = groups::parameters(tx, caller, input.db_parameter_group_name.as_deref(), &family)?;
    let zone = input.availability_zone.as_deref().filter(|zone| !zone.is_empty());
    if zone.is_some() && input.multi_az == Some(true) {
        return Err(Error::InvalidParameterCombination(
            "Requesting a specific availability zone is not valid for Multi-AZ instances.".into(),
        ));
    }
    let (interface, subnet) = place::interface(tx, &arn, &group, zone, &security, control.now())?;
    Ok(DbInstance {
        arn,
        dns_name: format!("{identifier}.{}.{}.rds.amazonaws.com", domain(caller), caller.region),
        identifier,
        resource_id,
        owner: caller.account.clone(),
        region: caller.region.clone(),
        engine,
        engine_version: server.version,
        class,
        master_username,
        master_password,
        database,
        port,
        vpc: group.vpc,
        subnet_group: group.name,
        subnet: subnet.id,
        zone: subnet.zone,
        instance: InstanceId::random(),
        interface: interface.id,
        groups: security,
        parameter_group,
        pending_reboot: false,
        status: DbStatus::Creating,
        reason: None,
        process: None,
        stored,
        created: control.now(),
        tags: tags::of_new(&input.tags)?,
    })
}

/// A class of AWS's form, such as `db.t3.micro`.
pub(super) fn class(given: Option<&str>) -> Result<String, Error> {
    let class = name::required("DBInstanceClass", given)?;
    let parts: Vec<&str> = class.split('.').collect();
    let word = |part: &&str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    if parts.len() < 3 || parts[0] != "db" || !parts.iter().all(word) || class.len() > 64 {
        return Err(invalid(format!("Invalid DB Instance class: {class}")));
    }
    Ok(class.to_owned())
}

/// A port that a DB instance may listen on.
pub(super) fn port(engine: DbEngine, given: Option<i32>) -> Result<u16, Error> {
    let Some(given) = given else { return Ok(engine.default_port()) };
    u16::try_from(given)
        .ok()
        .filter(|port| *port >= 1150)
        .ok_or_else(|| invalid(format!("Invalid database port: {given}. Valid port range is 1150-65535.")))
}

fn stored(engine: DbEngine, resource_id: &str, input: &CreateDBInstanceMessage) -> Result<Stored, Error> {
    let seed = Sha256::digest(resource_id);
    let mut stored = settings::usual(engine, usize::from(seed[0]) << 8 | usize::from(seed[1]));
    Settings::from(input).apply(engine, &mut stored)?;
    let mut put = |name: &str, value: serde_json::Value| stored.insert(name.to_owned(), value);
    put("StorageEncrypted", input.storage_encrypted.unwrap_or_default().into());
    if let Some(key) = &input.kms_key_id {
        if input.storage_encrypted != Some(true) {
            return Err(Error::InvalidParameterCombination(
                "KmsKeyId is for DB instances with StorageEncrypted".into(),
            ));
        }
        put("KmsKeyId", key.clone().into());
    }
    let support = input.engine_lifecycle_support.as_deref().unwrap_or(LIFECYCLES[0]);
    if !LIFECYCLES.contains(&support) {
        return Err(invalid(format!(
            "Invalid EngineLifecycleSupport: {support}. Valid values: {}",
            LIFECYCLES.join(", ")
        )));
    }
    put("EngineLifecycleSupport", support.into());
    put("EnabledCloudwatchLogsExports", input.enable_cloudwatch_logs_exports.clone().into());
    Ok(stored)
}

/// What an account's DB instances in a region have in common in their DNS names: twelve letters and digits, the
/// first a `c`.
fn domain(caller: &Caller) -> String {
    const LETTERS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    let digest = Sha256::digest(format!("rds {} {}", caller.account, caller.region));
    let letter = |byte: &u8| char::from(LETTERS[usize::from(*byte) % LETTERS.len()]);
    std::iter::once('c').chain(digest.iter().take(11).map(letter)).collect()
}
