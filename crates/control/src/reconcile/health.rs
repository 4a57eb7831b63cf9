//! What checks found out about targets.

use linkway_model::Snapshot;
use linkway_model::load_balancer::{Target, TargetGroup, TargetHealth, TargetId};

use super::log;
use crate::{Control, Error};

impl Control {
    /// Note a target's health. Nothing is written where it is known already, or where the target is gone.
    pub fn record_health(&self, target_group: &str, target: &TargetId, port: u16, health: TargetHealth) {
        let is_it = |other: &Target| other.id == *target && other.port == port;
        let news = |state: &Snapshot| {
            let group = state.get::<TargetGroup>(target_group)?;
            group.targets.iter().find(|other| is_it(other)).filter(|its| its.health != health).map(|_| ())
        };
        if news(&self.store.snapshot()).is_none() {
            return;
        }
        let done = self.store.transact(|tx| {
            tx.update::<TargetGroup>(target_group, |group| {
                for its in group.targets.iter_mut().filter(|other| is_it(other)) {
                    its.health = health;
                }
            });
            Ok::<_, Error>(())
        });
        log("a target's health was lost", done);
    }
}
