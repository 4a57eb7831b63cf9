//! What becomes of NAT gateways once the packet path has followed.

use linkway_model::elastic_address::ElasticAddress;
use linkway_model::nat_gateway::{NatGateway, NatGatewayState};
use linkway_model::network_interface::NetworkInterface;
use linkway_model::{NetworkInterfaceId, Timestamp};
use linkway_store::Transaction;

/// How long a gateway that is deleted, or failed, is shown. Source: the Amazon VPC User Guide, "Work with NAT
/// gateways".
const SHOWN_FOR: jiff::SignedDuration = jiff::SignedDuration::from_hours(1);

/// Gateways that are set up become available, or have failed; those that the packet path has let go of lose their
/// interfaces and addresses; and those that were shown long enough are forgotten.
pub(crate) fn reconcile(tx: &mut Transaction, applied: u64, now: Timestamp) {
    let due: Vec<_> =
        tx.all::<NatGateway>().filter(|gateway| is_due(gateway, applied, now)).cloned().collect();
    for gateway in due {
        let mut gateway = NatGateway::clone(&gateway);
        match gateway.state {
            NatGatewayState::Pending if gateway.failure.is_some() => {
                gateway.state = NatGatewayState::Failed;
                gateway.deleted = Some(now);
            }
            NatGatewayState::Pending => gateway.state = NatGatewayState::Available,
            NatGatewayState::Deleting => {
                if let Some(interface) = gateway.interface.take() {
                    release(tx, &gateway, &interface);
                    tx.delete::<NetworkInterface>(&interface);
                }
                gateway.state = NatGatewayState::Deleted;
            }
            NatGatewayState::Available | NatGatewayState::Failed | NatGatewayState::Deleted => {
                tx.delete::<NatGateway>(&gateway.id);
                continue;
            }
        }
        tx.put(gateway);
    }
}

/// Take the gateway's addresses off its interface.
fn release(tx: &mut Transaction, gateway: &NatGateway, interface: &NetworkInterfaceId) {
    for allocation in &gateway.allocations {
        tx.update::<ElasticAddress>(allocation, |address| {
            address.association = address.association.take().filter(|found| found.interface != *interface);
        });
    }
}

fn is_due(gateway: &NatGateway, applied: u64, now: Timestamp) -> bool {
    match gateway.state {
        NatGatewayState::Pending | NatGatewayState::Deleting => gateway.since <= applied,
        NatGatewayState::Available => false,
        NatGatewayState::Failed | NatGatewayState::Deleted => {
            gateway.deleted.is_none_or(|deleted| now.duration_since(deleted) > SHOWN_FOR)
        }
    }
}
