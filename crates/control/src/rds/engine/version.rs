//! Versions of database servers, and the families that they belong to.

use linkway_model::database::{DbEngine, InstalledEngine};
use linkway_model::database_parameter::by_number;

use crate::rds::invalid;
use crate::{Control, Error};

/// The family of a server's parameters, such as `postgres15`, `mysql8.0` or `mariadb10.11`.
pub(in crate::rds) fn family(engine: DbEngine, version: &str) -> String {
    format!("{}{}", engine.name(), major(engine, version))
}

/// What AWS calls the major version: one number of PostgreSQL, two of the others.
pub(super) fn major(engine: DbEngine, version: &str) -> String {
    let numbers = match engine {
        DbEngine::Postgres => 1,
        DbEngine::MySql | DbEngine::MariaDb => 2,
    };
    version.split('.').take(numbers).collect::<Vec<_>>().join(".")
}

/// The families of the servers that this host has.
pub(in crate::rds) fn families(control: &Control) -> Vec<String> {
    installed(control).iter().map(|found| family(found.engine, &found.version)).collect()
}

/// The servers that this host has, by engine, the newest first.
pub(super) fn installed(control: &Control) -> Vec<InstalledEngine> {
    let mut engines = (control.settings.engines)();
    engines.sort_by(|a, b| a.engine.cmp(&b.engine).then_with(|| by_number(&b.version, &a.version)));
    engines
}

/// Whether a version is the one asked for: itself, or its beginning, as `15` stands for `15.18`.
pub(in crate::rds) fn is_version(version: &str, asked: &str) -> bool {
    version.strip_prefix(asked).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// The server that a request asks for: the newest that this host has of the engine and the version.
pub(in crate::rds) fn wanted(
    control: &Control,
    engine: &str,
    version: Option<&str>,
) -> Result<InstalledEngine, Error> {
    let Some(known) = DbEngine::find(engine) else {
        return Err(invalid(format!(
            "Invalid DB engine: {engine}. DB instances run postgres, mysql or mariadb"
        )));
    };
    let servers: Vec<_> = installed(control).into_iter().filter(|found| found.engine == known).collect();
    if servers.is_empty() {
        return Err(Error::InvalidParameterCombination(format!(
            "This host has no server for the engine {engine}. {}",
            remedy(known)
        )));
    }
    let asked = version.filter(|version| !version.is_empty());
    let fits = |found: &InstalledEngine| asked.is_none_or(|asked| is_version(&found.version, asked));
    let has = servers.iter().map(|found| found.version.as_str()).collect::<Vec<_>>().join(", ");
    servers.into_iter().find(fits).ok_or_else(|| {
        Error::InvalidParameterCombination(format!(
            "Cannot find version {} for {engine}. This host has {has}",
            asked.unwrap_or_default()
        ))
    })
}

/// How a host gets the server.
fn remedy(engine: DbEngine) -> &'static str {
    match engine {
        DbEngine::Postgres => "Install the Debian package postgresql",
        DbEngine::MariaDb => "Install the Debian package mariadb-server",
        DbEngine::MySql => {
            "Debian has no server of MySQL, and none is run here: ask for the engine mariadb (Debian package \
             mariadb-server)"
        }
    }
}
