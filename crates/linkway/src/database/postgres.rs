//! PostgreSQL, as Debian and others install it: a directory of programs for each major version.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use nix::sys::signal::Signal;

use crate::database::engine::{Certificate, Engine, word};
use crate::database::sandbox::{CONFIGURATION, DATA, SOCKET};
use crate::keeper::protocol::Spec;

/// Where distributions keep the major versions' directories, before and after the number: Debian; Red Hat.
const PLACES: [(&str, &str); 2] = [("/usr/lib/postgresql", ""), ("/usr", "pgsql-")];

/// The user of the packages.
pub(crate) const USER: &str = "postgres";

/// The administrator of the server itself, whom callers are not given: AWS's name.
const ADMINISTRATOR: &str = "rdsadmin";

/// Parameters that say how the server runs here, which a parameter group does not; and those that name programs or
/// libraries, which would run as the server.
const OURS: [&str; 27] = [
    "archive_cleanup_command",
    "archive_command",
    "archive_library",
    "config_file",
    "data_directory",
    "dynamic_library_path",
    "dynamic_shared_memory_type",
    "external_pid_file",
    "hba_file",
    "ident_file",
    "jit_provider",
    "listen_addresses",
    "local_preload_libraries",
    "log_destination",
    "log_directory",
    "logging_collector",
    "port",
    "recovery_end_command",
    "restore_command",
    "session_preload_libraries",
    "shared_preload_libraries",
    "ssl",
    "ssl_cert_file",
    "ssl_key_file",
    "ssl_passphrase_command",
    "unix_socket_directories",
    "unix_socket_permissions",
];

/// The programs of one major version.
pub(crate) struct Postgres {
    programs: PathBuf,
}

impl Postgres {
    /// The programs of this version's major one.
    pub(crate) fn find(version: &str) -> Result<Self> {
        let major = version.split('.').next().unwrap_or_default();
        let (_, programs) =
            installed().into_iter().find(|(number, _)| number.to_string() == major).with_context(|| {
                format!(
                    "PostgreSQL {major} is not installed on this host (on Debian: apt install postgresql)"
                )
            })?;
        Ok(Self { programs })
    }

    fn program(&self, name: &str) -> String {
        word(&self.programs.join(name))
    }
}

/// Major versions that are installed with all that is needed, and their programs.
pub(crate) fn installed() -> Vec<(u32, PathBuf)> {
    let mut found = Vec::new();
    for (directory, prefix) in PLACES {
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let number = name.to_str().and_then(|name| name.strip_prefix(prefix)?.parse().ok());
            let programs = entry.path().join("bin");
            if let Some(number) = number
                && ["initdb", "postgres", "psql"].iter().all(|name| programs.join(name).exists())
            {
                found.push((number, programs));
            }
        }
    }
    found.sort();
    found
}

/// The server program among these.
pub(crate) fn server(programs: &Path) -> PathBuf {
    programs.join("postgres")
}

impl Engine for Postgres {
    fn user(&self) -> &'static str {
        USER
    }

    fn initialise(&self) -> Vec<String> {
        let initdb = self.program("initdb");
        let options = [
            "--auth-local=peer",
            "--auth-host=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--data-checksums",
            "--no-instructions",
        ];
        let mut command = vec![initdb, format!("--pgdata={DATA}"), format!("--username={ADMINISTRATOR}")];
        command.extend(options.map(str::to_owned));
        command
    }

    fn configuration(&self, spec: &Spec, certificate: Certificate) -> Vec<(&'static str, String)> {
        vec![
            ("server.crt", certificate.certificate),
            ("server.key", certificate.key),
            ("hba.conf", access(spec)),
            ("ident.conf", format!("linkway {USER} {ADMINISTRATOR}\n")),
            ("server.conf", settings(spec)),
        ]
    }

    fn serve(&self) -> Vec<String> {
        vec![self.program("postgres"), format!("--config-file={CONFIGURATION}/server.conf")]
    }

    fn stop_signal(&self) -> Signal {
        // "Fast": it does not wait for clients to leave (PostgreSQL, "Shutting Down the Server").
        Signal::SIGINT
    }

    fn client(&self, spec: &Spec, first: bool) -> Vec<String> {
        let psql = self.program("psql");
        let port = spec.port.to_string();
        // One of its own, as soon as there is: of the others, the administrator that callers are given may make what
        // it wants, for whoever comes there next.
        let database = if first { "postgres" } else { ADMINISTRATOR };
        // Terse: an error does not quote the statement, which may hold a password.
        let options = [
            "--no-psqlrc",
            "--quiet",
            "--tuples-only",
            "--no-align",
            "--set=ON_ERROR_STOP=1",
            "--set=VERBOSITY=terse",
            "--no-password",
            "--host",
            SOCKET,
            "--port",
            &port,
            "--username",
            ADMINISTRATOR,
            "--dbname",
            database,
            "--file=-",
        ];
        std::iter::once(psql).chain(options.map(str::to_owned)).collect()
    }

    fn first_statements(&self, spec: &Spec) -> String {
        let master = identifier(&spec.master_username);
        let mut sql = unlogged();
        sql += &unless("pg_database", "datname", ADMINISTRATOR, &format!("CREATE DATABASE {ADMINISTRATOR}"));
        sql += &format!("REVOKE ALL ON DATABASE {ADMINISTRATOR} FROM PUBLIC;\n");
        // Before PostgreSQL 16, who may make roles may also give away every role that is no superuser's: these would
        // be a way to the server's files and processes.
        sql += "UPDATE pg_authid SET rolsuper = true WHERE rolname IN ('pg_execute_server_program', \
                'pg_read_server_files', 'pg_write_server_files') \
                AND current_setting('server_version_num')::int < 160000;\n";
        for role in ["rds_superuser", "rds_password", "rds_replication"] {
            sql += &unless("pg_roles", "rolname", role, &format!("CREATE ROLE {role}"));
        }
        sql += "GRANT pg_monitor, pg_signal_backend, rds_password, rds_replication TO rds_superuser \
                WITH ADMIN OPTION;\n";
        // PostgreSQL 15 has it, 14 does not.
        sql += "SELECT 'GRANT pg_checkpoint TO rds_superuser WITH ADMIN OPTION' FROM pg_roles \
                WHERE rolname = 'pg_checkpoint' \\gexec\n";
        sql += &administrator(spec);
        for database in ["postgres", "template1"] {
            sql += &format!("ALTER DATABASE {database} OWNER TO {master};\n");
        }
        if let Some(name) = &spec.database {
            let create = format!("CREATE DATABASE {} OWNER {master}", identifier(name));
            sql += &unless("pg_database", "datname", name, &create);
        }
        sql
    }

    fn password_statements(&self, spec: &Spec) -> String {
        unlogged() + &administrator(spec)
    }

    fn hidden(&self) -> &'static [&'static str] {
        &["/var/lib/postgresql", "/var/lib/pgsql", "/etc/postgresql"]
    }
}

/// The administrator that callers are given, made or made whole again, with its password.
fn administrator(spec: &Spec) -> String {
    let (name, password) = (identifier(&spec.master_username), literal(&spec.master_password));
    let role = unless("pg_roles", "rolname", &spec.master_username, &format!("CREATE ROLE {name}"));
    format!(
        "{role}ALTER ROLE {name} LOGIN CREATEDB CREATEROLE VALID UNTIL 'infinity' PASSWORD {password};\n\
         GRANT rds_superuser TO {name} WITH ADMIN OPTION;\n"
    )
}

/// What keeps statements with a password out of the server's log, whatever its parameters say.
fn unlogged() -> String {
    "SET log_statement = 'none';\nSET log_min_duration_statement = -1;\nSET log_min_duration_sample = -1;\n\
     SET log_min_error_statement = 'panic';\nSET log_transaction_sample_rate = 0;\n\
     SET password_encryption = 'scram-sha-256';\n"
        .to_owned()
}

/// A statement that is carried out if `table` has no row whose `column` is `value`.
fn unless(table: &str, column: &str, value: &str, statement: &str) -> String {
    format!(
        "SELECT {} WHERE NOT EXISTS (SELECT FROM {table} WHERE {column} = {}) \\gexec\n",
        literal(statement),
        literal(value)
    )
}

/// Who may connect how: the administrator of the server from inside its sandbox, all others over the network, which
/// security groups guard.
fn access(spec: &Spec) -> String {
    let host = if force_tls(spec) { "hostssl" } else { "host" };
    format!(
        "local all {ADMINISTRATOR} peer map=linkway\nhost all {ADMINISTRATOR} all reject\n\
         {host} all all all scram-sha-256\n"
    )
}

/// Whether connections without TLS are refused. On AWS they are from PostgreSQL 15 on, unless the parameter says
/// otherwise (RDS User Guide, "Requiring an SSL connection to a PostgreSQL DB instance").
fn force_tls(spec: &Spec) -> bool {
    let major: u32 = spec.version.split('.').next().and_then(|major| major.parse().ok()).unwrap_or(0);
    match spec.parameters.get("rds.force_ssl") {
        Some(value) => matches!(value.as_str(), "1" | "on" | "true"),
        None => major >= 15,
    }
}

fn settings(spec: &Spec) -> String {
    let mut text = "# Written by Linkway at each start of the server.\n".to_owned();
    let mut set = |name: &str, value: &str| {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{name} = '{}'", value.replace('\\', "\\\\").replace('\'', "''"));
    };
    for (name, value) in [
        ("timezone", "UTC"),
        ("log_timezone", "UTC"),
        ("log_line_prefix", "%t:%r:%u@%d:[%p]:"),
        ("ssl_min_protocol_version", "TLSv1.2"),
        ("password_encryption", "scram-sha-256"),
    ] {
        set(name, value);
    }
    // A name with a dot is AWS's own (`rds.force_ssl`) or an extension's.
    let theirs = |name: &str| !OURS.contains(&name) && !name.starts_with("rds.") && is_name(name);
    for (name, value) in spec.parameters.iter().filter(|(name, _)| theirs(name)) {
        set(name, value);
    }
    // What comes last counts.
    for (name, value) in [
        ("data_directory", DATA),
        ("hba_file", &format!("{CONFIGURATION}/hba.conf")),
        ("ident_file", &format!("{CONFIGURATION}/ident.conf")),
        ("listen_addresses", &spec.identity.address.to_string()),
        ("port", &spec.port.to_string()),
        ("unix_socket_directories", SOCKET),
        ("unix_socket_permissions", "0700"),
        ("ssl", "on"),
        ("ssl_cert_file", &format!("{CONFIGURATION}/server.crt")),
        ("ssl_key_file", &format!("{CONFIGURATION}/server.key")),
        ("log_destination", "stderr"),
        ("logging_collector", "off"),
        ("dynamic_shared_memory_type", "posix"),
    ] {
        set(name, value);
    }
    text
}

/// Whether it can be a parameter's name, and so nothing else: a line of its own, say.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.'))
}

fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn literal(text: &str) -> String {
    // With the prefix it reads the same whatever `standard_conforming_strings` is.
    format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::sandbox::tests::spec;

    #[test]
    fn what_a_parameter_group_says_does_not_undo_what_linkway_says() {
        let mut spec = spec();
        for (name, value) in [
            ("work_mem", "4096"),
            ("application_name", "o'clock\\"),
            ("port", "1"),
            ("hba_file", "/etc/passwd"),
            ("x = 1\nssl", "off"),
            ("rds.force_ssl", "0"),
        ] {
            spec.parameters.insert(name.into(), value.into());
        }
        let text = settings(&spec);
        assert!(text.contains("\nwork_mem = '4096'\n"), "{text}");
        assert!(text.contains("\napplication_name = 'o''clock\\\\'\n"), "{text}");
        for (name, value) in [("port", "5432"), ("ssl", "on"), ("listen_addresses", "10.0.1.5")] {
            let lines: Vec<_> = text.lines().filter(|line| line.starts_with(&format!("{name} ="))).collect();
            assert_eq!(lines, [format!("{name} = '{value}'")]);
        }
        assert!(!text.contains("passwd") && !text.contains("rds."), "{text}");
    }

    #[test]
    fn tls_is_asked_for_as_on_aws() {
        let mut spec = spec();
        assert!(access(&spec).contains("hostssl all all all scram-sha-256"));
        spec.parameters.insert("rds.force_ssl".into(), "0".into());
        assert!(access(&spec).contains("\nhost all all all scram-sha-256"));
        spec.parameters.clear();
        spec.version = "14.3".into();
        assert!(access(&spec).contains("\nhost all all all scram-sha-256"));
    }

    #[test]
    fn names_and_passwords_stay_within_their_quotes() {
        let mut spec = spec();
        spec.master_username = "a\"b".into();
        spec.master_password = "it's \\ 'x'".into();
        let sql = Postgres { programs: "/".into() }.password_statements(&spec);
        assert!(sql.contains("ALTER ROLE \"a\"\"b\" LOGIN CREATEDB CREATEROLE VALID UNTIL 'infinity' PASSWORD E'it\\'s \\\\ \\'x\\'';"), "{sql}");
    }
}
