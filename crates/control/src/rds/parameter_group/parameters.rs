//! `DescribeDBParameters`, `DescribeEngineDefaultParameters`.

use linkway_model::database::DbParameterGroup;
use linkway_model::database_parameter::DbParameter;
use linkway_wire::rds::{
    DBParameterGroupDetails, DescribeDBParametersMessage, DescribeEngineDefaultParametersMessage,
    DescribeEngineDefaultParametersResult, EngineDefaults, Parameter,
};

use super::default_family;
use super::family::Family;
use crate::error::DatabaseError;
use crate::rds::{arn, filter, invalid, name, page};
use crate::{Caller, Control, Error};

/// Where a value comes from.
const USER: &str = "user";
const ENGINE: &str = "engine-default";

pub(crate) fn describe(
    control: &Control,
    caller: &Caller,
    input: DescribeDBParametersMessage,
) -> Result<DBParameterGroupDetails, Error> {
    filter::check(&input.filters, &[])?;
    let source = input.source.as_deref().filter(|source| !source.is_empty());
    if let Some(source) = source.filter(|source| ![USER, ENGINE, "system"].contains(source)) {
        return Err(invalid(format!(
            "Invalid value {source} for Source. Valid values: user, system, engine-default"
        )));
    }
    let name = name::required("DBParameterGroupName", input.db_parameter_group_name.as_deref())?;
    let state = control.read(None)?;
    let group = match default_family(name) {
        Some(_) => None,
        None => Some(arn::find::<DbParameterGroup>(&state, caller, name)?),
    };
    let family = match (group, default_family(name)) {
        (Some(group), _) => Family::of(&group.family)?,
        (None, family) => Family::find(control, family.unwrap_or_default())
            .map_err(|_| DatabaseError::ParameterGroupNotFound(name.to_owned()))?,
    };
    let shown = family.parameters().map(|parameter| shape(parameter, group.map(AsRef::as_ref)));
    let shown = shown.filter(|shown| source.is_none_or(|source| shown.source.as_deref() == Some(source)));
    let (parameters, marker) = page::cut(input.max_records, &input.marker, shown, key)?;
    Ok(DBParameterGroupDetails { marker, parameters })
}

pub(crate) fn describe_defaults(
    control: &Control,
    _caller: &Caller,
    input: DescribeEngineDefaultParametersMessage,
) -> Result<DescribeEngineDefaultParametersResult, Error> {
    filter::check(&input.filters, &[])?;
    let family = name::required("DBParameterGroupFamily", input.db_parameter_group_family.as_deref())?;
    let family = Family::find(control, family)?;
    let shown = family.parameters().map(|parameter| shape(parameter, None));
    let (parameters, marker) = page::cut(input.max_records, &input.marker, shown, key)?;
    let defaults =
        EngineDefaults { db_parameter_group_family: Some(family.name.to_owned()), marker, parameters };
    Ok(DescribeEngineDefaultParametersResult { engine_defaults: Some(defaults) })
}

fn key(parameter: &Parameter) -> String {
    parameter.parameter_name.clone().unwrap_or_default()
}

/// A parameter as a group has it; no group: as the server has it.
fn shape(parameter: &DbParameter, group: Option<&DbParameterGroup>) -> Parameter {
    let set = group.and_then(|group| group.parameters.get(parameter.name));
    let at_once = parameter.dynamic
        && set.is_some()
        && group.is_some_and(|group| !group.at_reboot.contains(parameter.name));
    Parameter {
        allowed_values: Some(parameter.allowed.to_owned()),
        apply_method: Some(if at_once { "immediate" } else { "pending-reboot" }.into()),
        apply_type: Some(if parameter.dynamic { "dynamic" } else { "static" }.into()),
        data_type: Some(parameter.data_type.to_owned()),
        description: Some(parameter.description.to_owned()),
        is_modifiable: Some(true),
        parameter_name: Some(parameter.name.to_owned()),
        parameter_value: set.cloned().or_else(|| parameter.default.map(str::to_owned)),
        source: Some(if set.is_some() { USER } else { ENGINE }.into()),
        ..Parameter::default()
    }
}
