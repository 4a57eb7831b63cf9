//! The master user, its password, and the first database's name.

use linkway_model::database::DbEngine;

use crate::Error;
use crate::rds::{invalid, name};

/// Words that are no names in SQL. Source: PostgreSQL's documentation, appendix "SQL Key Words", those reserved.
const RESERVED: &[&str] = &[
    "all",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "asymmetric",
    "both",
    "case",
    "cast",
    "check",
    "collate",
    "column",
    "constraint",
    "create",
    "current_catalog",
    "current_date",
    "current_role",
    "current_time",
    "current_timestamp",
    "current_user",
    "default",
    "deferrable",
    "desc",
    "distinct",
    "do",
    "else",
    "end",
    "except",
    "false",
    "fetch",
    "for",
    "foreign",
    "from",
    "grant",
    "group",
    "having",
    "in",
    "initially",
    "intersect",
    "into",
    "lateral",
    "leading",
    "limit",
    "localtime",
    "localtimestamp",
    "none",
    "not",
    "null",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "placing",
    "primary",
    "public",
    "references",
    "returning",
    "select",
    "session_user",
    "some",
    "symmetric",
    "system_user",
    "table",
    "then",
    "to",
    "trailing",
    "true",
    "union",
    "unique",
    "user",
    "using",
    "variadic",
    "when",
    "where",
    "window",
    "with",
];

/// Check the master user's name.
pub(super) fn master_username(engine: DbEngine, given: Option<&str>) -> Result<String, Error> {
    let user = name::required("MasterUsername", given)?;
    // Source: "Settings for DB instances" in the RDS User Guide, and `CreateDBInstance` in the API Reference.
    let most = match engine {
        DbEngine::Postgres => 63,
        DbEngine::MySql | DbEngine::MariaDb => 16,
    };
    let lower = user.to_ascii_lowercase();
    let taken = RESERVED.contains(&lower.as_str())
        || lower.starts_with("rds")
        || match engine {
            DbEngine::Postgres => lower == "admin" || lower.starts_with("pg_"),
            DbEngine::MySql | DbEngine::MariaDb => lower == "mysql" || lower == "root",
        };
    if taken {
        return Err(invalid(format!(
            "MasterUsername {user} cannot be used as it is a reserved word used by the engine"
        )));
    }
    if user.len() > most {
        return Err(invalid(format!("Invalid master user name: it has more than {most} characters")));
    }
    if !is_word(user) {
        return Err(invalid(
            "Invalid master user name: it must begin with a letter and contain only letters, digits and underscores",
        ));
    }
    Ok(user.to_owned())
}

/// Check the master user's password.
pub(super) fn password(engine: DbEngine, given: Option<&str>) -> Result<String, Error> {
    let password = name::required("MasterUserPassword", given)?;
    let most = match engine {
        DbEngine::Postgres => 128,
        DbEngine::MySql | DbEngine::MariaDb => 41,
    };
    let refuse =
        |why: String| Err(invalid(format!("The parameter MasterUserPassword is not a valid password{why}")));
    if !password.bytes().all(|byte| byte.is_ascii_graphic() && !b"/@\"".contains(&byte)) {
        return refuse(". Only printable ASCII characters besides '/', '@', '\"', ' ' may be used.".into());
    }
    if password.len() < 8 {
        return refuse(" because it is shorter than 8 characters.".into());
    }
    if password.len() > most {
        return refuse(format!(" because it is longer than {most} characters."));
    }
    Ok(password.to_owned())
}

/// Check the name of the database that is made with a DB instance, if one is.
pub(super) fn database(engine: DbEngine, given: Option<&str>) -> Result<Option<String>, Error> {
    let Some(database) = given.filter(|name| !name.is_empty()) else { return Ok(None) };
    let (most, own): (_, &[&str]) = match engine {
        DbEngine::Postgres => (63, &["template0", "template1", "rdsadmin"]),
        DbEngine::MySql | DbEngine::MariaDb => {
            (64, &["mysql", "information_schema", "performance_schema", "sys", "innodb"])
        }
    };
    if !is_word(database) {
        return Err(invalid("DBName must begin with a letter and contain only alphanumeric characters."));
    }
    if database.len() > most {
        return Err(invalid(format!("DBName must have no more than {most} characters.")));
    }
    let lower = database.to_ascii_lowercase();
    if RESERVED.contains(&lower.as_str()) || own.contains(&lower.as_str()) {
        return Err(invalid(format!(
            "DBName {database} cannot be used. It is a reserved word for this engine"
        )));
    }
    Ok(Some(database.to_owned()))
}

/// A letter, and letters, digits and underscores.
fn is_word(text: &str) -> bool {
    text.starts_with(|letter: char| letter.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
