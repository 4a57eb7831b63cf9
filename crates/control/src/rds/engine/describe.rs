//! `DescribeDBEngineVersions`: the servers that this host has.

use linkway_model::database::{DbEngine, InstalledEngine};
use linkway_wire::rds::{DBEngineVersion, DBEngineVersionMessage, DescribeDBEngineVersionsMessage};

use super::version::{family, installed, is_version, major};
use crate::rds::{filter, invalid, page};
use crate::{Caller, Control, Error};

const FILTERS: &[&str] = &["db-parameter-group-family", "engine", "engine-mode", "engine-version", "status"];

pub(crate) fn describe(
    control: &Control,
    _caller: &Caller,
    input: DescribeDBEngineVersionsMessage,
) -> Result<DBEngineVersionMessage, Error> {
    filter::check(&input.filters, FILTERS)?;
    if let Some(engine) = input.engine.as_deref()
        && DbEngine::find(engine).is_none()
    {
        return Err(invalid(format!("Unrecognized engine name: {engine}")));
    }
    let mut found = installed(control);
    found.retain(|server| {
        let family = family(server.engine, &server.version);
        input.engine.as_deref().is_none_or(|engine| server.engine.name() == engine)
            && input.engine_version.as_deref().is_none_or(|asked| is_version(&server.version, asked))
            && input.db_parameter_group_family.as_deref().is_none_or(|asked| family == asked)
            && filter::matches(&input.filters, |name| match name {
                "db-parameter-group-family" => vec![family.clone()],
                "engine" => vec![server.engine.name().into()],
                "engine-mode" => vec!["provisioned".into()],
                "engine-version" => vec![server.version.clone()],
                _ => vec!["available".into()],
            })
    });
    if input.default_only == Some(true) {
        // The newest of each engine comes first.
        found.dedup_by_key(|server| server.engine);
    }
    // In the order of their keys, as pages need it.
    found.sort_by_key(key);
    let (found, marker) = page::cut(input.max_records, &input.marker, found, key)?;
    Ok(DBEngineVersionMessage { db_engine_versions: found.iter().map(shape).collect(), marker })
}

fn key(server: &InstalledEngine) -> String {
    format!("{} {}", server.engine.name(), server.version)
}

fn shape(server: &InstalledEngine) -> DBEngineVersion {
    let InstalledEngine { engine, version } = server;
    let (description, logs): (_, &[&str]) = match engine {
        DbEngine::Postgres => ("PostgreSQL", &["postgresql", "upgrade"]),
        DbEngine::MySql => ("MySQL", &["error", "general", "slowquery"]),
        DbEngine::MariaDb => ("MariaDB", &["error", "general", "slowquery"]),
    };
    DBEngineVersion {
        db_engine_description: Some(description.into()),
        db_engine_version_description: Some(format!("{description} {version}")),
        db_parameter_group_family: Some(family(*engine, version)),
        engine: Some(engine.name().into()),
        engine_version: Some(version.clone()),
        exportable_log_types: logs.iter().map(ToString::to_string).collect(),
        major_engine_version: Some(major(*engine, version)),
        status: Some("available".into()),
        supported_engine_modes: vec!["provisioned".into()],
        supports_global_databases: Some(false),
        supports_log_exports_to_cloudwatch_logs: Some(false),
        supports_parallel_query: Some(false),
        supports_read_replica: Some(false),
        ..DBEngineVersion::default()
    }
}
