//! The word to stop, which all parts of the daemon wait for.

use tokio::sync::watch;

/// Gives the word. Clones are the same.
#[derive(Clone)]
pub(crate) struct Stopper(watch::Sender<bool>);

/// Gives the word when it is dropped: a part of the daemon that nothing works without holds one.
pub(crate) struct StopWhenDropped(Stopper);

/// Waits for the word.
#[derive(Clone)]
pub(crate) struct Stop(watch::Receiver<bool>);

impl Stopper {
    /// The word is not given yet.
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(false))
    }

    /// Give the word.
    pub(crate) fn stop(&self) {
        self.0.send_replace(true);
    }

    /// Something that gives the word when it is dropped.
    pub(crate) fn when_dropped(&self) -> StopWhenDropped {
        StopWhenDropped(self.clone())
    }

    /// Something to wait with.
    pub(crate) fn subscribe(&self) -> Stop {
        Stop(self.0.subscribe())
    }
}

impl Drop for StopWhenDropped {
    fn drop(&mut self) {
        self.0.stop();
    }
}

impl Stop {
    /// Wait until the word is given, or nobody is left to give it.
    pub(crate) async fn wait(&mut self) {
        drop(self.0.wait_for(|stop| *stop).await);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_word_is_heard_late_and_often() {
        let stopper = Stopper::new();
        let mut early = stopper.subscribe();
        stopper.stop();
        early.wait().await;
        early.wait().await;
        stopper.subscribe().wait().await;
    }

    #[tokio::test]
    async fn a_thread_that_fails_stops_the_rest() {
        let stopper = Stopper::new();
        let vital = stopper.when_dropped();
        let failed = std::thread::spawn(move || {
            let _vital = vital;
            panic!("meant to be");
        });
        stopper.subscribe().wait().await;
        assert!(failed.join().is_err());
    }
}
