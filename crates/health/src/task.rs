//! The life of one target's checks.

use std::sync::Arc;
use std::time::Duration;

use linkway_model::load_balancer::TargetHealth;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::checker::Environment;
use crate::plan::{Key, Spec};
use crate::tally::Tally;

/// How soon to look again at a target that is new: one that has no address yet, or does not answer yet.
const SOON: Duration = Duration::from_millis(500);

/// Check a target at once and then at its interval, until `recorded`, the health that the state has for it,
/// is closed.
///
/// A new target is looked at more often, so that it is in service soon after it is up, whatever the interval;
/// looks between two checks can only make it healthy, so that it is unhealthy no sooner than on AWS.
///
/// What is reported is the difference between what checks found and what the state says, so a report that
/// was lost is made again after the next check.
pub(crate) async fn run(
    environment: Arc<Environment>,
    key: Key,
    spec: Spec,
    mut recorded: watch::Receiver<TargetHealth>,
) {
    let (group, target, port) = &key;
    let mut tally = Tally::new(*recorded.borrow_and_update());
    let period = Duration::from_secs(spec.check.interval_seconds.max(1).into());
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut next_check = Instant::now();
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            changed = recorded.changed() => {
                if changed.is_err() {
                    return;
                }
                // Registered anew: what was found before counts no more.
                if *recorded.borrow_and_update() == TargetHealth::Initial {
                    tally = Tally::new(TargetHealth::Initial);
                    next_check = Instant::now();
                    ticks.reset_immediately();
                }
                continue;
            }
        }
        let Some(address) = environment.address(&key, &spec) else {
            ticks.reset_after(SOON);
            continue;
        };
        let begun = Instant::now();
        let Some(result) = environment.check(address, *port, &spec).await else { return };
        let between_checks = begun < next_check;
        let changed = match result {
            Err(_) if between_checks => false,
            _ => {
                next_check = begun + period;
                tally.count(result, &spec.check)
            }
        };
        let health = tally.health();
        if health == TargetHealth::Initial {
            ticks.reset_after(SOON.min(next_check.saturating_duration_since(Instant::now())));
        }
        let recorded = *recorded.borrow();
        if changed || (health != recorded && health != TargetHealth::Initial) {
            tracing::debug!(group, ?target, port, ?health, "reporting a target's health");
            (environment.report)(group, target, *port, health);
        }
    }
}
