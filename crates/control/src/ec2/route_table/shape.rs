//! A route table as responses carry it, and what it is filtered by.

use linkway_model::Snapshot;
use linkway_model::network_interface::{InterfaceRole, NetworkInterface};
use linkway_model::route_table::{Route, RouteTable, RouteTarget};
use linkway_model::vpc::Vpc;
use linkway_wire::ec2::{
    Route as RouteShape, RouteTable as RouteTableShape, RouteTableAssociation, RouteTableAssociationState,
};

use crate::ec2::vpc_endpoint;
use crate::filter::{Field, fields, many, none, one};
use crate::tags;

/// The values of one member of a table's routes.
fn of_routes(state: &Snapshot, table: &RouteTable, member: fn(RouteShape) -> Option<String>) -> Vec<String> {
    many(routes(state, table).into_iter().filter_map(member))
}

pub(super) const FILTERS: &[Field<RouteTable>] = fields! {
    "association.route-table-association-id" =>
        |_, table| many(associations(table).into_iter().filter_map(|found| found.route_table_association_id));
    "association.route-table-id" =>
        |_, table| many(associations(table).into_iter().filter_map(|found| found.route_table_id));
    "association.subnet-id" => |_, table| many(associations(table).into_iter().filter_map(|found| found.subnet_id));
    "association.main" => |_, table| many(associations(table).into_iter().filter_map(|found| found.main));
    "owner-id" => |_, table| one(&table.owner);
    "route-table-id" => |_, table| one(&table.id);
    "route.destination-cidr-block" => |state, table| of_routes(state, table, |route| route.destination_cidr_block);
    "route.destination-ipv6-cidr-block" =>
        |state, table| of_routes(state, table, |route| route.destination_ipv6_cidr_block);
    "route.egress-only-internet-gateway-id" =>
        |state, table| of_routes(state, table, |route| route.egress_only_internet_gateway_id);
    "route.gateway-id" => |state, table| of_routes(state, table, |route| route.gateway_id);
    "route.instance-id" => |state, table| of_routes(state, table, |route| route.instance_id);
    "route.nat-gateway-id" => |state, table| of_routes(state, table, |route| route.nat_gateway_id);
    "route.origin" => |state, table| of_routes(state, table, |route| route.origin);
    "route.state" => |state, table| of_routes(state, table, |route| route.state);
    "vpc-id" => |_, table| one(&table.vpc);
    "route.destination-prefix-list-id" =>
        |state, table| of_routes(state, table, |route| route.destination_prefix_list_id);
    "association.gateway-id" | "route.transit-gateway-id"
        | "route.vpc-peering-connection-id" => none;
};

/// How an association is shown: there is no other state.
pub(super) fn associated() -> Option<RouteTableAssociationState> {
    Some(RouteTableAssociationState { state: Some("associated".into()), status_message: None })
}

fn associations(table: &RouteTable) -> Vec<RouteTableAssociation> {
    let association = |id: &dyn ToString, subnet: Option<String>| RouteTableAssociation {
        association_state: associated(),
        main: Some(subnet.is_none()),
        route_table_association_id: Some(id.to_string()),
        route_table_id: Some(table.id.to_string()),
        subnet_id: subnet,
        ..RouteTableAssociation::default()
    };
    let main = table.main_association.iter().map(|id| association(id, None));
    let others = table.associations.iter().map(|(id, subnet)| association(id, Some(subnet.to_string())));
    main.chain(others).collect()
}

fn routes(state: &Snapshot, table: &RouteTable) -> Vec<RouteShape> {
    let ranges = state.get::<Vpc>(&table.vpc).into_iter().flat_map(|vpc| vpc.ranges());
    let local = ranges.map(|range| RouteShape {
        destination_cidr_block: range.addr().is_ipv4().then(|| range.to_string()),
        destination_ipv6_cidr_block: range.addr().is_ipv6().then(|| range.to_string()),
        gateway_id: Some("local".into()),
        origin: Some("CreateRouteTable".into()),
        state: Some("active".into()),
        ..RouteShape::default()
    });
    let made = table.routes.iter().map(|route| made(state, table, route));
    let to_endpoints = vpc_endpoint::routes(state, table).map(|(endpoint, gateway)| RouteShape {
        destination_prefix_list_id: Some(gateway.prefix_list.to_string()),
        gateway_id: Some(endpoint.id.to_string()),
        origin: Some("CreateRoute".into()),
        state: Some("active".into()),
        ..RouteShape::default()
    });
    local.chain(made).chain(to_endpoints).collect()
}

/// A route that a caller made.
fn made(state: &Snapshot, table: &RouteTable, route: &Route) -> RouteShape {
    let usable = route.target.is_usable(state, &table.vpc);
    let destination = route.destination;
    let shape = RouteShape {
        destination_cidr_block: destination.addr().is_ipv4().then(|| destination.to_string()),
        destination_ipv6_cidr_block: destination.addr().is_ipv6().then(|| destination.to_string()),
        origin: Some("CreateRoute".into()),
        state: Some(if usable { "active" } else { "blackhole" }.into()),
        ..RouteShape::default()
    };
    match &route.target {
        RouteTarget::InternetGateway(id) => RouteShape { gateway_id: Some(id.to_string()), ..shape },
        RouteTarget::EgressOnlyInternetGateway(id) => {
            RouteShape { egress_only_internet_gateway_id: Some(id.to_string()), ..shape }
        }
        RouteTarget::NatGateway(id) => RouteShape { nat_gateway_id: Some(id.to_string()), ..shape },
        RouteTarget::NetworkInterface(id) => {
            let interface = state.get::<NetworkInterface>(id);
            let instance = interface.and_then(|found| match &found.role {
                InterfaceRole::Instance { instance, .. } => {
                    Some((instance.to_string(), found.owner.to_string()))
                }
                _ => None,
            });
            let (instance_id, instance_owner_id) = instance.unzip();
            RouteShape { network_interface_id: Some(id.to_string()), instance_id, instance_owner_id, ..shape }
        }
    }
}

pub(super) fn shape(state: &Snapshot, table: &RouteTable) -> RouteTableShape {
    RouteTableShape {
        associations: associations(table),
        owner_id: Some(table.owner.to_string()),
        route_table_id: Some(table.id.to_string()),
        routes: routes(state, table),
        tags: tags::shape(&table.tags),
        vpc_id: Some(table.vpc.to_string()),
        ..RouteTableShape::default()
    }
}
