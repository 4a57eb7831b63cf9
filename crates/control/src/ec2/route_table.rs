//! Route tables. Each has the routes within its VPC, which AWS calls local; others cannot be made yet.

use linkway_model::Snapshot;
use linkway_model::route_table::RouteTable;
use linkway_model::vpc::Vpc;
use linkway_wire::ec2::{
    DescribeRouteTablesRequest, DescribeRouteTablesResult, Route, RouteTable as RouteTableShape,
    RouteTableAssociation, RouteTableAssociationState,
};

use crate::describe::select;
use crate::filter::{Field, fields, many, none, one};
use crate::page::{Limits, Page, USUAL};
use crate::{Caller, Control, Error, tags};

const FILTERS: &[Field<RouteTable>] = fields! {
    "association.route-table-association-id" =>
        |_, table| many(associations(table).into_iter().filter_map(|found| found.route_table_association_id));
    "association.route-table-id" =>
        |_, table| many(associations(table).into_iter().filter_map(|found| found.route_table_id));
    "association.subnet-id" => |_, table| many(associations(table).into_iter().filter_map(|found| found.subnet_id));
    "association.main" => |_, table| many(associations(table).into_iter().filter_map(|found| found.main));
    "owner-id" => |_, table| one(&table.owner);
    "route-table-id" => |_, table| one(&table.id);
    "route.destination-cidr-block" =>
        |state, table| many(routes(state, table).into_iter().filter_map(|route| route.destination_cidr_block));
    "route.gateway-id" => |state, table| many(routes(state, table).into_iter().filter_map(|route| route.gateway_id));
    "route.origin" => |state, table| many(routes(state, table).into_iter().filter_map(|route| route.origin));
    "route.state" => |state, table| many(routes(state, table).into_iter().filter_map(|route| route.state));
    "vpc-id" => |_, table| one(&table.vpc);
    "association.gateway-id" | "route.destination-ipv6-cidr-block" | "route.destination-prefix-list-id"
        | "route.egress-only-internet-gateway-id" | "route.instance-id" | "route.nat-gateway-id"
        | "route.transit-gateway-id" | "route.vpc-peering-connection-id" => none;
};

pub(crate) fn describe(
    control: &Control,
    caller: &Caller,
    input: DescribeRouteTablesRequest,
) -> Result<DescribeRouteTablesResult, Error> {
    let state = control.read(input.dry_run)?;
    let page = Page::new(Limits { most: 100, ..USUAL }, input.max_results, &input.next_token);
    let (tables, next_token) = select(&state, caller, &input.route_table_ids, FILTERS, &input.filters, page)?;
    let route_tables = tables.iter().map(|table| shape(&state, table)).collect();
    Ok(DescribeRouteTablesResult { next_token, route_tables })
}

fn associations(table: &RouteTable) -> Vec<RouteTableAssociation> {
    let association = |id: &dyn ToString, subnet: Option<String>| RouteTableAssociation {
        association_state: Some(RouteTableAssociationState {
            state: Some("associated".into()),
            status_message: None,
        }),
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

fn routes(state: &Snapshot, table: &RouteTable) -> Vec<Route> {
    let cidrs = state.get::<Vpc>(&table.vpc).map_or(&[][..], |vpc| &vpc.cidrs);
    let local = cidrs.iter().map(|range| Route {
        destination_cidr_block: Some(range.cidr.to_string()),
        gateway_id: Some("local".into()),
        origin: Some("CreateRouteTable".into()),
        state: Some("active".into()),
        ..Route::default()
    });
    local.collect()
}

fn shape(state: &Snapshot, table: &RouteTable) -> RouteTableShape {
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
