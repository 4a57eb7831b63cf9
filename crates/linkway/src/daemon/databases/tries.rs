//! How often what failed is tried again, and when it is given up.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use linkway_model::database::DbStatus;

/// How long to wait before what failed is tried again: at first, and at most.
const BACKOFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// How often something is tried before it is given up.
const TRIES: u32 = 3;

/// What follows from a failure.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is tried again, later.
    Again,
    /// It is not.
    GivenUp,
}

/// Steps that failed, by the databases' resource ids.
#[derive(Default)]
pub(super) struct Tries(HashMap<String, Failed>);

struct Failed {
    status: DbStatus,
    times: u32,
    wait: Duration,
    at: Instant,
}

impl Tries {
    /// Whether it is time to take a step for a database in this state.
    pub(super) fn is_due(&self, id: &str, status: DbStatus) -> bool {
        self.0.get(id).is_none_or(|failed| failed.status != status || failed.at.elapsed() >= failed.wait)
    }

    /// A step has succeeded.
    pub(super) fn succeeded(&mut self, id: &str) {
        self.0.remove(id);
    }

    /// A step has failed for a database in this state. A server that ran before is tried for ever: whatever stands
    /// against it may go away. So is what ends one.
    pub(super) fn failed(&mut self, id: &str, status: DbStatus) -> Verdict {
        let last = self.0.get(id).filter(|failed| failed.status == status);
        let times = last.map_or(1, |failed| failed.times + 1);
        let wait = last.map_or(BACKOFF.0, |failed| (failed.wait * 2).min(BACKOFF.1));
        self.0.insert(id.to_owned(), Failed { status, times, wait, at: Instant::now() });
        let bounded = matches!(status, DbStatus::Creating | DbStatus::Modifying | DbStatus::Rebooting);
        if bounded && times >= TRIES { Verdict::GivenUp } else { Verdict::Again }
    }

    /// Forget those of databases that are gone.
    pub(super) fn retain(&mut self, known: impl Fn(&str) -> bool) {
        self.0.retain(|id, _| known(id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_never_ran_is_given_up_and_what_ran_is_not() {
        let mut tries = Tries::default();
        assert!(tries.is_due("db-A", DbStatus::Creating));
        assert_eq!(tries.failed("db-A", DbStatus::Creating), Verdict::Again);
        assert!(!tries.is_due("db-A", DbStatus::Creating));
        // Something else is asked of it now.
        assert!(tries.is_due("db-A", DbStatus::Deleting));
        assert_eq!(tries.failed("db-A", DbStatus::Creating), Verdict::Again);
        assert_eq!(tries.failed("db-A", DbStatus::Creating), Verdict::GivenUp);
        for _ in 0..20 {
            assert_eq!(tries.failed("db-B", DbStatus::Starting), Verdict::Again);
        }
        tries.succeeded("db-A");
        assert!(tries.is_due("db-A", DbStatus::Creating));
    }
}
