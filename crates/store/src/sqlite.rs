//! The state on disk, in SQLite: a table of documents, and a journal of what has changed since.
//!
//! A commit appends to the journal, which takes a page of the database for several documents; in their own table each
//! has its place on another page. While nobody writes, the journal is folded into the table, a piece at a time; where
//! somebody always does, from [`MOST`] rows on, with each commit. What was written several times within a piece is
//! written once there, and in the order of its keys.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use linkway_model::Snapshot;
use rusqlite::{Connection, ErrorCode, Transaction, params};

use crate::StoreError;
use crate::transaction::Changes;

/// Format of the database. Raised when it, or a document, changes so that an older build would misread it: 2 has the
/// journal.
const FORMAT: i64 = 2;

/// Rows that the journal has before commits fold it.
const MOST: u32 = 20_000;

/// Rows that are folded at once: a write that comes meanwhile waits for milliseconds.
const PIECE: u32 = 250;

pub(crate) struct Database {
    directory: PathBuf,
    connection: Connection,
    /// Rows that the journal has.
    journaled: u32,
    /// Whether an older build could still read it: until the first commit, so that one that only looks, and then refuses
    /// to start, takes nothing away. What it has is in today's format, too, without a journal.
    is_older: bool,
    /// Held for its lock, which goes when the file is closed, however the process ends.
    _lock: File,
}

impl Database {
    pub(crate) fn open(directory: &Path) -> Result<Self, StoreError> {
        let path = || directory.to_owned();
        let failed = |source: std::io::Error| StoreError::Directory { path: path(), source: source.into() };
        // Keys are in there: nobody else may read.
        DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(failed)?;
        let lock = private_file(&directory.join("lock")).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StoreError::Locked(path())),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        let file = directory.join("state.db");
        drop(private_file(&file).map_err(failed)?);
        let connection = Connection::open(&file)?;
        // WAL, so that a commit is one append; FULL, so that an answer means it is on the disk.
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        // The journal's pages, which are written again and again, get to the database's file seldom: once for 16 MiB
        // of the log. In KiB: what folding goes through.
        connection.pragma_update(None, "wal_autocheckpoint", 4096)?;
        connection.pragma_update(None, "cache_size", -8192)?;
        let mut database = Self { directory: path(), connection, journaled: 0, is_older: false, _lock: lock };
        database.prepare().map_err(|error| database.explain(error))?;
        database.check_format()?;
        Ok(database)
    }

    fn prepare(&self) -> Result<(), rusqlite::Error> {
        self.connection.execute_batch(
            "CREATE TABLE IF NOT EXISTS documents (
                 kind TEXT NOT NULL, id TEXT NOT NULL, json TEXT NOT NULL, PRIMARY KEY (kind, id)
             ) WITHOUT ROWID;
             CREATE TABLE IF NOT EXISTS journal (
                 number INTEGER PRIMARY KEY, kind TEXT NOT NULL, id TEXT NOT NULL, json TEXT
             );
             CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;",
        )?;
        self.connection
            .execute("INSERT OR IGNORE INTO meta VALUES ('format', ?1), ('revision', 0)", params![FORMAT])?;
        Ok(())
    }

    fn meta(&self, name: &str) -> Result<i64, rusqlite::Error> {
        self.connection.query_row("SELECT value FROM meta WHERE name = ?1", params![name], |row| row.get(0))
    }

    fn check_format(&mut self) -> Result<(), StoreError> {
        let found = self.meta("format")?;
        if found > FORMAT {
            return Err(StoreError::Newer { path: self.directory.clone(), found, known: FORMAT });
        }
        self.is_older = found < FORMAT;
        Ok(())
    }

    pub(crate) fn load(&mut self) -> Result<Snapshot, StoreError> {
        let mut snapshot =
            Snapshot { revision: self.meta("revision")?.unsigned_abs(), ..Snapshot::default() };
        for table in ["documents", "journal ORDER BY number"] {
            let mut statement = self.connection.prepare(&format!("SELECT kind, id, json FROM {table}"))?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let (kind, id, json): (String, String, Option<String>) =
                    (row.get(0)?, row.get(1)?, row.get(2)?);
                let Some(json) = json else {
                    snapshot.unload(&kind, &id);
                    continue;
                };
                match snapshot.load(&kind, &json) {
                    Ok(true) => {}
                    Ok(false) => tracing::warn!(
                        kind,
                        id,
                        "the state holds a document of a kind that this build does not know; left alone"
                    ),
                    Err(source) => return Err(StoreError::Corrupt { kind, id, source: source.into() }),
                }
            }
        }
        self.journaled = self.connection.query_row("SELECT count(*) FROM journal", [], |row| row.get(0))?;
        Ok(snapshot)
    }

    pub(crate) fn commit(&mut self, revision: u64, changes: &Changes) -> Result<(), StoreError> {
        self.write(revision, changes).map_err(|error| self.explain(error))
    }

    fn write(&mut self, revision: u64, changes: &Changes) -> Result<(), rusqlite::Error> {
        let transaction = self.connection.transaction()?;
        let added = changes.len() as u32;
        let folded = match self.journaled >= MOST {
            // More than is added, so that it gets no longer.
            true => fold(&transaction, PIECE.max(added.saturating_mul(2)))?,
            false => 0,
        };
        {
            let mut add =
                transaction.prepare_cached("INSERT INTO journal (kind, id, json) VALUES (?1, ?2, ?3)")?;
            for ((kind, id), document) in changes {
                add.execute(params![kind, id, document.as_ref().map(|document| document.json())])?;
            }
            transaction
                .prepare_cached("UPDATE meta SET value = ?1 WHERE name = 'revision'")?
                .execute(params![revision.cast_signed()])?;
            if self.is_older {
                transaction.execute("UPDATE meta SET value = ?1 WHERE name = 'format'", params![FORMAT])?;
            }
        }
        transaction.commit()?;
        self.is_older = false;
        self.journaled = (self.journaled - folded).saturating_add(added);
        Ok(())
    }

    /// Fold a piece of the journal. Whether there is more of it.
    pub(crate) fn fold(&mut self) -> Result<bool, StoreError> {
        if self.journaled > 0 {
            self.fold_piece().map_err(|error| self.explain(error))?;
        }
        Ok(self.journaled > 0)
    }

    fn fold_piece(&mut self) -> Result<(), rusqlite::Error> {
        let transaction = self.connection.transaction()?;
        let folded = fold(&transaction, PIECE)?;
        transaction.commit()?;
        self.journaled -= folded;
        Ok(())
    }

    /// SQLite's error, in the operator's words where they can do something about it.
    fn explain(&self, error: rusqlite::Error) -> StoreError {
        let out_of_space = match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => true,
            // A full file system shows as a failed write of the log, too.
            Some(ErrorCode::SystemIoFailure) => !can_write(&self.directory),
            _ => false,
        };
        if out_of_space { StoreError::Full(self.directory.clone()) } else { error.into() }
    }
}

/// Have the documents as the oldest rows of the journal say, so many at most, and the journal without these. How many
/// they were.
fn fold(transaction: &Transaction<'_>, most: u32) -> Result<u32, rusqlite::Error> {
    let (mut folded, mut end) = (0, 0);
    let mut last: BTreeMap<(String, String), Option<String>> = BTreeMap::new();
    let mut journal =
        transaction.prepare_cached("SELECT number, kind, id, json FROM journal ORDER BY number LIMIT ?1")?;
    let mut rows = journal.query(params![most])?;
    while let Some(row) = rows.next()? {
        last.insert((row.get(1)?, row.get(2)?), row.get(3)?);
        end = row.get::<_, i64>(0)?;
        folded += 1;
    }
    let mut put = transaction.prepare_cached("INSERT OR REPLACE INTO documents VALUES (?1, ?2, ?3)")?;
    let mut delete = transaction.prepare_cached("DELETE FROM documents WHERE kind = ?1 AND id = ?2")?;
    for ((kind, id), json) in last {
        match json {
            Some(json) => put.execute(params![kind, id, json])?,
            None => delete.execute(params![kind, id])?,
        };
    }
    transaction.prepare_cached("DELETE FROM journal WHERE number <= ?1")?.execute(params![end])?;
    Ok(folded)
}

/// Open a file that only its owner may read, made if need be.
fn private_file(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().create(true).truncate(false).read(true).write(true).mode(0o600).open(path)
}

/// Whether one more block can be written in `directory`.
fn can_write(directory: &Path) -> bool {
    let probe = directory.join("probe");
    let written = fs::write(&probe, [0; 4096]).is_ok();
    drop(fs::remove_file(probe));
    written
}
