//! Settings that a local server cannot honour: checked as on AWS, kept under the members' names, and answered.

use std::collections::BTreeMap;

use linkway_model::database::DbEngine;
use linkway_wire::rds::{CreateDBInstanceMessage, ModifyDBInstanceMessage};
use serde_json::Value;

use super::window;
use crate::Error;
use crate::error::DatabaseError;
use crate::rds::invalid;

/// A DB instance's `stored`.
pub(super) type Stored = BTreeMap<String, Value>;

/// The certificate authorities that AWS has for RDS. Source: "Certificate authorities" in the RDS User Guide.
const AUTHORITIES: [&str; 3] = ["rds-ca-rsa2048-g1", "rds-ca-rsa4096-g1", "rds-ca-ecc384-g1"];

/// Declares what both requests have, and how it is taken from either.
macro_rules! settings {
    ($($field:ident: $type:ty,)*) => {
        /// What a request sets.
        #[derive(Default)]
        pub(super) struct Settings {
            $(pub(super) $field: Option<$type>,)*
        }

        impl From<&CreateDBInstanceMessage> for Settings {
            fn from(input: &CreateDBInstanceMessage) -> Self {
                Self { $($field: input.$field.clone(),)* }
            }
        }

        impl From<&ModifyDBInstanceMessage> for Settings {
            fn from(input: &ModifyDBInstanceMessage) -> Self {
                Self { $($field: input.$field.clone(),)* }
            }
        }
    };
}

settings! {
    allocated_storage: i32,
    auto_minor_version_upgrade: bool,
    backup_retention_period: i32,
    ca_certificate_identifier: String,
    copy_tags_to_snapshot: bool,
    database_insights_mode: String,
    dedicated_log_volume: bool,
    deletion_protection: bool,
    enable_performance_insights: bool,
    iops: i32,
    license_model: String,
    max_allocated_storage: i32,
    monitoring_interval: i32,
    monitoring_role_arn: String,
    multi_az: bool,
    performance_insights_kms_key_id: String,
    performance_insights_retention_period: i32,
    preferred_backup_window: String,
    preferred_maintenance_window: String,
    storage_throughput: i32,
    storage_type: String,
}

/// AWS's defaults of a new DB instance. `seed` is a number of its own, for what AWS chooses at random.
pub(super) fn usual(engine: DbEngine, seed: usize) -> Stored {
    let (backup, maintenance) = window::usual(seed);
    let values: [(&str, Value); 14] = [
        ("AutoMinorVersionUpgrade", true.into()),
        ("BackupRetentionPeriod", 1.into()),
        ("BackupTarget", "region".into()),
        ("CACertificateIdentifier", AUTHORITIES[0].into()),
        ("CopyTagsToSnapshot", false.into()),
        ("DatabaseInsightsMode", "standard".into()),
        ("DedicatedLogVolume", false.into()),
        ("DeletionProtection", false.into()),
        ("LicenseModel", license(engine).into()),
        ("MonitoringInterval", 0.into()),
        ("MultiAZ", false.into()),
        ("PerformanceInsightsEnabled", false.into()),
        ("PreferredBackupWindow", backup.into()),
        ("PreferredMaintenanceWindow", maintenance.into()),
    ];
    values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The one license model of an engine.
pub(in crate::rds) fn license(engine: DbEngine) -> &'static str {
    match engine {
        DbEngine::Postgres => "postgresql-license",
        DbEngine::MySql | DbEngine::MariaDb => "general-public-license",
    }
}

impl Settings {
    /// Put what the request sets to what is stored, after checking all of it together.
    pub(super) fn apply(self, engine: DbEngine, stored: &mut Stored) -> Result<(), Error> {
        self.check(engine)?;
        grows(stored, self.allocated_storage)?;
        if self.monitoring_interval == Some(0) {
            // Without monitoring its role is not used, and need not be taken back by another parameter.
            stored.remove("MonitoringRoleArn");
        }
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                stored.insert(name.to_owned(), value);
            }
        };
        put("AllocatedStorage", self.allocated_storage.map(Value::from));
        put("AutoMinorVersionUpgrade", self.auto_minor_version_upgrade.map(Value::from));
        put("BackupRetentionPeriod", self.backup_retention_period.map(Value::from));
        put("CACertificateIdentifier", self.ca_certificate_identifier.map(Value::from));
        put("CopyTagsToSnapshot", self.copy_tags_to_snapshot.map(Value::from));
        put("DatabaseInsightsMode", self.database_insights_mode.map(Value::from));
        put("DedicatedLogVolume", self.dedicated_log_volume.map(Value::from));
        put("DeletionProtection", self.deletion_protection.map(Value::from));
        put("Iops", self.iops.map(Value::from));
        put("MaxAllocatedStorage", self.max_allocated_storage.map(Value::from));
        put("MonitoringInterval", self.monitoring_interval.map(Value::from));
        let role = self.monitoring_role_arn.filter(|role| !role.is_empty());
        put("MonitoringRoleArn", role.map(Value::from));
        put("MultiAZ", self.multi_az.map(Value::from));
        put("PerformanceInsightsEnabled", self.enable_performance_insights.map(Value::from));
        put("PerformanceInsightsKMSKeyId", self.performance_insights_kms_key_id.map(Value::from));
        put(
            "PerformanceInsightsRetentionPeriod",
            self.performance_insights_retention_period.map(Value::from),
        );
        put("PreferredBackupWindow", self.preferred_backup_window.map(Value::from));
        let maintenance = self.preferred_maintenance_window.map(|window| window.to_ascii_lowercase());
        put("PreferredMaintenanceWindow", maintenance.map(Value::from));
        put("StorageThroughput", self.storage_throughput.map(Value::from));
        // As on AWS, who asks for IOPS and no type gets `io1`.
        let provisioned = self.iops.filter(|_| !stored.contains_key("StorageType")).map(|_| "io1".to_owned());
        if let Some(kind) = self.storage_type.or(provisioned) {
            stored.insert("StorageType".to_owned(), kind.into());
        }
        check_together(engine, stored)
    }

    /// Check each value by itself.
    fn check(&self, engine: DbEngine) -> Result<(), Error> {
        if let Some(days) = self.backup_retention_period.filter(|days| !(0..=35).contains(days)) {
            return Err(invalid(format!(
                "Invalid backup retention period: {days}. Retention period must be between 0 and 35."
            )));
        }
        if let Some(seconds) =
            self.monitoring_interval.filter(|given| ![0, 1, 5, 10, 15, 30, 60].contains(given))
        {
            return Err(invalid(format!(
                "Invalid MonitoringInterval: {seconds}. Valid values: 0, 1, 5, 10, 15, 30, 60"
            )));
        }
        if let Some(name) =
            self.ca_certificate_identifier.as_deref().filter(|name| !AUTHORITIES.contains(name))
        {
            return Err(DatabaseError::CertificateNotFound(name.to_owned()).into());
        }
        if let Some(model) = self.license_model.as_deref().filter(|model| *model != license(engine)) {
            return Err(invalid(format!(
                "Invalid license model '{model}' for engine '{}'. Valid license models are: {}.",
                engine.name(),
                license(engine)
            )));
        }
        if let Some(mode) =
            self.database_insights_mode.as_deref().filter(|mode| !["standard", "advanced"].contains(mode))
        {
            return Err(invalid(format!(
                "Invalid DatabaseInsightsMode: {mode}. Valid values: standard, advanced"
            )));
        }
        Ok(())
    }
}

/// Refuse less storage than there is.
fn grows(stored: &Stored, wanted: Option<i32>) -> Result<(), Error> {
    let now = stored.get("AllocatedStorage").and_then(Value::as_i64);
    match (wanted.map(i64::from), now) {
        (Some(wanted), Some(now)) if wanted < now => Err(Error::InvalidParameterCombination(format!(
            "Requested storage size ({wanted}) cannot be lower than current storage size ({now})"
        ))),
        _ => Ok(()),
    }
}

/// Storage below which gp3 has its baseline and no other performance, in GiB, and that baseline. Source: "gp3
/// storage" in the RDS User Guide.
const BASELINE_BELOW: i64 = 400;
const BASELINE: (i64, i64) = (3000, 125);

/// Check what depends on each other, and fill in what follows from it.
fn check_together(engine: DbEngine, stored: &mut Stored) -> Result<(), Error> {
    let engine = engine.name();
    let kind = stored.entry("StorageType".to_owned()).or_insert_with(|| "gp3".into());
    let kind = kind.as_str().unwrap_or_default().to_owned();
    let least = match kind.as_str() {
        "gp2" | "gp3" => 20,
        "io1" | "io2" => 100,
        "standard" => 5,
        _ => return Err(invalid(format!("Invalid storage type: {kind}"))),
    };
    let most = if kind == "standard" { 3072 } else { 65_536 };
    let Some(size) = stored.get("AllocatedStorage").and_then(Value::as_i64) else {
        return Err(invalid("The parameter AllocatedStorage must be provided and must not be blank."));
    };
    if !(least..=most).contains(&size) {
        return Err(invalid(format!(
            "Invalid storage size for engine name {engine} and storage type {kind}: {size}"
        )));
    }
    if let Some(most) = stored.get("MaxAllocatedStorage").and_then(Value::as_i64)
        && most <= size
    {
        return Err(Error::InvalidParameterCombination(
            "Max storage size must be greater than storage size".into(),
        ));
    }
    performance(engine, &kind, size, stored)?;
    let monitored = stored.get("MonitoringInterval").and_then(Value::as_i64).unwrap_or_default() > 0;
    if monitored != stored.contains_key("MonitoringRoleArn") {
        return Err(Error::InvalidParameterCombination(if monitored {
            "A MonitoringRoleARN value is required if you specify a MonitoringInterval value other than 0."
                .into()
        } else {
            "You must specify a MonitoringInterval value other than 0 when you specify a MonitoringRoleARN value."
                .to_owned()
        }));
    }
    let text = |name: &str| stored.get(name).and_then(Value::as_str).unwrap_or_default();
    window::check(text("PreferredBackupWindow"), text("PreferredMaintenanceWindow"))
}

/// IOPS and throughput: given where the storage type needs them, its own where it has such.
fn performance(engine: &str, kind: &str, size: i64, stored: &mut Stored) -> Result<(), Error> {
    let given = |name: &str| stored.get(name).and_then(Value::as_i64);
    let (iops, throughput) = (given("Iops"), given("StorageThroughput"));
    let baseline = |given: Option<i64>, usual: i64| given.is_none_or(|given| given == usual);
    match kind {
        "gp3" if size < BASELINE_BELOW => {
            if !baseline(iops, BASELINE.0) || !baseline(throughput, BASELINE.1) {
                return Err(Error::InvalidParameterCombination(format!(
                    "You can't specify IOPS or storage throughput for engine {engine} and a storage size less than \
                     {BASELINE_BELOW}."
                )));
            }
            stored.insert("Iops".into(), BASELINE.0.into());
            stored.insert("StorageThroughput".into(), BASELINE.1.into());
        }
        "gp3" => {
            stored.insert("Iops".into(), iops.unwrap_or_default().max(4 * BASELINE.0).into());
            stored.insert(
                "StorageThroughput".into(),
                throughput.unwrap_or_default().max(4 * BASELINE.1).into(),
            );
        }
        "io1" | "io2" => {
            if iops.is_none_or(|iops| iops < 1000) {
                return Err(Error::InvalidParameterCombination(format!(
                    "You must specify IOPS, 1000 or more, for the storage type {kind}"
                )));
            }
            stored.remove("StorageThroughput");
        }
        _ => {
            stored.remove("Iops");
            stored.remove("StorageThroughput");
        }
    }
    Ok(())
}
