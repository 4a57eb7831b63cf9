//! Whether a connection is in use.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

/// Counts the requests in progress on a connection.
#[derive(Clone, Debug)]
pub(crate) struct Activity(Arc<watch::Sender<State>>);

#[derive(Clone, Copy, Debug)]
struct State {
    open: usize,
    /// When the last change was.
    since: Instant,
}

/// A request in progress, until it is dropped.
#[derive(Debug)]
pub(crate) struct Active(Activity);

impl Activity {
    pub(crate) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(State { open: 0, since: Instant::now() })))
    }

    pub(crate) fn begin(&self) -> Active {
        self.0.send_modify(|state| *state = State { open: state.open + 1, since: Instant::now() });
        Active(self.clone())
    }

    /// Returns when nothing was in progress for `limit`.
    pub(crate) async fn idle(&self, limit: Duration) {
        let mut states = self.0.subscribe();
        loop {
            let State { open, since } = *states.borrow_and_update();
            tokio::select! {
                () = tokio::time::sleep_until(since + limit), if open == 0 => return,
                // The sender is ours.
                _ = states.changed() => {}
            }
        }
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        self.0.0.send_modify(|state| *state = State { open: state.open - 1, since: Instant::now() });
    }
}
