//! What happens without being asked for: states follow the conditions that they stand for.
//!
//! All of it may be called at any time and any number of times. Where there is nothing to do it reads the state and
//! writes nothing, so that it can follow every change.

mod health;
mod verification;

use linkway_model::Timestamp;

pub use self::verification::Verification;
use crate::ec2::{
    elastic_address, endpoint_service, instance, interface_permission, internet_gateway, nat_gateway,
    prefix_list, vpc_endpoint,
};
use crate::elbv2::{load_balancer, target};
use crate::{Control, idempotency};

impl Control {
    /// Bring every life cycle as far as it can go, given that the packet path (of every host) follows the revision
    /// `applied`.
    ///
    /// What became ready because of another step here becomes ready with it: a balancer is active, so its service
    /// is available, so are the endpoints that waited for it.
    pub fn advance(&self, applied: u64, now: Timestamp) {
        let done = self.store.reconcile(|tx| {
            load_balancer::reconcile(tx, applied);
            endpoint_service::reconcile(tx);
            vpc_endpoint::reconcile(tx, applied, now);
            prefix_list::reconcile(tx, applied, now);
            target::reconcile(tx, now);
            instance::reconcile(tx, now);
            internet_gateway::reconcile(tx);
            nat_gateway::reconcile(tx, applied, now);
            elastic_address::reconcile(tx);
            interface_permission::reconcile(tx);
            idempotency::reconcile(tx, now);
        });
        log("life cycles wait", done);
    }
}

/// Nobody waits for these answers; the next call tries again.
fn log(what: &str, done: Result<(), impl std::fmt::Display>) {
    if let Err(error) = done {
        tracing::error!(%error, "{what}: the state could not be written");
    }
}
