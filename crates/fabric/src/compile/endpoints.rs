//! Where each endpoint's interfaces lead.

use linkway_model::endpoint_service::EndpointService;
use linkway_model::network_interface::NetworkInterface;
use linkway_model::vpc::Vpc;
use linkway_model::vpc_endpoint::{EndpointSubnet, Gateway, VpcEndpoint};

use crate::layout::{Endpoint, Interface, Listener, ListenerKey};
use crate::programs::types::{endpoint_flag, endpoint_state, interface_kind, listener_flag};
use crate::tables::Tables;

use super::Context;

const TCP: u8 = 6;

/// Where AWS services answer: HTTPS, and HTTP.
const AWS_PORTS: [u16; 2] = [443, 80];

pub(super) fn compile(context: &Context<'_>, tables: &mut Tables, endpoint: &VpcEndpoint) {
    if let Some(gateway) = &endpoint.gateway {
        stand_in(context, endpoint, gateway, tables);
    }
    for subnet in &endpoint.subnets {
        let Some(interface) = context.snapshot.get::<NetworkInterface>(&subnet.interface) else {
            continue;
        };
        let number = interface.number;
        let lead = if endpoint.aws_service().is_some() {
            listen(tables, number);
            lead_to_gateway(endpoint, number)
        } else {
            lead(context, endpoint, subnet)
        };
        tables.endpoints.insert(number, lead);
    }
}

/// A gateway endpoint has no interface: a row of its own stands in for one, without groups, in no subnet and behind
/// no address.
fn stand_in(context: &Context<'_>, endpoint: &VpcEndpoint, gateway: &Gateway, tables: &mut Tables) {
    let Some(vpc) = context.snapshot.get::<Vpc>(&endpoint.vpc) else { return };
    let kind = interface_kind::INTERFACE_ENDPOINT.0 as u8;
    let row = Interface { vpc: vpc.number, kind, ..Interface::default() };
    tables.interfaces.insert(gateway.number, row);
    listen(tables, gateway.number);
    tables.endpoints.insert(gateway.number, lead_to_gateway(endpoint, gateway.number));
}

/// An AWS service's endpoint has no balancer: its own interface listens, for the gateway.
fn listen(tables: &mut Tables, node: u32) {
    for port in AWS_PORTS {
        let key = ListenerKey { node, port: port.to_be(), protocol: TCP, pad: 0 };
        let value = Listener { flags: listener_flag::LISTENER_GATEWAY.0, ..Listener::default() };
        tables.listeners.insert(key, value);
    }
}

fn lead_to_gateway(endpoint: &VpcEndpoint, node: u32) -> Endpoint {
    let state = if endpoint.state.carries_packets() {
        endpoint_state::ENDPOINT_AVAILABLE
    } else {
        endpoint_state::ENDPOINT_UNAVAILABLE
    };
    Endpoint { node, state: state.0, ..Endpoint::default() }
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
        .and_then(|(balancer, node)| {
            Some((balancer, context.snapshot.get::<NetworkInterface>(&node.interface)?))
        })
        .map_or(unavailable, |(balancer, node)| Endpoint {
            node: node.number,
            state: endpoint_state::ENDPOINT_AVAILABLE.0,
            flags: if balancer.filters_private_link { endpoint_flag::ENDPOINT_ASKS_BALANCER.0 } else { 0 },
            ..Endpoint::default()
        })
}
