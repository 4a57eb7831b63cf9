//! Which route table a subnet uses, and which is a VPC's main one.

use std::sync::Arc;

use linkway_model::route_table::RouteTable;
use linkway_model::subnet::Subnet;
use linkway_model::vpc::Vpc;
use linkway_model::{RouteTableAssociationId, Snapshot, SubnetId};
use linkway_store::Transaction;
use linkway_wire::ec2::{
    AssociateRouteTableRequest, AssociateRouteTableResult, DisassociateRouteTableRequest,
    ReplaceRouteTableAssociationRequest, ReplaceRouteTableAssociationResult,
};

use super::shape::associated;
use crate::error::NetworkError;
use crate::lookup::{Owned, named, required};
use crate::{Caller, Control, Error};

pub(crate) fn associate(
    control: &Control,
    caller: &Caller,
    input: AssociateRouteTableRequest,
) -> Result<AssociateRouteTableResult, Error> {
    if input.gateway_id.is_some() || input.public_ipv4_pool.is_some() {
        return Err(Error::Unsupported(
            "Route tables are associated with subnets. Associations with gateways are not supported.".into(),
        ));
    }
    control.write(input.dry_run, |tx| {
        let table =
            Arc::clone(named::<RouteTable>(tx, caller, input.route_table_id.as_deref(), "RouteTableId")?);
        let subnet = Arc::clone(named::<Subnet>(tx, caller, input.subnet_id.as_deref(), "SubnetId")?);
        if subnet.vpc != table.vpc {
            return Err(other_network(&table, &subnet.id));
        }
        let id = match used_by(tx, &subnet.id) {
            // Asking for what is so changes nothing.
            Some((used, id)) if used.id == table.id => id,
            Some(_) => {
                return Err(NetworkError::AlreadyAssociated(format!(
                    "the specified association for route table {} conflicts with an existing association",
                    table.id
                ))
                .into());
            }
            None => add(tx, &table, &subnet.id),
        };
        Ok(AssociateRouteTableResult {
            association_id: Some(id.to_string()),
            association_state: associated(),
        })
    })
}

fn other_network(table: &RouteTable, subnet: &SubnetId) -> Error {
    Error::InvalidParameterValue(format!(
        "route table {} and subnet {subnet} belong to different networks",
        table.id
    ))
}

/// The table that a subnet is associated with, and the association's id.
fn used_by(state: &Snapshot, subnet: &SubnetId) -> Option<(Arc<RouteTable>, RouteTableAssociationId)> {
    state.all::<RouteTable>().find_map(|table| {
        let (id, _) = table.associations.iter().find(|(_, used)| used == subnet)?;
        Some((Arc::clone(table), id.clone()))
    })
}

fn add(tx: &mut Transaction, table: &RouteTable, subnet: &SubnetId) -> RouteTableAssociationId {
    let id = RouteTableAssociationId::random();
    tx.update::<RouteTable>(&table.id, |table| table.associations.push((id.clone(), subnet.clone())));
    id
}

/// The caller's table that has this association.
fn having(state: &Snapshot, caller: &Caller, id: &str) -> Result<Arc<RouteTable>, Error> {
    let has = |table: &RouteTable| {
        let mut ids = table.main_association.iter().chain(table.associations.iter().map(|(id, _)| id));
        ids.any(|found| found.as_str() == id)
    };
    let table = state.all::<RouteTable>().find(|table| table.belongs_to(caller) && has(table));
    Ok(Arc::clone(table.ok_or_else(|| NetworkError::AssociationNotFound(id.to_owned()))?))
}

pub(crate) fn disassociate(
    control: &Control,
    caller: &Caller,
    input: DisassociateRouteTableRequest,
) -> Result<(), Error> {
    let id = required(input.association_id, "AssociationId")?;
    control.write(input.dry_run, |tx| {
        let table = having(tx, caller, &id)?;
        if table.main_association.as_ref().is_some_and(|main| main.as_str() == id) {
            return Err(Error::InvalidParameterValue(format!(
                "cannot disassociate the main route table association {id}"
            )));
        }
        tx.update::<RouteTable>(&table.id, |table| {
            table.associations.retain(|(found, _)| found.as_str() != id)
        });
        Ok(())
    })
}

pub(crate) fn replace_association(
    control: &Control,
    caller: &Caller,
    input: ReplaceRouteTableAssociationRequest,
) -> Result<ReplaceRouteTableAssociationResult, Error> {
    let id = required(input.association_id, "AssociationId")?;
    control.write(input.dry_run, |tx| {
        let old = having(tx, caller, &id)?;
        let new =
            Arc::clone(named::<RouteTable>(tx, caller, input.route_table_id.as_deref(), "RouteTableId")?);
        let association_id = replace(tx, &old, &new, id)?;
        Ok(ReplaceRouteTableAssociationResult {
            association_state: associated(),
            new_association_id: Some(association_id),
        })
    })
}

fn replace(tx: &mut Transaction, old: &RouteTable, new: &RouteTable, id: String) -> Result<String, Error> {
    let subnet = old.associations.iter().find(|(found, _)| found.as_str() == id).map(|(_, subnet)| subnet);
    if new.vpc != old.vpc {
        return Err(match subnet {
            Some(subnet) => other_network(new, subnet),
            None => Error::InvalidParameterValue(format!(
                "route table {} and network {} belong to different networks",
                new.id, old.vpc
            )),
        });
    }
    if new.id == old.id {
        return Ok(id);
    }
    if let Some(subnet) = subnet {
        tx.update::<RouteTable>(&old.id, |table| {
            table.associations.retain(|(found, _)| found.as_str() != id)
        });
        return Ok(add(tx, new, subnet).into());
    }
    let association = RouteTableAssociationId::random();
    tx.update::<RouteTable>(&old.id, |table| table.main_association = None);
    tx.update::<RouteTable>(&new.id, |table| table.main_association = Some(association.clone()));
    tx.update::<Vpc>(&new.vpc, |vpc| vpc.main_route_table = new.id.clone());
    Ok(association.into())
}
