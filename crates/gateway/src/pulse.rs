//! Whether anything still moves on a connection that is only carried.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// When something last moved.
#[derive(Debug)]
pub(crate) struct Pulse {
    begun: Instant,
    /// Milliseconds from the beginning.
    last: AtomicU64,
}

impl Pulse {
    pub(crate) fn new() -> Self {
        Self { begun: Instant::now(), last: AtomicU64::new(0) }
    }

    /// Something moved.
    pub(crate) fn beat(&self) {
        let since = self.begun.elapsed().as_millis();
        self.last.store(u64::try_from(since).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Returns when nothing has moved for `limit`.
    pub(crate) async fn silence(&self, limit: Duration) {
        loop {
            let end = self.begun + Duration::from_millis(self.last.load(Ordering::Relaxed)) + limit;
            if end <= Instant::now() {
                return;
            }
            tokio::time::sleep_until(end).await;
        }
    }
}
