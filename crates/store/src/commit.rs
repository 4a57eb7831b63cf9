//! Commits that transactions share.
//!
//! A transaction leaves its changes in the [`Head`], and then sees to it that they get to the disk: whoever finds no
//! commit under way takes all changes that are there and commits them, with one `fsync`; all others wait until
//! that has happened, or until it is their turn. So each waits for two commits at most, however many there are.
//!
//! When a commit fails, so do the transactions that have run since: they have seen what is not to be.

use std::sync::{Arc, Condvar, MutexGuard, OnceLock, PoisonError};

use linkway_model::Snapshot;

use crate::transaction::{Changes, Transaction};
use crate::{Store, StoreError};

/// The state as the next transaction finds it, and what of it is not on the disk yet.
pub(crate) struct Head {
    pub(crate) snapshot: Arc<Snapshot>,
    /// What the next commit will write.
    changes: Changes,
    /// Those who wait for the next commit.
    batch: Arc<Batch>,
    /// Those who wait for the commit that is under way.
    committing: Option<Arc<Batch>>,
}

impl Head {
    pub(crate) fn new(snapshot: Arc<Snapshot>) -> Self {
        Self { snapshot, changes: Changes::new(), batch: Arc::default(), committing: None }
    }
}

/// Transactions that are committed together.
#[derive(Default)]
struct Batch {
    outcome: OnceLock<Result<(), StoreError>>,
    /// Tells that there is an outcome, or that somebody is to bring it about.
    wake: Condvar,
}

impl Batch {
    fn end(&self, outcome: Result<(), StoreError>) {
        // There is none yet: a batch ends once.
        drop(self.outcome.set(outcome));
        self.wake.notify_all();
    }
}

impl Store {
    pub(crate) fn head(&self) -> MutexGuard<'_, Head> {
        self.head.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Add a transaction to the head. Whether it has changed anything.
    pub(crate) fn extend(&self, head: &mut Head, transaction: Transaction) -> bool {
        let Some((snapshot, changes)) = transaction.finish() else { return false };
        head.snapshot = Arc::new(snapshot);
        if self.database.is_some() {
            head.changes.extend(changes);
        } else {
            self.publish(Arc::clone(&head.snapshot));
        }
        true
    }

    /// Wait until all that is in the head is on the disk, or is given up.
    pub(crate) fn settle<'a>(&'a self, mut head: MutexGuard<'a, Head>) -> Result<(), StoreError> {
        let batch = match &head.committing {
            _ if !head.changes.is_empty() => Arc::clone(&head.batch),
            Some(committing) => Arc::clone(committing),
            None => return Ok(()),
        };
        loop {
            if let Some(outcome) = batch.outcome.get() {
                return outcome.clone();
            }
            head = match head.committing {
                None => self.commit(head),
                Some(_) => batch.wake.wait(head).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// Commit all changes that are in the head.
    fn commit<'a>(&'a self, mut head: MutexGuard<'a, Head>) -> MutexGuard<'a, Head> {
        let Some(database) = &self.database else { return head };
        let changes = std::mem::take(&mut head.changes);
        let batch = std::mem::take(&mut head.batch);
        let snapshot = Arc::clone(&head.snapshot);
        head.committing = Some(Arc::clone(&batch));
        drop(head);

        let mut database = database.lock().unwrap_or_else(PoisonError::into_inner);
        let outcome = database.commit(snapshot.revision, &changes);
        drop(database);
        if outcome.is_ok() {
            self.publish(snapshot);
        }

        let mut head = self.head();
        head.committing = None;
        if let Err(error) = &outcome {
            // What ran meanwhile stands on what is not to be.
            head.changes.clear();
            head.snapshot = self.snapshot();
            std::mem::take(&mut head.batch).end(Err(error.clone()));
        }
        batch.end(outcome);
        // One of those who wait for the next commit brings it about.
        head.batch.wake.notify_one();
        head
    }
}
