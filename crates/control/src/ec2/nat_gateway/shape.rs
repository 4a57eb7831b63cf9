//! A NAT gateway as responses carry it, and what it is filtered by.

use linkway_model::Snapshot;
use linkway_model::elastic_address::ElasticAddress;
use linkway_model::nat_gateway::{NatGateway, NatGatewayState};
use linkway_model::network_interface::NetworkInterface;
use linkway_wire::ec2::{NatGateway as NatGatewayShape, NatGatewayAddress};

use crate::filter::{Field, fields, one};
use crate::tags;

pub(super) const FILTERS: &[Field<NatGateway>] = fields! {
    "nat-gateway-id" => |_, gateway| one(&gateway.id);
    "state" => |_, gateway| one(gateway.state.as_str());
    "subnet-id" => |_, gateway| one(&gateway.subnet);
    "vpc-id" => |_, gateway| one(&gateway.vpc);
};

pub(super) fn shape(state: &Snapshot, gateway: &NatGateway) -> NatGatewayShape {
    let failed = gateway.failure.as_ref().filter(|_| gateway.state != NatGatewayState::Pending);
    let (failure_code, failure_message) = failed.cloned().unzip();
    NatGatewayShape {
        availability_mode: Some("zonal".into()),
        connectivity_type: Some(if gateway.is_public() { "public" } else { "private" }.into()),
        create_time: Some(gateway.created),
        delete_time: gateway.deleted,
        failure_code,
        failure_message,
        nat_gateway_addresses: vec![address(state, gateway)],
        nat_gateway_id: Some(gateway.id.to_string()),
        state: Some(gateway.state.as_str().into()),
        subnet_id: Some(gateway.subnet.to_string()),
        tags: tags::shape(&gateway.tags),
        vpc_id: Some(gateway.vpc.to_string()),
        ..NatGatewayShape::default()
    }
}

fn address(state: &Snapshot, gateway: &NatGateway) -> NatGatewayAddress {
    let interface = gateway.interface.as_ref().and_then(|id| state.get::<NetworkInterface>(id));
    let elastic = gateway.allocations.first().and_then(|id| state.get::<ElasticAddress>(id));
    let association = elastic.and_then(|address| address.association.as_ref());
    NatGatewayAddress {
        allocation_id: gateway.allocations.first().map(ToString::to_string),
        association_id: association
            .filter(|found| gateway.interface.as_ref() == Some(&found.interface))
            .map(|found| found.id.to_string()),
        is_primary: Some(true),
        network_interface_id: interface.map(|found| found.id.to_string()),
        private_ip: interface.map(|found| found.address.to_string()),
        public_ip: elastic.map(|found| found.address.to_string()),
        status: Some(if gateway.failure.is_some() { "failed" } else { "succeeded" }.into()),
        ..NatGatewayAddress::default()
    }
}
