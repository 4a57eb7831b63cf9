//! Route tables. Each has the routes within its VPC, which AWS calls local, beside those that callers make.

mod association;
mod route;
mod shape;

use std::sync::Arc;

use linkway_model::route_table::RouteTable;
use linkway_model::vpc::Vpc;
use linkway_model::{RouteTableAssociationId, RouteTableId, SubnetId, Tags, VpcId};
use linkway_store::Transaction;
use linkway_wire::ec2::{
    CreateRouteTableRequest, CreateRouteTableResult, DeleteRouteTableRequest, DescribeRouteTablesRequest,
    DescribeRouteTablesResult,
};

pub(crate) use association::{associate, disassociate, replace_association};
pub(crate) use route::{create_route, delete_route, replace_route};

use crate::describe::select;
use crate::ec2::dependency::refuse_if_used;
use crate::ec2::vpc_endpoint;
use crate::idempotency::once;
use crate::lookup::{Owned, named, not_found};
use crate::page::{Limits, Page, USUAL};
use crate::{Caller, Control, Error, tags};

/// Write a route table; the VPC's main one when `main`.
pub(crate) fn write(
    tx: &mut Transaction,
    caller: &Caller,
    vpc: &VpcId,
    main: bool,
    tags: Tags,
) -> RouteTableId {
    let id = RouteTableId::random();
    tx.put(RouteTable {
        id: id.clone(),
        owner: caller.account.clone(),
        region: caller.region.clone(),
        vpc: vpc.clone(),
        main_association: main.then(RouteTableAssociationId::random),
        associations: Vec::new(),
        routes: Vec::new(),
        tags,
    });
    id
}

pub(crate) fn create(
    control: &Control,
    caller: &Caller,
    mut input: CreateRouteTableRequest,
) -> Result<CreateRouteTableResult, Error> {
    let tags = tags::specified(&input.tag_specifications, RouteTable::NOUN.resource_type)?;
    let (client_token, dry_run) = (input.client_token.take(), input.dry_run.take());
    let shape = control.write(dry_run, |tx| {
        let make = |tx: &mut Transaction| {
            let vpc = named::<Vpc>(tx, caller, input.vpc_id.as_deref(), "VpcId")?.id.clone();
            Ok(write(tx, caller, &vpc, false, tags).into())
        };
        let token = client_token.as_deref();
        let id = once::<RouteTable>(tx, caller, control.now(), "CreateRouteTable", token, &input, make)?;
        let table = tx.get::<RouteTable>(&id).ok_or_else(|| not_found::<RouteTable>(id))?;
        Ok(shape::shape(tx, table))
    })?;
    Ok(CreateRouteTableResult { client_token, route_table: Some(shape) })
}

pub(crate) fn delete(
    control: &Control,
    caller: &Caller,
    input: DeleteRouteTableRequest,
) -> Result<(), Error> {
    control.write(input.dry_run, |tx| {
        let table =
            Arc::clone(named::<RouteTable>(tx, caller, input.route_table_id.as_deref(), "RouteTableId")?);
        let words = format!("The routeTable '{}' has dependencies and cannot be deleted.", table.id);
        let main = table.main_association.iter().map(ToString::to_string);
        refuse_if_used(words, main.chain(table.associations.iter().map(|(id, _)| id.to_string())))?;
        vpc_endpoint::forget_route_table(tx, &table);
        tx.delete::<RouteTable>(&table.id);
        Ok(())
    })
}

pub(crate) fn describe(
    control: &Control,
    caller: &Caller,
    input: DescribeRouteTablesRequest,
) -> Result<DescribeRouteTablesResult, Error> {
    let state = control.read_given(caller, input.dry_run)?;
    let page = Page::new(Limits { most: 100, ..USUAL }, input.max_results, &input.next_token);
    let (tables, next_token) =
        select(&state, caller, &input.route_table_ids, shape::FILTERS, &input.filters, page)?;
    let route_tables = tables.iter().map(|table| shape::shape(&state, table)).collect();
    Ok(DescribeRouteTablesResult { next_token, route_tables })
}

/// Let go of a subnet that is deleted.
pub(crate) fn forget_subnet(tx: &mut Transaction, subnet: &SubnetId) {
    let uses = |table: &RouteTable| table.associations.iter().any(|(_, used)| used == subnet);
    let table = tx.all::<RouteTable>().find(|table| uses(table)).map(|table| table.id.clone());
    if let Some(id) = table {
        tx.update::<RouteTable>(&id, |table| table.associations.retain(|(_, used)| used != subnet));
    }
}
