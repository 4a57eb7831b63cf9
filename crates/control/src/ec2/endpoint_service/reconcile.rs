//! What becomes of services once their balancers are active.

use linkway_model::endpoint_service::{EndpointService, ServiceState};
use linkway_store::Transaction;

use super::balancers::service_state;

/// Services whose balancers are active become available.
pub(crate) fn reconcile(tx: &mut Transaction) {
    let ready = |service: &EndpointService| {
        service.state == ServiceState::Pending
            && service_state(tx, &service.load_balancers) == ServiceState::Available
    };
    let due: Vec<_> = tx
        .all::<EndpointService>()
        .filter(|service| ready(service))
        .map(|service| service.id.clone())
        .collect();
    for id in due {
        tx.update::<EndpointService>(&id, |service| service.state = ServiceState::Available);
    }
}
