//! `DeleteLoadBalancer`.

use linkway_model::Snapshot;
use linkway_model::endpoint_service::EndpointService;
use linkway_model::load_balancer::{Listener, LoadBalancer};
use linkway_model::network_interface::NetworkInterface;
use linkway_wire::elbv2::{DeleteLoadBalancerInput, DeleteLoadBalancerOutput};

use crate::elbv2::arn;
use crate::error::LoadBalancingError;
use crate::{Caller, Control, Error};

/// Listeners go with their balancer. A balancer that is gone is deleted again without an error.
pub(crate) fn delete(
    control: &Control,
    caller: &Caller,
    input: DeleteLoadBalancerInput,
) -> Result<DeleteLoadBalancerOutput, Error> {
    control.write(None, |tx| {
        let balancer = match arn::required::<LoadBalancer>(tx, caller, input.load_balancer_arn.as_deref()) {
            Ok(balancer) => balancer.clone(),
            Err(Error::LoadBalancing(LoadBalancingError::LoadBalancerNotFound(_))) => {
                return Ok(DeleteLoadBalancerOutput {});
            }
            Err(error) => return Err(error),
        };
        let arn = &balancer.arn;
        if balancer.attributes.get("deletion_protection.enabled").is_some_and(|value| value == "true") {
            return Err(LoadBalancingError::OperationNotPermitted(format!(
                "Load balancer '{arn}' cannot be deleted because deletion protection is enabled"
            ))
            .into());
        }
        if is_published(tx, &balancer) {
            return Err(LoadBalancingError::ResourceInUse(format!(
                "Load balancer '{arn}' cannot be deleted because it is currently associated with another service"
            ))
            .into());
        }
        let listeners = tx.all::<Listener>().filter(|listener| listener.load_balancer == *arn);
        for listener in listeners.map(|listener| listener.arn.clone()).collect::<Vec<_>>() {
            tx.delete::<Listener>(listener);
        }
        for node in &balancer.nodes {
            tx.delete::<NetworkInterface>(&node.interface);
        }
        tx.delete::<LoadBalancer>(arn);
        Ok(DeleteLoadBalancerOutput {})
    })
}

/// Whether an endpoint service is behind it: then it stays where it is.
pub(super) fn is_published(state: &Snapshot, balancer: &LoadBalancer) -> bool {
    state.all::<EndpointService>().any(|service| service.load_balancers.contains(&balancer.arn))
}
