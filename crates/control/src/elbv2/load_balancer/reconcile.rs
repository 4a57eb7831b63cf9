//! What becomes of balancers once the packet path has followed.

use linkway_model::load_balancer::LoadBalancer;
use linkway_store::Transaction;

/// Balancers that are set up become active.
pub(crate) fn reconcile(tx: &mut Transaction, applied: u64) {
    let due: Vec<String> = tx
        .all::<LoadBalancer>()
        .filter(|balancer| !balancer.active && balancer.since <= applied)
        .map(|balancer| balancer.arn.clone())
        .collect();
    for arn in due {
        tx.update::<LoadBalancer>(arn, |balancer| balancer.active = true);
    }
}
