//! `DescribeDBInstances`.

use linkway_model::Snapshot;
use linkway_model::database::{DbInstance, DbStatus, DbSubnetGroup};
use linkway_wire::rds::{
    CertificateDetails, DBInstance, DBInstanceMessage, DBInstanceStatusInfo, DBParameterGroupStatus,
    DescribeDBInstancesMessage, Endpoint, OptionGroupMembership, PendingModifiedValues,
    VpcSecurityGroupMembership,
};
use serde_json::Value;

use super::unsupported::option_group;
use crate::rds::{arn, filter, page, subnet_group, tags};
use crate::{Caller, Control, Error, hosted_zone};

const FILTERS: &[&str] = &["db-cluster-id", "db-instance-id", "dbi-resource-id", "domain", "engine"];

pub(crate) fn describe(
    control: &Control,
    caller: &Caller,
    input: DescribeDBInstancesMessage,
) -> Result<DBInstanceMessage, Error> {
    filter::check(&input.filters, FILTERS)?;
    let state = control.read(None)?;
    let found = match input.db_instance_identifier.as_deref().filter(|name| !name.is_empty()) {
        Some(name) => vec![arn::find::<DbInstance>(&state, caller, name)?],
        None => arn::own(&state, caller).collect(),
    };
    let found = found.into_iter().filter(|database| {
        filter::matches(&input.filters, |name| match name {
            "db-instance-id" => vec![database.identifier.clone(), database.arn.clone()],
            "dbi-resource-id" => vec![database.resource_id.clone()],
            "engine" => vec![database.engine.name().to_owned()],
            _ => Vec::new(),
        })
    });
    let (found, marker) =
        page::cut(input.max_records, &input.marker, found, |database| database.identifier.clone())?;
    let db_instances = found.into_iter().map(|database| shape(&state, database)).collect();
    Ok(DBInstanceMessage { db_instances, marker })
}

/// Whether it may not be deleted.
pub(super) fn is_protected(database: &DbInstance) -> bool {
    flag(database, "DeletionProtection").unwrap_or_default()
}

fn flag(database: &DbInstance, name: &str) -> Option<bool> {
    database.stored.get(name).and_then(Value::as_bool)
}

fn number(database: &DbInstance, name: &str) -> Option<i32> {
    database.stored.get(name).and_then(Value::as_i64).and_then(|value| i32::try_from(value).ok())
}

fn text(database: &DbInstance, name: &str) -> Option<String> {
    database.stored.get(name).and_then(Value::as_str).map(str::to_owned)
}

pub(super) fn texts(database: &DbInstance, name: &str) -> Vec<String> {
    let list = database.stored.get(name).and_then(Value::as_array).into_iter().flatten();
    list.filter_map(|text| text.as_str().map(str::to_owned)).collect()
}

/// A DB instance as responses carry it. Its password never does.
pub(super) fn shape(state: &Snapshot, database: &DbInstance) -> DBInstance {
    let creating = database.status == DbStatus::Creating;
    let authority = text(database, "CACertificateIdentifier");
    let endpoint = Endpoint {
        address: Some(database.dns_name.clone()),
        hosted_zone_id: Some(hosted_zone::of_databases(&database.region)),
        port: Some(i32::from(database.port)),
    };
    let subnet_group =
        arn::placed::<DbSubnetGroup>(&database.region, &database.owner, &database.subnet_group);
    let subnet_group = state.get::<DbSubnetGroup>(subnet_group);
    DBInstance {
        allocated_storage: number(database, "AllocatedStorage"),
        auto_minor_version_upgrade: flag(database, "AutoMinorVersionUpgrade"),
        availability_zone: Some(database.zone.clone()),
        backup_retention_period: number(database, "BackupRetentionPeriod"),
        backup_target: text(database, "BackupTarget"),
        certificate_details: Some(CertificateDetails { ca_identifier: authority.clone(), valid_till: None }),
        ca_certificate_identifier: authority,
        copy_tags_to_snapshot: flag(database, "CopyTagsToSnapshot"),
        customer_owned_ip_enabled: Some(false),
        database_insights_mode: text(database, "DatabaseInsightsMode"),
        db_instance_arn: Some(database.arn.clone()),
        db_instance_class: Some(database.class.clone()),
        db_instance_identifier: Some(database.identifier.clone()),
        db_instance_status: Some(database.status.name().into()),
        db_name: database.database.clone(),
        db_parameter_groups: vec![DBParameterGroupStatus {
            db_parameter_group_name: Some(database.parameter_group.clone()),
            parameter_apply_status: Some(
                if database.pending_reboot { "pending-reboot" } else { "in-sync" }.into(),
            ),
        }],
        db_subnet_group: subnet_group.map(|group| subnet_group::shape(state, group)),
        // As on AWS: the port is the endpoint's.
        db_instance_port: Some(0),
        dbi_resource_id: Some(database.resource_id.clone()),
        dedicated_log_volume: flag(database, "DedicatedLogVolume"),
        deletion_protection: Some(is_protected(database)),
        enabled_cloudwatch_logs_exports: texts(database, "EnabledCloudwatchLogsExports"),
        endpoint: (!creating).then_some(endpoint),
        engine: Some(database.engine.name().into()),
        engine_lifecycle_support: text(database, "EngineLifecycleSupport"),
        engine_version: Some(database.engine_version.clone()),
        iam_database_authentication_enabled: Some(false),
        instance_create_time: (!creating).then_some(database.created),
        iops: number(database, "Iops"),
        kms_key_id: text(database, "KmsKeyId"),
        license_model: text(database, "LicenseModel"),
        master_username: Some(database.master_username.clone()),
        max_allocated_storage: number(database, "MaxAllocatedStorage"),
        monitoring_interval: number(database, "MonitoringInterval"),
        monitoring_role_arn: text(database, "MonitoringRoleArn"),
        multi_az: flag(database, "MultiAZ"),
        network_type: Some("IPV4".into()),
        option_group_memberships: vec![OptionGroupMembership {
            option_group_name: Some(option_group(database.engine, &database.engine_version)),
            status: Some("in-sync".into()),
        }],
        pending_modified_values: Some(PendingModifiedValues {
            master_user_password: creating.then(|| "****".into()),
            ..PendingModifiedValues::default()
        }),
        performance_insights_enabled: flag(database, "PerformanceInsightsEnabled"),
        performance_insights_kms_key_id: text(database, "PerformanceInsightsKMSKeyId"),
        performance_insights_retention_period: number(database, "PerformanceInsightsRetentionPeriod"),
        preferred_backup_window: text(database, "PreferredBackupWindow"),
        preferred_maintenance_window: text(database, "PreferredMaintenanceWindow"),
        publicly_accessible: Some(false),
        status_infos: database.reason.iter().map(|reason| status_info(database, reason)).collect(),
        storage_encrypted: flag(database, "StorageEncrypted"),
        storage_throughput: number(database, "StorageThroughput"),
        storage_type: text(database, "StorageType"),
        tag_list: tags::shape(&database.tags),
        vpc_security_groups: database
            .groups
            .iter()
            .map(|group| VpcSecurityGroupMembership {
                status: Some("active".into()),
                vpc_security_group_id: Some(group.to_string()),
            })
            .collect(),
        ..DBInstance::default()
    }
}

/// Why a DB instance is in its state. AWS has these for read replicas, and events for the rest.
fn status_info(database: &DbInstance, reason: &str) -> DBInstanceStatusInfo {
    DBInstanceStatusInfo {
        message: Some(reason.to_owned()),
        normal: Some(database.status != DbStatus::Failed),
        status: Some(database.status.name().into()),
        status_type: Some("server".into()),
    }
}
