//! Documents under keys, in transactions, with a watch.
//!
//! The whole state is one [`Snapshot`] in memory; readers take it without a lock. A transaction works on a
//! copy (cheap: copies share what is equal), its changes go to SQLite, and only then is the new snapshot
//! published. So a write that the disk refuses leaves nothing behind, and whoever has an answer finds their own
//! write in the next read.
//!
//! While one commit is on its way to the disk, other transactions go on, each on the state that the one before it
//! left, and wait together for the next commit (`commit.rs`).
#![forbid(unsafe_code)]

mod commit;
mod sqlite;
mod transaction;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, TryLockError};

use arc_swap::ArcSwap;
use linkway_model::Snapshot;
use tokio::sync::watch;

use crate::commit::Head;
pub use crate::commit::{Pending, deferred};
use crate::sqlite::Database;
pub use crate::transaction::Transaction;

/// What can go wrong between the state and the disk.
#[derive(Debug, Clone, thiserror::Error)]
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
        source: Arc<std::io::Error>,
    },
    /// SQLite failed otherwise.
    #[error("the state's database failed: {0}")]
    Database(#[source] Arc<rusqlite::Error>),
    /// A document does not read back.
    #[error("the {kind} {id} in the state cannot be read: {source}")]
    Corrupt {
        /// Kind of the document.
        kind: String,
        /// Its id.
        id: String,
        /// Why.
        source: Arc<serde_json::Error>,
    },
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(Arc::new(error))
    }
}

/// The state.
pub struct Store {
    head: Mutex<Head>,
    /// `None`: nothing is kept on disk.
    database: Option<Mutex<Database>>,
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
            head: Mutex::new(Head::new(Arc::clone(&snapshot))),
            database: database.map(Mutex::new),
            current: ArcSwap::new(Arc::clone(&snapshot)),
            watch: watch::Sender::new(snapshot),
        }
    }

    /// The state now.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.deferred_snapshot().unwrap_or_else(|| self.current.load_full())
    }

    /// Every later state, or the latest of several.
    pub fn subscribe(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.watch.subscribe()
    }

    /// Bring a piece of what was written last to its place on the disk, which takes milliseconds and changes nothing
    /// that anybody sees. Whether there is more of it.
    ///
    /// # Errors
    ///
    /// If it could not be written; it stays where it was.
    pub fn fold(&self) -> Result<bool, StoreError> {
        match self.database.as_ref().map(Mutex::try_lock) {
            None => Ok(false),
            Some(Ok(mut database)) => database.fold(),
            Some(Err(TryLockError::Poisoned(poisoned))) => poisoned.into_inner().fold(),
            // Somebody writes.
            Some(Err(TryLockError::WouldBlock)) => Ok(true),
        }
    }

    /// Run `work` on the state, alone, and keep what it changed if it returns `Ok`. What it returns comes
    /// back; an error, its own or the disk's, leaves the state as it was. Either way, what it has seen is on the
    /// disk by then.
    pub fn transact<R, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&mut Transaction) -> Result<R, E>,
    ) -> Result<R, E> {
        let mut head = self.head();
        let mut transaction = Transaction::begin(&head.snapshot);
        let answer = work(&mut transaction);
        if answer.is_ok() {
            self.extend(&mut head, transaction);
        }
        self.settle(head)?;
        answer
    }

    /// Run `work` on the state, alone, and keep what it changed. Where it changed nothing, nobody waits for anything.
    ///
    /// # Errors
    ///
    /// If the changes could not be written. Then nothing was changed.
    pub fn reconcile(&self, work: impl FnOnce(&mut Transaction)) -> Result<(), StoreError> {
        let mut head = self.head();
        let mut transaction = Transaction::begin(&head.snapshot);
        work(&mut transaction);
        if self.extend(&mut head, transaction) { self.settle(head) } else { Ok(()) }
    }

    fn publish(&self, snapshot: Arc<Snapshot>) {
        self.current.store(Arc::clone(&snapshot));
        self.watch.send_replace(snapshot);
    }
}
