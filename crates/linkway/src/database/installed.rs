//! Which database servers the host has: what the API may make DB instances of.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use linkway_model::database::{DbEngine, InstalledEngine};

use crate::database::{engine, mariadb, postgres};

/// How long what was found is taken to be so still.
const KEPT: Duration = Duration::from_secs(5);

/// Servers that are installed, looked up as they are asked for.
#[derive(Default)]
pub(crate) struct Installed(Mutex<Option<(Instant, Vec<InstalledEngine>)>>);

impl Installed {
    /// The servers that can be run now.
    pub(crate) fn engines(&self) -> Vec<InstalledEngine> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match kept.as_ref() {
            Some((at, engines)) if at.elapsed() < KEPT => engines.clone(),
            _ => {
                let engines = look();
                *kept = Some((Instant::now(), engines.clone()));
                engines
            }
        }
    }
}

fn look() -> Vec<InstalledEngine> {
    let postgres = postgres::installed().into_iter().filter_map(|(_, programs)| {
        let version = version(&postgres::server(&programs), "(PostgreSQL) ")?;
        Some((DbEngine::Postgres, postgres::USER, version))
    });
    let mariadb = mariadb::MariaDb::find().ok().and_then(|found| {
        let version = version(found.server(), "Ver ")?;
        Some((DbEngine::MariaDb, mariadb::USER, version))
    });
    postgres
        .chain(mariadb)
        // A program without its user came from elsewhere than a package.
        .filter(|(_, user, _)| engine::user(user).is_ok())
        .map(|(engine, _, version)| InstalledEngine { engine, version })
        .collect()
}

/// The version that a server says it has, after these words: numbers and dots.
fn version(program: &Path, after: &str) -> Option<String> {
    let output = Command::new(program).arg("--version").stdin(Stdio::null()).output().ok()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    numbers(said.split_once(after)?.1)
}

fn numbers(text: &str) -> Option<String> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let version = text[..end].trim_end_matches('.');
    (!version.is_empty()).then(|| version.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_numbers_and_dots() {
        assert_eq!(numbers("15.18 (Debian 15.18-0+deb12u1)").as_deref(), Some("15.18"));
        assert_eq!(numbers("10.11.14-MariaDB-0+deb12u2").as_deref(), Some("10.11.14"));
        assert_eq!(numbers("devel"), None);
    }

    #[test]
    fn what_is_found_can_be_run() {
        for found in Installed::default().engines() {
            assert!(found.version.starts_with(|c: char| c.is_ascii_digit()), "{found:?}");
        }
    }
}
