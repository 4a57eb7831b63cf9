//! What becomes of endpoints once the packet path has followed.

use linkway_model::index::Term;
use linkway_model::network_interface::NetworkInterface;
use linkway_model::vpc_endpoint::{EndpointState, VpcEndpoint};
use linkway_model::{Snapshot, Timestamp};
use linkway_store::Transaction;

use crate::ec2::offered::Offered;

/// How long a deleted endpoint is shown.
const SHOWN_FOR: jiff::SignedDuration = jiff::SignedDuration::from_secs(60);

/// What is due.
enum Step {
    Available,
    Deleted,
    Forgotten,
}

/// Endpoints that are set up become available, those that the packet path has let go of lose their interfaces, and
/// those that were shown long enough are forgotten.
pub(crate) fn reconcile(tx: &mut Transaction, applied: u64, now: Timestamp) {
    let due: Vec<_> = [EndpointState::Pending, EndpointState::Deleting, EndpointState::Deleted]
        .into_iter()
        .flat_map(|state| tx.found::<VpcEndpoint>(Term::EndpointState, state.name()))
        .filter_map(|endpoint| Some((endpoint.clone(), step(tx, endpoint, applied, now)?)))
        .collect();
    for (endpoint, step) in due {
        let revision = tx.revision();
        match step {
            Step::Available => {
                tx.update::<VpcEndpoint>(&endpoint.id, |endpoint| {
                    endpoint.state = EndpointState::Available;
                    endpoint.since = revision;
                    endpoint.subnets.iter_mut().for_each(|place| place.delivered = true);
                });
            }
            Step::Deleted => {
                for place in &endpoint.subnets {
                    tx.delete::<NetworkInterface>(&place.interface);
                }
                tx.update::<VpcEndpoint>(&endpoint.id, |endpoint| {
                    endpoint.state = EndpointState::Deleted;
                    endpoint.since = revision;
                    endpoint.subnets.clear();
                    endpoint.deleted = Some(now);
                });
            }
            Step::Forgotten => {
                tx.delete::<VpcEndpoint>(&endpoint.id);
            }
        }
    }
}

fn step(state: &Snapshot, endpoint: &VpcEndpoint, applied: u64, now: Timestamp) -> Option<Step> {
    let followed = endpoint.since <= applied;
    match endpoint.state {
        EndpointState::Pending => {
            (followed && Offered::of(state, endpoint)?.is_available()).then_some(Step::Available)
        }
        EndpointState::Deleting => followed.then_some(Step::Deleted),
        EndpointState::Deleted => {
            let shown = endpoint.deleted.is_none_or(|deleted| now.duration_since(deleted) > SHOWN_FOR);
            shown.then_some(Step::Forgotten)
        }
        EndpointState::PendingAcceptance
        | EndpointState::Available
        | EndpointState::Rejected
        | EndpointState::Failed => None,
    }
}
