//! What becomes of targets with time.

use linkway_model::instance::{Instance, InstanceState};
use linkway_model::load_balancer::{Target, TargetGroup, TargetId};
use linkway_model::{Snapshot, Timestamp};
use linkway_store::Transaction;

use crate::elbv2::target_group::deregistration_delay;

/// Targets that have drained long enough are targets no more, nor are instances that have ended.
pub(crate) fn reconcile(tx: &mut Transaction, now: Timestamp) {
    let due: Vec<TargetGroup> = tx
        .all::<TargetGroup>()
        .filter(|group| group.targets.iter().any(|target| is_over(tx, group, target, now)))
        .map(|group| TargetGroup::clone(group))
        .collect();
    for group in due {
        let kept: Vec<Target> =
            group.targets.iter().filter(|target| !is_over(tx, &group, target, now)).cloned().collect();
        tx.update::<TargetGroup>(&group.arn, |group| group.targets = kept);
    }
}

fn is_over(state: &Snapshot, group: &TargetGroup, target: &Target, now: Timestamp) -> bool {
    let drained =
        target.draining_since.is_some_and(|since| now.duration_since(since) >= deregistration_delay(group));
    drained
        || match &target.id {
            TargetId::Ip(_) => false,
            TargetId::Instance(id) => {
                state.get::<Instance>(id).is_none_or(|instance| instance.state == InstanceState::Terminated)
            }
        }
}
