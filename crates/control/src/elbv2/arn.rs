//! ARNs, which are the ids of this service's resources, and finding what they name among what is the caller's.

use std::sync::Arc;

use linkway_model::load_balancer::{Listener, LoadBalancer, TargetGroup};
use linkway_model::{AccountId, Resource, Snapshot};

use super::invalid;
use crate::error::LoadBalancingError;
use crate::{Caller, Error};

/// A kind of resource that has an ARN of this service.
pub(super) trait Named: Resource {
    /// What follows the account in its ARN.
    const PATH: &'static str;
    /// What messages call it.
    const NOUN: &'static str;

    fn owner(&self) -> &AccountId;
    fn region(&self) -> &str;
    fn missing(arn: &str) -> LoadBalancingError;
}

macro_rules! named {
    ($($type:ident: $path:literal, $noun:literal, $missing:expr;)*) => {$(
        impl Named for $type {
            const PATH: &'static str = $path;
            const NOUN: &'static str = $noun;

            fn owner(&self) -> &AccountId {
                &self.owner
            }

            fn region(&self) -> &str {
                &self.region
            }

            fn missing(arn: &str) -> LoadBalancingError {
                let missing: fn(&str) -> LoadBalancingError = $missing;
                missing(arn)
            }
        }
    )*};
}

named! {
    LoadBalancer: "loadbalancer/net/", "load balancer",
        |arn| LoadBalancingError::LoadBalancerNotFound(arn.to_owned());
    Listener: "listener/net/", "listener", |_| LoadBalancingError::ListenerNotFound;
    TargetGroup: "targetgroup/", "target group", |_| LoadBalancingError::TargetGroupNotFound;
}

/// The ARN of a new resource: `tail` comes after the kind's path.
pub(super) fn made<T: Named>(caller: &Caller, tail: &str) -> String {
    format!("arn:aws:elasticloadbalancing:{}:{}:{}{tail}", caller.region, caller.account, T::PATH)
}

/// Whether the resource is among what `caller` may name.
pub(super) fn belongs_to<T: Named>(resource: &T, caller: &Caller) -> bool {
    *resource.owner() == caller.account && resource.region() == caller.region
}

/// Whether the text is an ARN of this kind, in the caller's account and region.
pub(super) fn is_arn<T: Named>(caller: &Caller, text: &str) -> bool {
    text.strip_prefix(&made::<T>(caller, "")).is_some_and(|tail| !tail.is_empty())
}

/// The caller's resource of this ARN. AWS takes the ARNs of other accounts and regions for malformed.
pub(super) fn find<'a, T: Named>(
    state: &'a Snapshot,
    caller: &Caller,
    arn: &str,
) -> Result<&'a Arc<T>, Error> {
    if !is_arn::<T>(caller, arn) {
        return Err(invalid(format!("'{arn}' is not a valid {} ARN", T::NOUN)));
    }
    state.get::<T>(arn).ok_or_else(|| T::missing(arn).into())
}

/// The resource of an ARN that a parameter must have.
pub(super) fn required<'a, T: Named>(
    state: &'a Snapshot,
    caller: &Caller,
    arn: Option<&str>,
) -> Result<&'a Arc<T>, Error> {
    let arn = arn.ok_or_else(|| invalid(format!("A {} ARN must be specified", T::NOUN)))?;
    find(state, caller, arn)
}
