//! MariaDB, as Debian and others install it.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use nix::sys::signal::Signal;

use crate::database::engine::{Certificate, Engine, word};
use crate::database::sandbox::{CONFIGURATION, DATA, SOCKET};
use crate::keeper::protocol::Spec;

/// Where distributions keep the server: Debian; Red Hat; SUSE and others.
const SERVERS: [&str; 3] = ["/usr/sbin/mariadbd", "/usr/libexec/mariadbd", "/usr/bin/mariadbd"];

/// What makes a data directory.
const INSTALL: &str = "/usr/bin/mariadb-install-db";

/// The client.
const CLIENT: &str = "/usr/bin/mariadb";

/// The user of the packages, which is also the name of the server's own administrator.
pub(crate) const USER: &str = "mysql";

/// What the administrator of a database may do, and may give to others. Source: RDS User Guide, "Master user account
/// privileges".
const PRIVILEGES: &str = "SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, RELOAD, PROCESS, REFERENCES, INDEX, ALTER, \
    SHOW DATABASES, CREATE TEMPORARY TABLES, LOCK TABLES, EXECUTE, REPLICATION SLAVE, BINLOG MONITOR, CREATE VIEW, \
    SHOW VIEW, CREATE ROUTINE, ALTER ROUTINE, CREATE USER, EVENT, TRIGGER, SLAVE MONITOR";

/// Parameters that say how the server runs here, which a parameter group does not; and those that name programs or
/// libraries, which would run as the server.
const OURS: [&str; 27] = [
    "basedir",
    "bind_address",
    "character_sets_dir",
    "chroot",
    "datadir",
    "general_log_file",
    "init_file",
    "innodb_data_home_dir",
    "innodb_log_group_home_dir",
    "lc_messages_dir",
    "log_bin",
    "log_error",
    "pid_file",
    "plugin_dir",
    "plugin_load",
    "plugin_load_add",
    "port",
    "secure_file_priv",
    "skip_grant_tables",
    "skip_networking",
    "slow_query_log_file",
    "socket",
    "ssl_cert",
    "ssl_key",
    "tls_version",
    "tmpdir",
    "user",
];

/// The server that is installed.
pub(crate) struct MariaDb {
    server: PathBuf,
}

impl MariaDb {
    /// The server that is installed.
    pub(crate) fn find() -> Result<Self> {
        let server = SERVERS.iter().map(Path::new).find(|path| path.exists());
        let complete = server.filter(|_| [INSTALL, CLIENT].iter().all(|path| Path::new(path).exists()));
        let server = complete
            .context("MariaDB is not installed on this host (on Debian: apt install mariadb-server)")?
            .to_owned();
        Ok(Self { server })
    }

    /// The server program.
    pub(crate) fn server(&self) -> &Path {
        &self.server
    }
}

impl Engine for MariaDb {
    fn user(&self) -> &'static str {
        USER
    }

    fn initialise(&self) -> Vec<String> {
        let options = [
            INSTALL,
            "--no-defaults",
            "--auth-root-authentication-method=socket",
            "--auth-root-socket-user=mysql",
            "--skip-test-db",
            "--skip-name-resolve",
        ];
        options.into_iter().map(str::to_owned).chain([format!("--datadir={DATA}")]).collect()
    }

    fn configuration(&self, spec: &Spec, certificate: Certificate) -> Vec<(&'static str, String)> {
        vec![
            ("server.crt", certificate.certificate),
            ("server.key", certificate.key),
            ("server.cnf", settings(spec)),
        ]
    }

    fn serve(&self) -> Vec<String> {
        vec![word(&self.server), format!("--defaults-file={CONFIGURATION}/server.cnf")]
    }

    fn stop_signal(&self) -> Signal {
        Signal::SIGTERM
    }

    fn client(&self, _: &Spec, _: bool) -> Vec<String> {
        let socket = format!("--socket={SOCKET}/server.sock");
        [CLIENT, "--no-defaults", "--batch", "--skip-column-names", "--user=mysql", &socket]
            .map(str::to_owned)
            .to_vec()
    }

    fn first_statements(&self, spec: &Spec) -> String {
        let database = spec
            .database
            .as_ref()
            .map(|name| format!("CREATE DATABASE IF NOT EXISTS `{}`;\n", name.replace('`', "``")));
        self.password_statements(spec) + &database.unwrap_or_default()
    }

    fn password_statements(&self, spec: &Spec) -> String {
        let (name, password) = (literal(&spec.master_username), literal(&spec.master_password));
        // One that was lost comes back with another password, as on AWS.
        format!(
            "{}CREATE USER IF NOT EXISTS {name}@'%' IDENTIFIED BY {password};\n\
             ALTER USER {name}@'%' IDENTIFIED BY {password};\n\
             GRANT {PRIVILEGES} ON *.* TO {name}@'%' WITH GRANT OPTION;\n",
            unlogged()
        )
    }

    fn hidden(&self) -> &'static [&'static str] {
        &["/var/lib/mysql", "/etc/mysql"]
    }
}

/// What keeps statements with a password out of the server's logs, whatever its parameters say, and makes literals
/// read as they are written here.
fn unlogged() -> String {
    "SET SESSION sql_log_off = 1, sql_log_bin = 0, slow_query_log = 0, sql_mode = '';\n".to_owned()
}

fn settings(spec: &Spec) -> String {
    let mut text = "# Written by Linkway at each start of the server.\n[mariadbd]\n".to_owned();
    let mut set = |name: &str, value: &str| {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{name} = {value}");
    };
    let theirs = |name: &str, value: &str| {
        let spelled = name.replace('-', "_");
        let plain = spelled.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') && !spelled.is_empty();
        // Loose or not, abbreviated or not: options that are Linkway's are not set by another spelling either.
        let ours = OURS.iter().any(|ours| ours.starts_with(&spelled) || *ours == spelled);
        plain && !ours && !spelled.starts_with("loose_") && !value.chars().any(char::is_control)
    };
    for (name, value) in spec.parameters.iter().filter(|(name, value)| theirs(name, value)) {
        set(name, &format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"")));
    }
    for (name, value) in [
        ("datadir", DATA),
        ("socket", &format!("{SOCKET}/server.sock")),
        ("pid-file", &format!("{SOCKET}/server.pid")),
        ("bind-address", &spec.identity.address.to_string()),
        ("port", &spec.port.to_string()),
        ("ssl-cert", &format!("{CONFIGURATION}/server.crt")),
        ("ssl-key", &format!("{CONFIGURATION}/server.key")),
        ("tls_version", "TLSv1.2,TLSv1.3"),
        ("secure-file-priv", SOCKET),
        ("tmpdir", "/tmp"),
        ("default-time-zone", "+00:00"),
    ] {
        set(name, value);
    }
    text + "skip-name-resolve\n"
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::sandbox::tests::spec;

    #[test]
    fn what_a_parameter_group_says_does_not_undo_what_linkway_says() {
        let mut spec = spec();
        for (name, value) in [
            ("max_connections", "77"),
            ("init_connect", "SET \"x\""),
            ("plugin-load", "evil.so"),
            ("plugin_loa", "evil.so"),
            ("loose_skip_grant_tables", "1"),
            ("wait_timeout", "1\nskip-grant-tables"),
        ] {
            spec.parameters.insert(name.into(), value.into());
        }
        let text = settings(&spec);
        assert!(text.contains("\nmax_connections = \"77\"\n"), "{text}");
        assert!(text.contains("\ninit_connect = \"SET \\\"x\\\"\"\n"), "{text}");
        assert!(!text.contains("plugin") && !text.contains("grant"), "{text}");
    }

    #[test]
    fn names_and_passwords_stay_within_their_quotes() {
        let mut spec = spec();
        spec.master_username = "a'b".into();
        spec.master_password = "it's \\".into();
        let sql = MariaDb { server: "/".into() }.password_statements(&spec);
        assert!(sql.contains("ALTER USER 'a\\'b'@'%' IDENTIFIED BY 'it\\'s \\\\';"), "{sql}");
    }
}
