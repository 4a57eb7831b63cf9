//! Brings what was written to its place on the disk while nobody writes.

use std::sync::Arc;
use std::time::Duration;

use linkway_store::Store;

use crate::stop::Stop;

/// How long nobody has written before each piece.
const QUIET: Duration = Duration::from_millis(100);

/// How long to wait after one that could not be written.
const BACKOFF: Duration = Duration::from_secs(10);

/// Fold the store's journal, until `stop` turns true.
pub(crate) async fn run(store: Arc<Store>, mut stop: Stop) {
    let mut states = store.subscribe();
    let (mut is_more, mut wait) = (true, QUIET);
    loop {
        tokio::select! {
            () = stop.wait() => return,
            Ok(()) = states.changed() => is_more = true,
            () = tokio::time::sleep(wait), if is_more => {
                let store = Arc::clone(&store);
                let folded = tokio::task::spawn_blocking(move || store.fold()).await;
                wait = BACKOFF;
                match folded {
                    Ok(Ok(more)) => (is_more, wait) = (more, QUIET),
                    Ok(Err(error)) => {
                        tracing::warn!(%error, "the state's journal could not be folded; it is tried again");
                    }
                    Err(error) => tracing::error!(%error, "folding the state's journal failed"),
                }
            }
        }
    }
}
