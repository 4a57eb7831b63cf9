//! How often what failed is tried again, and when it is given up.

use std::collections::HashMap;
use std::time::{Duration, Instant};

/// How long to wait before what failed is tried again: at first, and at most.
const BACKOFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// How often something is tried before it is given up.
const TRIES: u32 = 3;

/// What follows from a failure.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is tried again, later.
    Again,
    /// It is not.
    GivenUp,
}

/// Steps that failed, by the id of what they were for. `S` is the state that a step begins from.
pub(crate) struct Tries<S>(HashMap<String, Failed<S>>);

impl<S> Default for Tries<S> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

struct Failed<S> {
    status: S,
    times: u32,
    wait: Duration,
    at: Instant,
}

impl<S: PartialEq> Tries<S> {
    /// Whether it is time to take a step from this state.
    pub(crate) fn is_due(&self, id: &str, status: S) -> bool {
        self.0.get(id).is_none_or(|failed| failed.status != status || failed.at.elapsed() >= failed.wait)
    }

    /// A step has succeeded.
    pub(crate) fn succeeded(&mut self, id: &str) {
        self.0.remove(id);
    }

    /// A step has failed from this state; `bounded` says that it is not tried for ever.
    pub(crate) fn failed(&mut self, id: &str, status: S, bounded: bool) -> Verdict {
        let last = self.0.get(id).filter(|failed| failed.status == status);
        let times = last.map_or(1, |failed| failed.times + 1);
        let wait = last.map_or(BACKOFF.0, |failed| (failed.wait * 2).min(BACKOFF.1));
        self.0.insert(id.to_owned(), Failed { status, times, wait, at: Instant::now() });
        if bounded && times >= TRIES { Verdict::GivenUp } else { Verdict::Again }
    }

    /// Forget those of what is gone.
    pub(crate) fn retain(&mut self, known: impl Fn(&str) -> bool) {
        self.0.retain(|id, _| known(id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_bounded_is_given_up_and_what_is_not_is_not() {
        let mut tries = Tries::default();
        assert!(tries.is_due("A", "creating"));
        assert_eq!(tries.failed("A", "creating", true), Verdict::Again);
        assert!(!tries.is_due("A", "creating"));
        // Something else is asked of it now.
        assert!(tries.is_due("A", "deleting"));
        assert_eq!(tries.failed("A", "creating", true), Verdict::Again);
        assert_eq!(tries.failed("A", "creating", true), Verdict::GivenUp);
        for _ in 0..20 {
            assert_eq!(tries.failed("B", "starting", false), Verdict::Again);
        }
        tries.succeeded("A");
        assert!(tries.is_due("A", "creating"));
    }
}
