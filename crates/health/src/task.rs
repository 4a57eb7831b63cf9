//! The life of one target's checks.

use std::sync::Arc;
use std::time::Duration;

use linkway_model::load_balancer::TargetHealth;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use crate::check::check;
use crate::checker::Environment;
use crate::plan::{Key, Spec};
use crate::tally::Tally;

/// How soon to ask again for the address of a target that has none yet.
const NO_ADDRESS: Duration = Duration::from_secs(1);

/// Check a target at once and then at its interval, until `recorded`, the health that the state has for it,
/// is closed.
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
                    ticks.reset_immediately();
                }
                continue;
            }
        }
        let Some(address) = (environment.probe)(group, target, *port) else {
            ticks.reset_after(NO_ADDRESS.min(period));
            continue;
        };
        let result = {
            let Ok(_permit) = environment.checks.acquire().await else { return };
            check((address, spec.port(*port)).into(), &spec).await
        };
        let changed = tally.count(result, &spec.check);
        let health = tally.health();
        let recorded = *recorded.borrow();
        if changed || (health != recorded && health != TargetHealth::Initial) {
            tracing::info!(group, ?target, port, ?health, "target health");
            (environment.report)(group, target, *port, health);
        }
    }
}
