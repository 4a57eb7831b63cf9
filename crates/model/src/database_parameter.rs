//! Parameters of database servers that a DB parameter group may set. Data: `database_parameters.txt`.

use std::cmp::Ordering;
use std::str::FromStr;
use std::sync::LazyLock;

use crate::database::DbEngine;

/// A parameter of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DbParameter {
    /// Its name, the server's own or AWS's: `max_connections`, `rds.force_ssl`.
    pub name: &'static str,
    /// `integer`, `float`, `boolean`, `string` or `list`.
    pub data_type: &'static str,
    /// What it may be, as AWS writes it: `0-100`, `0,1`, `none,ddl,mod,all`.
    pub allowed: &'static str,
    /// What it is unless set, if that is the same everywhere.
    pub default: Option<&'static str>,
    /// Whether a server can take it while it runs.
    pub dynamic: bool,
    /// What it is.
    pub description: &'static str,
    engines: Vec<Servers>,
}

/// Servers of an engine: all of them, or those of some major versions.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Servers {
    engine: DbEngine,
    from: Option<&'static str>,
    below: Option<&'static str>,
}

static PARAMETERS: LazyLock<Vec<DbParameter>> =
    LazyLock::new(|| include_str!("database_parameters.txt").lines().filter_map(DbParameter::read).collect());

impl DbParameter {
    /// Those of a server of this major version (`15`, `10.11`), in the order of their names.
    pub fn all(engine: DbEngine, major: &str) -> impl Iterator<Item = &'static Self> {
        PARAMETERS.iter().filter(move |parameter| {
            parameter.engines.iter().any(|servers| servers.engine == engine && servers.have(major))
        })
    }

    /// The parameter of this name.
    pub fn find(engine: DbEngine, major: &str, name: &str) -> Option<&'static Self> {
        Self::all(engine, major).find(|parameter| parameter.name == name)
    }

    /// Whether it may have this value. What may be set never holds what could end a line of a configuration file.
    pub fn accepts(&self, value: &str) -> bool {
        let one_of = |value: &str| self.allowed.split(',').any(|allowed| allowed == value);
        match self.data_type {
            "integer" => within::<i128>(self.allowed, value),
            "float" => within::<f64>(self.allowed, value),
            "list" => value.is_empty() || value.split(',').all(one_of),
            _ => one_of(value),
        }
    }

    fn read(line: &'static str) -> Option<Self> {
        let mut fields = line.split('|').map(str::trim);
        let engines = fields.next().filter(|field| !field.is_empty() && !field.starts_with('#'))?;
        Some(Self {
            engines: engines.split(',').filter_map(Servers::read).collect(),
            name: fields.next()?,
            data_type: fields.next()?,
            allowed: fields.next()?,
            default: fields.next().filter(|default| *default != "-"),
            dynamic: fields.next()? == "dynamic",
            description: fields.next()?,
        })
    }
}

impl Servers {
    fn read(text: &'static str) -> Option<Self> {
        let (engine, from, below) = match (text.split_once(">="), text.split_once('<')) {
            (Some((engine, from)), _) => (engine, Some(from), None),
            (None, Some((engine, below))) => (engine, None, Some(below)),
            (None, None) => (text, None, None),
        };
        Some(Self { engine: DbEngine::find(engine)?, from, below })
    }

    fn have(&self, major: &str) -> bool {
        self.from.is_none_or(|from| by_number(major, from) != Ordering::Less)
            && self.below.is_none_or(|below| by_number(major, below) == Ordering::Less)
    }
}

/// The order of two versions: `10.11` comes after `10.5`.
pub fn by_number(a: &str, b: &str) -> Ordering {
    let numbers = |version: &str| -> Vec<u32> {
        version.split('.').map(|number| number.parse().unwrap_or_default()).collect()
    };
    numbers(a).cmp(&numbers(b))
}

/// Whether a number is in a range, such as `0-100` or `-1-100`.
fn within<N: FromStr + PartialOrd>(range: &str, value: &str) -> bool {
    let Some(at) = range.get(1..).and_then(|rest| rest.find('-')) else { return false };
    let (least, most) = (&range[..=at], &range[at + 2..]);
    match (least.parse::<N>(), value.parse::<N>(), most.parse::<N>()) {
        (Ok(least), Ok(value), Ok(most)) => least <= value && value <= most,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn postgres(name: &str) -> &'static DbParameter {
        DbParameter::find(DbEngine::Postgres, "15", name).unwrap()
    }

    #[test]
    fn every_line_is_a_parameter_whose_default_is_allowed() {
        let lines = include_str!("database_parameters.txt").lines();
        let lines = lines.filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
        assert_eq!(lines.count(), PARAMETERS.len());
        for parameter in PARAMETERS.iter() {
            assert!(!parameter.engines.is_empty(), "{}", parameter.name);
            assert!(["integer", "float", "boolean", "string", "list"].contains(&parameter.data_type));
            if let Some(default) = parameter.default {
                assert!(parameter.accepts(default), "{}", parameter.name);
            }
        }
    }

    #[test]
    fn a_server_has_a_parameter_once_and_in_order() {
        let servers = [(DbEngine::Postgres, "14"), (DbEngine::Postgres, "17"), (DbEngine::MariaDb, "10.11")];
        for (engine, major) in servers {
            let names: Vec<_> = DbParameter::all(engine, major).map(|parameter| parameter.name).collect();
            assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
        }
    }

    #[test]
    fn versions_bound_parameters() {
        let has = |engine, major, name| DbParameter::find(engine, major, name).is_some();
        assert!(!has(DbEngine::Postgres, "13", "idle_session_timeout"));
        assert!(has(DbEngine::Postgres, "14", "idle_session_timeout"));
        assert!(!has(DbEngine::MariaDb, "10.4", "require_secure_transport"));
        assert!(has(DbEngine::MariaDb, "10.11", "require_secure_transport"));
        let force = |major| DbParameter::find(DbEngine::Postgres, major, "rds.force_ssl").unwrap().default;
        assert_eq!([force("14"), force("15")], [Some("0"), Some("1")]);
    }

    #[test]
    fn values_are_held_against_what_is_allowed() {
        for (name, good, bad) in [
            ("max_connections", "200", "5"),
            ("log_min_duration_statement", "-1", "-2"),
            ("random_page_cost", "1.1", "nan"),
            ("log_statement", "ddl", "some"),
            ("log_connections", "1", "yes"),
            ("timezone", "Europe/Berlin", "Moon/Base"),
            ("work_mem", "65536", "64MB"),
        ] {
            assert!(postgres(name).accepts(good), "{name}");
            assert!(!postgres(name).accepts(bad), "{name}");
        }
        let mode = DbParameter::find(DbEngine::MariaDb, "10.11", "sql_mode").unwrap();
        assert!(mode.accepts("STRICT_TRANS_TABLES,NO_ZERO_DATE") && mode.accepts(""));
        assert!(!mode.accepts("STRICT_TRANS_TABLES,x"));
    }

    #[test]
    fn no_value_can_end_its_line() {
        for parameter in PARAMETERS.iter() {
            for value in ["1\nload_file=x", "0\r", "UTC\n", "'", "1 # x", " 1"] {
                assert!(!parameter.accepts(value), "{} {value:?}", parameter.name);
            }
        }
    }
}
