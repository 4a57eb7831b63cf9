//! Families: servers whose parameters are the same.

use linkway_model::database::DbEngine;
use linkway_model::database_parameter::DbParameter;

use crate::rds::{engine, invalid};
use crate::{Control, Error};

/// Families that AWS has. Source: the engine versions of PostgreSQL, MySQL and MariaDB in the RDS User Guide.
const FAMILIES: &[&str] = &[
    "mariadb10.4",
    "mariadb10.5",
    "mariadb10.6",
    "mariadb10.11",
    "mariadb11.4",
    "mariadb11.8",
    "mysql5.7",
    "mysql8.0",
    "mysql8.4",
    "postgres11",
    "postgres12",
    "postgres13",
    "postgres14",
    "postgres15",
    "postgres16",
    "postgres17",
    "postgres18",
];

/// Servers of an engine and a major version.
#[derive(Debug, Clone, Copy)]
pub(super) struct Family<'a> {
    /// Such as `postgres15`.
    pub(super) name: &'a str,
    engine: DbEngine,
    major: &'a str,
}

impl<'a> Family<'a> {
    /// The family of this name: one of AWS's, or of a server that this host has.
    pub(super) fn find(control: &Control, name: &'a str) -> Result<Self, Error> {
        let installed = || engine::families(control).iter().any(|family| family == name);
        Self::read(name).filter(|_| FAMILIES.contains(&name) || installed()).ok_or_else(|| unknown(name))
    }

    /// The family of a group that is there.
    pub(super) fn of(name: &'a str) -> Result<Self, Error> {
        Self::read(name).ok_or_else(|| unknown(name))
    }

    fn read(name: &'a str) -> Option<Self> {
        let at = name.find(|letter: char| letter.is_ascii_digit())?;
        let engine = DbEngine::find(&name[..at])?;
        Some(Self { name, engine, major: &name[at..] })
    }

    /// What may be set of its servers, by name.
    pub(super) fn parameters(self) -> impl Iterator<Item = &'static DbParameter> + use<'a> {
        DbParameter::all(self.engine, self.major)
    }

    /// Whether servers take the parameter while they run. PostgreSQL reads its configuration when it is told to;
    /// MySQL and MariaDB do when they start only.
    pub(super) fn takes_at_once(self, parameter: &DbParameter) -> bool {
        parameter.dynamic && self.engine == DbEngine::Postgres
    }

    /// The parameter of this name.
    pub(super) fn parameter(self, name: &str) -> Result<&'static DbParameter, Error> {
        DbParameter::find(self.engine, self.major, name)
            .ok_or_else(|| invalid(format!("Could not find parameter with name: {name}")))
    }
}

fn unknown(name: &str) -> Error {
    invalid(format!("ParameterGroupFamily {name} is not a valid parameter group family"))
}
