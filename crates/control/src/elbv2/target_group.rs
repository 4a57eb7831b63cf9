//! Target groups.

mod attributes;
mod create;
mod delete;
mod describe;
mod health_check;
mod modify;

use jiff::SignedDuration;
use linkway_model::Snapshot;
use linkway_model::load_balancer::{Listener, TargetGroup};

pub(crate) use attributes::{describe as describe_attributes, modify as modify_attributes};
pub(crate) use create::{MAX_GROUPS, create};
pub(crate) use delete::delete;
pub(crate) use describe::describe;
pub(crate) use modify::modify;

/// Key of the attribute that says how long a deregistered target drains.
const DEREGISTRATION_DELAY: &str = "deregistration_delay.timeout_seconds";

/// AWS's default of it, in seconds.
const DEFAULT_DELAY: i64 = 300;

/// How long a group's deregistered targets keep their connections.
pub(crate) fn deregistration_delay(group: &TargetGroup) -> SignedDuration {
    let given = group.attributes.get(DEREGISTRATION_DELAY).and_then(|value| value.parse().ok());
    SignedDuration::from_secs(given.unwrap_or(DEFAULT_DELAY))
}

/// Listeners that forward to a group.
pub(crate) fn listeners_of<'a>(
    state: &'a Snapshot,
    group: &'a TargetGroup,
) -> impl Iterator<Item = &'a Listener> {
    state.all::<Listener>().map(|listener| &**listener).filter(|listener| listener.target_group == group.arn)
}
