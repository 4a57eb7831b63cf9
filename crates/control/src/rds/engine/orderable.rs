//! `DescribeOrderableDBInstanceOptions`.

use linkway_model::database::InstalledEngine;
use linkway_model::region::Region;
use linkway_wire::rds::{
    AvailabilityZone, DescribeOrderableDBInstanceOptionsMessage, OrderableDBInstanceOption,
    OrderableDBInstanceOptionsMessage,
};

use super::version::{installed, is_version};
use crate::rds::instance::license;
use crate::rds::{filter, page};
use crate::{Caller, Control, Error};

/// Classes that are listed. A DB instance may be of any that AWS has: none of them has an effect here.
const CLASSES: &[&str] = &[
    "db.m5.large",
    "db.m6g.large",
    "db.m6i.large",
    "db.m7g.large",
    "db.r5.large",
    "db.r6g.large",
    "db.r7g.large",
    "db.t3.large",
    "db.t3.medium",
    "db.t3.micro",
    "db.t3.small",
    "db.t4g.large",
    "db.t4g.medium",
    "db.t4g.micro",
    "db.t4g.small",
];

/// Records of a page, more than elsewhere. Source: `DescribeOrderableDBInstanceOptions` in the API Reference.
const MAX_RECORDS: i32 = 1000;

pub(crate) fn describe(
    control: &Control,
    caller: &Caller,
    input: DescribeOrderableDBInstanceOptionsMessage,
) -> Result<OrderableDBInstanceOptionsMessage, Error> {
    filter::check(&input.filters, &[])?;
    let mut servers = installed(control);
    servers.retain(|server| {
        input.engine.as_deref() == Some(server.engine.name())
            && input.engine_version.as_deref().is_none_or(|asked| is_version(&server.version, asked))
            && input.license_model.as_deref().is_none_or(|asked| license(server.engine) == asked)
            && input.vpc != Some(false)
    });
    servers.sort_by(|a, b| a.version.cmp(&b.version));
    let options = servers.iter().flat_map(|server| {
        let classes = CLASSES.iter();
        let asked = |class: &&&str| input.db_instance_class.as_deref().is_none_or(|asked| **class == asked);
        classes.filter(asked).map(move |class| (server, *class))
    });
    let key = |(server, class): &(&InstalledEngine, &str)| format!("{} {class}", server.version);
    let (options, marker) = page::cut_at(MAX_RECORDS, input.max_records, &input.marker, options, key)?;
    let orderable_db_instance_options =
        options.into_iter().map(|(server, class)| shape(caller, server, class)).collect();
    Ok(OrderableDBInstanceOptionsMessage { marker, orderable_db_instance_options })
}

fn shape(caller: &Caller, server: &InstalledEngine, class: &str) -> OrderableDBInstanceOption {
    let zones = Region::find(&caller.region).into_iter().flat_map(|region| region.zones);
    OrderableDBInstanceOption {
        availability_zones: zones.map(|zone| AvailabilityZone { name: Some(zone.name.into()) }).collect(),
        db_instance_class: Some(class.into()),
        engine: Some(server.engine.name().into()),
        engine_version: Some(server.version.clone()),
        license_model: Some(license(server.engine).into()),
        max_storage_size: Some(65_536),
        min_storage_size: Some(20),
        multi_az_capable: Some(false),
        outpost_capable: Some(false),
        read_replica_capable: Some(false),
        storage_type: Some("gp3".into()),
        supported_engine_modes: vec!["provisioned".into()],
        supported_network_types: vec!["IPV4".into()],
        supports_clusters: Some(false),
        supports_enhanced_monitoring: Some(false),
        supports_global_databases: Some(false),
        supports_iam_database_authentication: Some(false),
        supports_iops: Some(false),
        supports_kerberos_authentication: Some(false),
        supports_performance_insights: Some(false),
        supports_storage_autoscaling: Some(false),
        supports_storage_encryption: Some(false),
        supports_storage_throughput: Some(false),
        vpc: Some(true),
        ..OrderableDBInstanceOption::default()
    }
}
