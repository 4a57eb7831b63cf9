//! Where each endpoint's interfaces lead.

use linkway_model::endpoint_service::EndpointService;
use linkway_model::network_interface::NetworkInterface;
use linkway_model::vpc_endpoint::{EndpointSubnet, VpcEndpoint};

use crate::layout::Endpoint;
use crate::programs::types::endpoint_state;
use crate::tables::Tables;

use super::Context;

pub(super) fn compile(context: &Context<'_>, tables: &mut Tables) {
    for endpoint in context.snapshot.all::<VpcEndpoint>() {
        for subnet in &endpoint.subnets {
            let Some(interface) = context.snapshot.get::<NetworkInterface>(&subnet.interface) else {
                continue;
            };
            tables.endpoints.insert(interface.number, lead(context, endpoint, subnet));
        }
    }
}

fn lead(context: &Context<'_>, endpoint: &VpcEndpoint, subnet: &EndpointSubnet) -> Endpoint {
    let unavailable = Endpoint { state: endpoint_state::ENDPOINT_UNAVAILABLE.0, ..Endpoint::default() };
    if !endpoint.state.carries_packets() {
        return unavailable;
    }
    context
        .snapshot
        .get::<EndpointService>(&endpoint.service)
        .and_then(|service| context.routing.node(service, &subnet.zone))
        .and_then(|(_, node)| context.snapshot.get::<NetworkInterface>(&node.interface))
        .map_or(unavailable, |node| Endpoint {
            node: node.number,
            state: endpoint_state::ENDPOINT_AVAILABLE.0,
            ..Endpoint::default()
        })
}
