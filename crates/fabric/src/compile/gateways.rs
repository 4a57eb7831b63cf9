//! The gateways that lead out of VPCs: each has a row that says whether packets may go through it, and where they count.
//!
//! A NAT gateway's is that of its interface. An internet gateway has no interface: a row of its own stands in for one,
//! without groups, in no subnet and behind no address.

use linkway_model::internet_gateway::InternetGateway;
use linkway_model::nat_gateway::{NatGateway, NatGatewayState};
use linkway_model::network_interface::NetworkInterface;
use linkway_model::vpc::Vpc;

use crate::layout::{Endpoint, Interface};
use crate::programs::types::{endpoint_state, interface_kind};
use crate::tables::Tables;

use super::Context;

/// In place of a subnet's row: `SUBNET_OUTSIDE` of `bpf/layout.h`.
const SUBNET_OUTSIDE: u64 = u64::MAX;

pub(super) fn internet(context: &Context<'_>, tables: &mut Tables, gateway: &InternetGateway) {
    let vpc = gateway.vpc.as_ref().and_then(|id| context.snapshot.get::<Vpc>(id));
    let Some(vpc) = vpc.filter(|_| gateway.number != 0) else { return };
    let kind = interface_kind::INTERFACE_INTERNET.0 as u8;
    let row = Interface { vpc: vpc.number, kind, subnet: SUBNET_OUTSIDE, ..Interface::default() };
    tables.interfaces.insert(gateway.number, row);
    tables.endpoints.insert(gateway.number, way(true));
}

pub(super) fn nat(context: &Context<'_>, tables: &mut Tables, gateway: &NatGateway) {
    let interface = gateway.interface.as_ref().and_then(|id| context.snapshot.get::<NetworkInterface>(id));
    if let Some(interface) = interface {
        tables.endpoints.insert(interface.number, way(gateway.state == NatGatewayState::Available));
    }
}

fn way(open: bool) -> Endpoint {
    let state = if open { endpoint_state::ENDPOINT_AVAILABLE } else { endpoint_state::ENDPOINT_UNAVAILABLE };
    Endpoint { state: state.0, ..Endpoint::default() }
}
