//! Whether a connection is in use.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::pulse::Pulse;

/// Counts the requests in progress on a connection. Nobody is woken when one begins or ends: a connection in use is
/// looked at again when it could be idle for long enough.
#[derive(Clone, Debug)]
pub(crate) struct Activity(Arc<State>);

#[derive(Debug)]
struct State {
    open: AtomicUsize,
    /// When the last change was.
    changed: Pulse,
}

/// A request in progress, until it is dropped.
#[derive(Debug)]
pub(crate) struct Active(Activity);

impl Activity {
    pub(crate) fn new() -> Self {
        Self(Arc::new(State { open: AtomicUsize::new(0), changed: Pulse::new() }))
    }

    pub(crate) fn begin(&self) -> Active {
        self.0.open.fetch_add(1, Ordering::AcqRel);
        self.0.changed.beat();
        Active(self.clone())
    }

    /// Returns when nothing was in progress for `limit`.
    pub(crate) async fn idle(&self, limit: Duration) {
        loop {
            self.0.changed.silence(limit).await;
            if self.0.open.load(Ordering::Acquire) == 0 {
                return;
            }
            // A request that takes longer than that: it beats when it ends.
            tokio::time::sleep_until(Instant::now() + limit).await;
        }
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        self.0.0.changed.beat();
        self.0.0.open.fetch_sub(1, Ordering::AcqRel);
    }
}
