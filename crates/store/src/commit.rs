//! Commits that transactions share.
//!
//! A transaction leaves its changes in the [`Head`], and then sees to it that they get to the disk: whoever finds no
//! commit under way takes all changes that are there and commits them, with one `fdatasync`; all others wait until
//! that has happened, or until it is their turn. So each waits for two commits at most, however many there are.
//!
//! When a commit fails, so do the transactions that have run since: they have seen what is not to be.
//!
//! A thread may wait, or do its work [`deferred`] and have a task wait: then hundreds wait without a thread each.

use std::cell::RefCell;
use std::sync::{Arc, Condvar, MutexGuard, OnceLock, PoisonError};

use tokio::sync::Notify;

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
    /// Whether a task has gone to have a thread commit.
    claimed: bool,
}

impl Head {
    pub(crate) fn new(snapshot: Arc<Snapshot>) -> Self {
        Self { snapshot, changes: Changes::new(), batch: Arc::default(), committing: None, claimed: false }
    }
}

/// Transactions that are committed together.
#[derive(Default)]
struct Batch {
    outcome: OnceLock<Result<(), StoreError>>,
    /// Tells threads that there is an outcome, or that somebody is to bring it about.
    wake: Condvar,
    /// Tells tasks.
    ended: Notify,
}

impl Batch {
    fn end(&self, outcome: Result<(), StoreError>) {
        // There is none yet: a batch ends once.
        drop(self.outcome.set(outcome));
        self.wake.notify_all();
        self.ended.notify_waiters();
    }
}

/// What work that was done [`deferred`] has to wait for, before anybody is told of it: [`Store::settled`].
pub struct Pending(Arc<Batch>);

thread_local! {
    /// Whether this thread's transactions wait for the disk later, and what for.
    static DEFERRED: RefCell<Option<Option<Arc<Batch>>>> = const { RefCell::new(None) };
}

/// Do `work`, whose transactions do not wait for the disk. What it reads besides them has what it wrote. Returns what
/// is to be waited for: nothing, if it had nothing to do with what is not on the disk.
pub fn deferred<R>(work: impl FnOnce() -> R) -> (R, Option<Pending>) {
    /// Ends it also when the work panics.
    struct End;
    impl Drop for End {
        fn drop(&mut self) {
            DEFERRED.set(None);
        }
    }
    DEFERRED.set(Some(None));
    let end = End;
    let answer = work();
    let pending = DEFERRED.take().flatten();
    drop(end);
    (answer, pending.map(Pending))
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
        let is_deferred = DEFERRED.with_borrow_mut(|deferred| {
            deferred.as_mut().map(|pending| *pending = Some(Arc::clone(&batch))).is_some()
        });
        if is_deferred {
            return Ok(());
        }
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

    /// Wait until what was done [`deferred`] is on the disk.
    ///
    /// # Errors
    ///
    /// If it could not be written. Then nothing was changed.
    pub async fn settled(self: &Arc<Self>, pending: Pending) -> Result<(), StoreError> {
        let Pending(batch) = pending;
        loop {
            // From here on it hears of an end.
            let ended = batch.ended.notified();
            if let Some(outcome) = batch.outcome.get() {
                return outcome.clone();
            }
            if self.claim() {
                let store = Arc::clone(self);
                let committed = tokio::task::spawn_blocking(move || store.commit_all()).await;
                committed.unwrap_or_else(|error| tracing::error!(%error, "a commit failed"));
            } else {
                ended.await;
            }
        }
    }

    /// Whether it is the caller who is to have a thread commit.
    fn claim(&self) -> bool {
        let mut head = self.head();
        head.committing.is_none() && !std::mem::replace(&mut head.claimed, true)
    }

    /// Commit until there is nothing left.
    fn commit_all(&self) {
        let mut head = self.head();
        head.claimed = false;
        while head.committing.is_none() && !head.changes.is_empty() {
            head = self.commit(head);
        }
    }

    /// What this thread's work sees: what it has written itself, also before that is on the disk.
    pub(crate) fn deferred_snapshot(&self) -> Option<Arc<Snapshot>> {
        let is_pending = DEFERRED.with_borrow(|deferred| matches!(deferred, Some(Some(_))));
        is_pending.then(|| Arc::clone(&self.head().snapshot))
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
            head.snapshot = self.current.load_full();
            std::mem::take(&mut head.batch).end(Err(error.clone()));
        }
        batch.end(outcome);
        // One of those who wait for the next commit brings it about.
        head.batch.wake.notify_one();
        head.batch.ended.notify_one();
        head
    }
}
