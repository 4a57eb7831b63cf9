//! Where random cases begin: told, so that a failure can be had again.

use std::env;
use std::fmt::{self, Display, Formatter};
use std::time::{Duration, SystemTime};

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

/// `$LINKWAY_SEED`, or another one each time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seed(u64);

impl Seed {
    pub(crate) fn new() -> Self {
        let clock = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
        let seed = Self(number("LINKWAY_SEED").unwrap_or(clock.subsec_nanos().into()));
        println!("{seed}");
        seed
    }

    /// One round. A runner of proptest counts its cases over all that it runs, so each has its own.
    pub(crate) fn run<S: Strategy>(
        self,
        round: u8,
        cases: u32,
        strategy: &S,
        test: impl Fn(S::Value) -> Result<(), TestCaseError>,
    ) {
        let mut bytes = [round; 32];
        bytes[..8].copy_from_slice(&self.0.to_le_bytes());
        let config =
            Config { cases, failure_persistence: None, max_shrink_time: 60_000, ..Config::default() };
        let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
        runner.run(strategy, test).unwrap_or_else(|failure| panic!("{self}\n{failure}"));
    }
}

/// Rounds of cases until all `kinds` were met, so that agreeing means something: at most ten.
pub(crate) fn meet(kinds: &[&str], met: impl Fn(&str) -> bool, round: impl Fn(u8)) {
    for number in 0..10 {
        round(number);
        if kinds.iter().all(|kind| met(kind)) {
            return;
        }
    }
    let missing: Vec<_> = kinds.iter().filter(|kind| !met(kind)).collect();
    panic!("none was {missing:?}");
}

impl Display for Seed {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "LINKWAY_SEED={}", self.0)
    }
}

pub(crate) fn number(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}
