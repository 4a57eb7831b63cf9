//! When results make a target healthy or unhealthy. Pure.

use linkway_model::load_balancer::{HealthCheck, HealthReason, TargetHealth};

/// A target's health, and what speaks for another.
#[derive(Debug)]
pub(crate) struct Tally {
    health: TargetHealth,
    /// Results in a row, all passed or all failed.
    passes: u32,
    failures: u32,
}

impl Tally {
    /// A target whose health is known to be this.
    pub(crate) fn new(health: TargetHealth) -> Self {
        Self { health, passes: 0, failures: 0 }
    }

    /// The target's health.
    pub(crate) fn health(&self) -> TargetHealth {
        self.health
    }

    /// Count one result. Returns whether the health has changed.
    ///
    /// A new target needs one success, not `healthy_threshold` of them ("After your target is registered,
    /// it must pass one health check to be considered healthy", Network Load Balancer guide).
    pub(crate) fn count(&mut self, result: Result<(), HealthReason>, check: &HealthCheck) -> bool {
        let before = self.health;
        match result {
            Ok(()) => {
                (self.passes, self.failures) = (self.passes.saturating_add(1), 0);
                let needed = if before == TargetHealth::Initial { 1 } else { check.healthy_threshold };
                if self.passes >= needed {
                    self.health = TargetHealth::Healthy;
                }
            }
            Err(reason) => {
                (self.passes, self.failures) = (0, self.failures.saturating_add(1));
                // A target that is unhealthy already stays so, for the latest reason.
                let is_unhealthy = matches!(before, TargetHealth::Unhealthy(_));
                if is_unhealthy || self.failures >= check.unhealthy_threshold {
                    self.health = TargetHealth::Unhealthy(reason);
                }
            }
        }
        self.health != before
    }
}

#[cfg(test)]
mod tests {
    use linkway_model::load_balancer::Protocol;

    use super::*;

    const REFUSED: Result<(), HealthReason> = Err(HealthReason::FailedHealthChecks);

    fn three_and_two() -> HealthCheck {
        HealthCheck {
            protocol: Protocol::Tcp,
            port: None,
            path: String::new(),
            matcher: String::new(),
            interval_seconds: 10,
            timeout_seconds: 5,
            healthy_threshold: 3,
            unhealthy_threshold: 2,
        }
    }

    fn after(start: TargetHealth, results: &[Result<(), HealthReason>]) -> TargetHealth {
        let mut tally = Tally::new(start);
        for result in results {
            tally.count(*result, &three_and_two());
        }
        tally.health()
    }

    #[test]
    fn a_new_target_needs_one_success_or_the_threshold_of_failures() {
        use TargetHealth::{Healthy, Initial, Unhealthy};
        assert_eq!(after(Initial, &[Ok(())]), Healthy);
        assert_eq!(after(Initial, &[REFUSED, Ok(())]), Healthy);
        assert_eq!(after(Initial, &[REFUSED]), Initial);
        assert_eq!(after(Initial, &[REFUSED, REFUSED]), Unhealthy(HealthReason::FailedHealthChecks));
    }

    #[test]
    fn only_results_in_a_row_count() {
        use TargetHealth::{Healthy, Unhealthy};
        let down = Unhealthy(HealthReason::FailedHealthChecks);
        assert_eq!(after(Healthy, &[REFUSED, Ok(()), REFUSED]), Healthy);
        assert_eq!(after(Healthy, &[REFUSED, REFUSED]), down);
        assert_eq!(after(down, &[Ok(()), Ok(()), REFUSED, Ok(()), Ok(())]), down);
        assert_eq!(after(down, &[Ok(()), Ok(()), Ok(())]), Healthy);
    }

    #[test]
    fn an_unhealthy_target_takes_the_latest_reason() {
        let mut tally = Tally::new(TargetHealth::Unhealthy(HealthReason::Timeout));
        assert!(!tally.count(Err(HealthReason::Timeout), &three_and_two()));
        assert!(tally.count(REFUSED, &three_and_two()));
        assert_eq!(tally.health(), TargetHealth::Unhealthy(HealthReason::FailedHealthChecks));
    }
}
