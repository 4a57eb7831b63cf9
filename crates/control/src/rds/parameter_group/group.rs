//! `CreateDBParameterGroup`, `DescribeDBParameterGroups`, `DeleteDBParameterGroup`.

use std::collections::{BTreeMap, BTreeSet};

use linkway_model::database::{DbInstance, DbParameterGroup};
use linkway_wire::rds::{
    CreateDBParameterGroupMessage, CreateDBParameterGroupResult, DBParameterGroup, DBParameterGroupsMessage,
    DeleteDBParameterGroupMessage, DescribeDBParameterGroupsMessage,
};

use super::family::Family;
use super::{default_family, default_name, is_default, members};
use crate::error::DatabaseError;
use crate::rds::{arn, engine, filter, name, page, tags};
use crate::{Caller, Control, Error};

/// DB parameter groups that an account may have in a region. Source: "Quotas and constraints for Amazon RDS" in
/// the RDS User Guide.
const MAX_GROUPS: usize = 150;

pub(crate) fn create(
    control: &Control,
    caller: &Caller,
    input: CreateDBParameterGroupMessage,
) -> Result<CreateDBParameterGroupResult, Error> {
    let name =
        name::identifier("DBParameterGroupName", input.db_parameter_group_name.as_deref(), name::MAX_GROUP)?;
    let family = name::required("DBParameterGroupFamily", input.db_parameter_group_family.as_deref())?;
    let family = Family::find(control, family)?.name.to_owned();
    let description = name::required("Description", input.description.as_deref())?.to_owned();
    let tags = tags::of_new(&input.tags)?;
    control.write(None, |tx| {
        let arn = arn::made::<DbParameterGroup>(caller, &name);
        if tx.get::<DbParameterGroup>(&arn).is_some() {
            return Err(DatabaseError::ParameterGroupExists(name).into());
        }
        if arn::own::<DbParameterGroup>(tx, caller).count() >= MAX_GROUPS {
            return Err(DatabaseError::ParameterGroupQuota(MAX_GROUPS).into());
        }
        let group = DbParameterGroup {
            arn,
            name,
            owner: caller.account.clone(),
            region: caller.region.clone(),
            family,
            description,
            parameters: BTreeMap::new(),
            at_reboot: BTreeSet::new(),
            tags,
        };
        tx.put(group.clone());
        Ok(CreateDBParameterGroupResult { db_parameter_group: Some(shape(&group)) })
    })
}

/// Default groups are listed for the servers that this host has, and for those that DB instances run.
pub(crate) fn describe(
    control: &Control,
    caller: &Caller,
    input: DescribeDBParameterGroupsMessage,
) -> Result<DBParameterGroupsMessage, Error> {
    filter::check(&input.filters, &[])?;
    let state = control.read(None)?;
    let mut found: BTreeMap<String, DBParameterGroup> = BTreeMap::new();
    let mut add = |group: DBParameterGroup| {
        found.insert(group.db_parameter_group_name.clone().unwrap_or_default(), group);
    };
    match input.db_parameter_group_name.as_deref().filter(|name| !name.is_empty()) {
        Some(name) if is_default(name) => add(default(control, caller, name)?),
        Some(name) => add(shape(arn::find::<DbParameterGroup>(&state, caller, name)?)),
        None => {
            let run = arn::own::<DbInstance>(&state, caller)
                .map(|database| engine::family(database.engine, &database.engine_version));
            for family in engine::families(control).into_iter().chain(run) {
                add(default_shape(caller, &family));
            }
            arn::own::<DbParameterGroup>(&state, caller).for_each(|group| add(shape(group)));
        }
    }
    let (found, marker) = page::cut(input.max_records, &input.marker, found, |(name, _)| name.clone())?;
    let db_parameter_groups = found.into_iter().map(|(_, group)| group).collect();
    Ok(DBParameterGroupsMessage { db_parameter_groups, marker })
}

pub(crate) fn delete(
    control: &Control,
    caller: &Caller,
    input: DeleteDBParameterGroupMessage,
) -> Result<(), Error> {
    let name = name::required("DBParameterGroupName", input.db_parameter_group_name.as_deref())?;
    if is_default(name) {
        let why = format!("Default DBParameterGroup cannot be deleted: {name}");
        return Err(DatabaseError::ParameterGroupState(why).into());
    }
    control.write(None, |tx| {
        let group = arn::find::<DbParameterGroup>(tx, caller, name)?.clone();
        if members(tx, &group).next().is_some() {
            return Err(DatabaseError::ParameterGroupState(format!(
                "One or more database instances are still members of this parameter group {}, so the group cannot be \
                 deleted",
                group.name
            ))
            .into());
        }
        tx.delete::<DbParameterGroup>(&group.arn);
        Ok(())
    })
}

/// The default group of this name.
fn default(control: &Control, caller: &Caller, name: &str) -> Result<DBParameterGroup, Error> {
    let missing = || DatabaseError::ParameterGroupNotFound(name.to_owned());
    let family =
        default_family(name).and_then(|family| Family::find(control, family).ok()).ok_or_else(missing)?;
    Ok(default_shape(caller, family.name))
}

fn default_shape(caller: &Caller, family: &str) -> DBParameterGroup {
    let name = default_name(family);
    DBParameterGroup {
        db_parameter_group_arn: Some(arn::made::<DbParameterGroup>(caller, &name)),
        db_parameter_group_family: Some(family.to_owned()),
        db_parameter_group_name: Some(name),
        description: Some(format!("Default parameter group for {family}")),
    }
}

fn shape(group: &DbParameterGroup) -> DBParameterGroup {
    DBParameterGroup {
        db_parameter_group_arn: Some(group.arn.clone()),
        db_parameter_group_family: Some(group.family.clone()),
        db_parameter_group_name: Some(group.name.clone()),
        description: Some(group.description.clone()),
    }
}
