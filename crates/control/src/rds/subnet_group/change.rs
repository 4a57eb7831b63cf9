//! `CreateDBSubnetGroup`, `ModifyDBSubnetGroup`, `DeleteDBSubnetGroup`.

use std::collections::BTreeSet;
use std::sync::Arc;

use linkway_model::database::{DbInstance, DbSubnetGroup};
use linkway_model::subnet::Subnet;
use linkway_model::{Snapshot, SubnetId, VpcId};
use linkway_wire::rds::{
    CreateDBSubnetGroupMessage, CreateDBSubnetGroupResult, DeleteDBSubnetGroupMessage,
    ModifyDBSubnetGroupMessage, ModifyDBSubnetGroupResult,
};

use super::shape;
use crate::error::DatabaseError;
use crate::lookup;
use crate::rds::{arn, invalid, name, tags};
use crate::{Caller, Control, Error};

/// DB subnet groups that an account may have in a region, and subnets of one. Source: "Quotas and constraints for
/// Amazon RDS" in the RDS User Guide.
const MAX_GROUPS: usize = 50;
const MAX_SUBNETS: usize = 20;

pub(crate) fn create(
    control: &Control,
    caller: &Caller,
    input: CreateDBSubnetGroupMessage,
) -> Result<CreateDBSubnetGroupResult, Error> {
    let name = name::subnet_group(input.db_subnet_group_name.as_deref())?;
    let description =
        name::required("DBSubnetGroupDescription", input.db_subnet_group_description.as_deref())?.to_owned();
    let tags = tags::of_new(&input.tags)?;
    control.write(None, |tx| {
        let arn = arn::made::<DbSubnetGroup>(caller, &name);
        if tx.get::<DbSubnetGroup>(&arn).is_some() {
            return Err(DatabaseError::SubnetGroupExists(name).into());
        }
        if arn::own::<DbSubnetGroup>(tx, caller).count() >= MAX_GROUPS {
            return Err(DatabaseError::SubnetGroupQuota(MAX_GROUPS).into());
        }
        let (vpc, subnets) = places(tx, caller, &input.subnet_ids)?;
        let group = DbSubnetGroup {
            arn,
            name,
            owner: caller.account.clone(),
            region: caller.region.clone(),
            description,
            vpc,
            subnets,
            tags,
        };
        tx.put(group.clone());
        Ok(CreateDBSubnetGroupResult { db_subnet_group: Some(shape(tx, &group)) })
    })
}

pub(crate) fn modify(
    control: &Control,
    caller: &Caller,
    input: ModifyDBSubnetGroupMessage,
) -> Result<ModifyDBSubnetGroupResult, Error> {
    control.write(None, |tx| {
        let mut group = DbSubnetGroup::clone(named(tx, caller, input.db_subnet_group_name.as_deref())?);
        let (vpc, subnets) = places(tx, caller, &input.subnet_ids)?;
        if vpc != group.vpc {
            return Err(invalid("The new Subnets are not in the same Vpc as the existing subnet group"));
        }
        let taken: BTreeSet<&str> = members(tx, &group)
            .map(|database| &database.subnet)
            .filter(|subnet| !subnets.contains(subnet))
            .map(SubnetId::as_str)
            .collect();
        if !taken.is_empty() {
            let taken = taken.into_iter().collect::<Vec<_>>().join(", ");
            return Err(DatabaseError::SubnetInUse(taken).into());
        }
        group.subnets = subnets;
        if let Some(description) = input.db_subnet_group_description {
            group.description = description;
        }
        tx.put(group.clone());
        Ok(ModifyDBSubnetGroupResult { db_subnet_group: Some(shape(tx, &group)) })
    })
}

pub(crate) fn delete(
    control: &Control,
    caller: &Caller,
    input: DeleteDBSubnetGroupMessage,
) -> Result<(), Error> {
    control.write(None, |tx| {
        let group = Arc::clone(named(tx, caller, input.db_subnet_group_name.as_deref())?);
        if let Some(user) = members(tx, &group).next() {
            return Err(DatabaseError::SubnetGroupState(format!(
                "Cannot delete the subnet group '{}' because at least one database instance: {} is still using it.",
                group.name, user.identifier
            ))
            .into());
        }
        tx.delete::<DbSubnetGroup>(&group.arn);
        Ok(())
    })
}

fn named<'a>(
    state: &'a Snapshot,
    caller: &Caller,
    name: Option<&str>,
) -> Result<&'a Arc<DbSubnetGroup>, Error> {
    arn::find(state, caller, name::required("DBSubnetGroupName", name)?)
}

/// The DB instances that are made with this group.
fn members<'a>(state: &'a Snapshot, group: &'a DbSubnetGroup) -> impl Iterator<Item = &'a Arc<DbInstance>> {
    state.all::<DbInstance>().filter(|database| {
        database.owner == group.owner
            && database.region == group.region
            && database.subnet_group == group.name
    })
}

/// The subnets with these ids, and their VPC: one for all of them, which has to have them in two zones or more.
fn places(state: &Snapshot, caller: &Caller, ids: &[String]) -> Result<(VpcId, Vec<SubnetId>), Error> {
    let ids: BTreeSet<&String> = ids.iter().collect();
    if ids.len() > MAX_SUBNETS {
        return Err(DatabaseError::SubnetQuota(MAX_SUBNETS).into());
    }
    let (found, unknown): (Vec<_>, Vec<_>) = ids
        .into_iter()
        .map(|id| lookup::own::<Subnet>(state, caller, id).map_err(|_| id.as_str()))
        .partition(Result::is_ok);
    let unknown: Vec<&str> = unknown.into_iter().filter_map(Result::err).collect();
    if !unknown.is_empty() {
        return Err(invalid(format!("Some input subnets in :[{}] are invalid.", unknown.join(", "))));
    }
    let subnets: Vec<&Arc<Subnet>> = found.into_iter().flatten().collect();
    let Some(first) = subnets.first() else {
        return Err(DatabaseError::InvalidSubnet("Subnet IDs are required.".into()).into());
    };
    if let Some(other) = subnets.iter().find(|subnet| subnet.vpc != first.vpc) {
        return Err(DatabaseError::InvalidSubnet(format!(
            "The subnets of a DB subnet group are in one VPC: {} is in {}, and {} in {}",
            first.id, first.vpc, other.id, other.vpc
        ))
        .into());
    }
    let zones: BTreeSet<&str> = subnets.iter().map(|subnet| subnet.zone.as_str()).collect();
    if zones.len() < 2 {
        let zones = zones.into_iter().collect::<Vec<_>>().join(", ");
        return Err(DatabaseError::ZonesNotCovered(zones).into());
    }
    Ok((first.vpc.clone(), subnets.iter().map(|subnet| subnet.id.clone()).collect()))
}
