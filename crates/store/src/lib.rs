//! Documents under keys, in transactions, with a watch.
//!
//! The whole state is one [`Snapshot`] in memory; readers take it without a lock. A transaction works on a
//! copy (cheap: copies share what is equal), its changes go to SQLite in one commit, and only then is the
//! new snapshot published. So a write that the disk refuses leaves nothing behind, and whoever has an answer
//! finds their own write in the next read.
#![forbid(unsafe_code)]

mod sqlite;
mod transaction;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use linkway_model::Snapshot;
use tokio::sync::watch;

use crate::sqlite::Database;
pub use crate::transaction::Transaction;

/// What can go wrong between the state and the disk.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another daemon has the directory.
    #[error("{} is in use by another daemon; give this one a --state-dir of its own", .0.display())]
    Locked(PathBuf),
    /// The disk is full.
    #[error("no space left for the state in {}; nothing was changed. Free some and try again", .0.display())]
    Full(PathBuf),
    /// The state was written by a newer Linkway.
    #[error("the state in {} has format {found}, and this Linkway knows {known}; upgrade it", .path.display())]
    Newer {
        /// Where.
        path: PathBuf,
        /// What is there.
        found: i64,
        /// What this build reads.
        known: i64,
    },
    /// The directory cannot be used.
    #[error("cannot use the state directory {}: {source}", .path.display())]
    Directory {
        /// Where.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// SQLite failed otherwise.
    #[error("the state's database failed: {0}")]
    Database(#[from] rusqlite::Error),
    /// A document does not read back.
    #[error("the {kind} {id} in the state cannot be read: {source}")]
    Corrupt {
        /// Kind of the document.
        kind: String,
        /// Its id.
        id: String,
        /// Why.
        source: serde_json::Error,
    },
}

/// The state.
pub struct Store {
    /// `None`: nothing is kept on disk.
    writer: Mutex<Option<Database>>,
    current: ArcSwap<Snapshot>,
    watch: watch::Sender<Arc<Snapshot>>,
}

impl Store {
    /// The state in `directory`, made if need be. Holds a lock on it while it lives.
    pub fn open(directory: &Path) -> Result<Self, StoreError> {
        let mut database = Database::open(directory)?;
        let snapshot = database.load()?;
        Ok(Self::with(Some(database), snapshot))
    }

    /// A state that ends with the process.
    pub fn ephemeral() -> Self {
        Self::with(None, Snapshot::default())
    }

    fn with(database: Option<Database>, snapshot: Snapshot) -> Self {
        let snapshot = Arc::new(snapshot);
        Self {
            writer: Mutex::new(database),
            current: ArcSwap::new(Arc::clone(&snapshot)),
            watch: watch::Sender::new(snapshot),
        }
    }

    /// The state now.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.current.load_full()
    }

    /// Every later state, or the latest of several.
    pub fn subscribe(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.watch.subscribe()
    }

    /// Run `work` on the state, alone, and keep what it changed if it returns `Ok`. What it returns comes
    /// back; an error, its own or the disk's, leaves the state as it was.
    pub fn transact<R, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&mut Transaction) -> Result<R, E>,
    ) -> Result<R, E> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let mut transaction = Transaction::begin(&self.snapshot());
        let answer = work(&mut transaction)?;
        if let Some((snapshot, changes)) = transaction.finish() {
            if let Some(database) = writer.as_mut() {
                database.commit(snapshot.revision, &changes)?;
            }
            let snapshot = Arc::new(snapshot);
            self.current.store(Arc::clone(&snapshot));
            self.watch.send_replace(snapshot);
        }
        Ok(answer)
    }
}
