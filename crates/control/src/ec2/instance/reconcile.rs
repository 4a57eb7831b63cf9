//! What becomes of instances with time.

use linkway_model::Timestamp;
use linkway_model::instance::{Instance, InstanceState};
use linkway_store::Transaction;

/// How long a terminated instance is shown: an hour, as on AWS.
const SHOWN_FOR: jiff::SignedDuration = jiff::SignedDuration::from_hours(1);

/// Forget instances that ended more than an hour ago.
pub(crate) fn reconcile(tx: &mut Transaction, now: Timestamp) {
    let old = |instance: &Instance| {
        instance.state == InstanceState::Terminated
            && instance.ended.is_none_or(|ended| now.duration_since(ended) > SHOWN_FOR)
    };
    let forgotten: Vec<_> =
        tx.all::<Instance>().filter(|instance| old(instance)).map(|instance| instance.id.clone()).collect();
    for id in forgotten {
        tx.delete::<Instance>(&id);
    }
}
