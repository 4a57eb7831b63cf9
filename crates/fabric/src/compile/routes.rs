//! Where packets that leave a subnet are led: its route table.

use std::sync::Arc;

use ipnet::IpNet;
use linkway_model::RouteTableId;
use linkway_model::aws_prefix_list::AwsPrefixList;
use linkway_model::index::Term;
use linkway_model::internet_gateway::InternetGateway;
use linkway_model::nat_gateway::NatGateway;
use linkway_model::network_interface::NetworkInterface;
use linkway_model::route_table::{RouteTable, RouteTarget};
use linkway_model::subnet::Subnet;
use linkway_model::vpc::Vpc;
use linkway_model::vpc_endpoint::{Gateway, VpcEndpoint};

use crate::layout::{self, Route, RouteKey};
use crate::programs::types::route_kind;
use crate::tables::Tables;

use super::{Context, hash};

/// A route table as the kernel knows it: a hash of its id.
type Name = [u32; 2];

/// The route table of a subnet, as its row has it: one that it is associated with, or its VPC's main one. One of a VPC
/// that is not there has no routes.
pub(super) fn of_subnet(context: &Context<'_>, subnet: &Subnet) -> Name {
    let mut tables = context.snapshot.found::<RouteTable>(Term::RouteTableVpc, subnet.vpc.as_str());
    let is_its = |table: &&Arc<RouteTable>| table.associations.iter().any(|(_, its)| *its == subnet.id);
    let main = || context.snapshot.get::<Vpc>(&subnet.vpc).map(|vpc| &vpc.main_route_table);
    tables.find(is_its).map(|table| &table.id).or_else(main).map_or([0; 2], name)
}

pub(super) fn compile(context: &Context<'_>, tables: &mut Tables, table: &RouteTable) {
    let name = name(&table.id);
    if let Some(vpc) = context.snapshot.get::<Vpc>(&table.vpc) {
        let ipv4 = vpc.cidrs.iter().map(|range| IpNet::V4(range.cidr));
        for range in ipv4.chain(vpc.ipv6_cidrs.iter().map(|range| IpNet::V6(range.cidr))) {
            tables.routes.insert(key(name, range), route(route_kind::ROUTE_LOCAL));
        }
        for made in &table.routes {
            let route = if made.target.is_usable(context.snapshot, &table.vpc) {
                lead(context, &made.target)
            } else {
                route(route_kind::ROUTE_BLACKHOLE)
            };
            tables.routes.insert(key(name, made.destination), route);
        }
    }
    for endpoint in context.snapshot.found::<VpcEndpoint>(Term::EndpointVpc, table.vpc.as_str()) {
        if let Some(gateway) = &endpoint.gateway
            && endpoint.state.carries_packets()
            && gateway.route_tables.contains(&table.id)
        {
            lead_to_endpoint(&endpoint.region, gateway, name, tables);
        }
    }
}

/// Routes that were made by hand come before those to the addresses of a prefix list.
fn lead_to_endpoint(region: &str, gateway: &Gateway, table: Name, tables: &mut Tables) {
    let ranges = AwsPrefixList::find(region, &gateway.prefix_list).map(|list| list.ranges());
    for range in ranges.iter().flatten() {
        let lead = Route { interface: gateway.number, ..route(route_kind::ROUTE_ENDPOINT) };
        tables.routes.entry(key(table, *range)).or_insert(lead);
    }
}

fn lead(context: &Context<'_>, target: &RouteTarget) -> Route {
    match target {
        RouteTarget::NetworkInterface(id) => {
            context.snapshot.get::<NetworkInterface>(id).map_or(route(route_kind::ROUTE_BLACKHOLE), |found| {
                Route { interface: found.number, ..route(route_kind::ROUTE_INTERFACE) }
            })
        }
        RouteTarget::InternetGateway(id) => {
            lead_out(context.snapshot.get::<InternetGateway>(id).map(|gateway| gateway.number))
        }
        RouteTarget::NatGateway(id) => {
            let gateway = context.snapshot.get::<NatGateway>(id);
            let interface = gateway.and_then(|gateway| gateway.interface.as_ref());
            let interface = interface.and_then(|id| context.snapshot.get::<NetworkInterface>(id));
            lead_out(interface.map(|interface| interface.number))
        }
        // They are for IPv6.
        RouteTarget::EgressOnlyInternetGateway(_) => lead_out(None),
    }
}

/// Out of the VPC, through the gateway of this number.
fn lead_out(gateway: Option<u32>) -> Route {
    Route { interface: gateway.unwrap_or(0), ..route(route_kind::ROUTE_UPLINK) }
}

fn route(kind: route_kind) -> Route {
    Route { kind: kind.0, interface: 0 }
}

fn name(table: &RouteTableId) -> Name {
    let hash = hash::text(&[table.as_str()]);
    [(hash >> 32) as u32, hash as u32]
}

/// `layout.h` says how tables of IPv4 and IPv6 differ.
fn key([first, second]: Name, destination: IpNet) -> RouteKey {
    let table = [first, second ^ u32::from(matches!(destination, IpNet::V6(_)))];
    let (destination, prefix) = layout::range(destination);
    RouteKey { bits: 8 * size_of::<Name>() as u32 + prefix, table, destination }
}
