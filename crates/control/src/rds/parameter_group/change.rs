//! `ModifyDBParameterGroup`, `ResetDBParameterGroup`.

use linkway_model::database::{DbInstance, DbParameterGroup};
use linkway_model::database_parameter::DbParameter;
use linkway_wire::rds::{
    DBParameterGroupNameMessage, ModifyDBParameterGroupMessage, Parameter, ResetDBParameterGroupMessage,
};

use super::family::Family;
use super::{is_default, members};
use crate::rds::{arn, invalid, name};
use crate::{Caller, Control, Error};

/// Parameters that one request may change. Source: `ModifyDBParameterGroup` in the API Reference.
const MAX_CHANGES: usize = 20;

pub(crate) fn modify(
    control: &Control,
    caller: &Caller,
    input: ModifyDBParameterGroupMessage,
) -> Result<DBParameterGroupNameMessage, Error> {
    if input.parameters.is_empty() {
        return Err(invalid("The parameter Parameters must be provided and must not be blank."));
    }
    change(control, caller, input.db_parameter_group_name.as_deref(), |group| {
        for Change { parameter, value, at_reboot } in changes(group, &input.parameters)? {
            if !parameter.accepts(value) {
                return Err(invalid(format!(
                    "Invalid parameter value: {value} for: {} allowed values are: {}",
                    parameter.name, parameter.allowed
                )));
            }
            group.parameters.insert(parameter.name.to_owned(), value.to_owned());
            group.at_reboot.remove(parameter.name);
            if at_reboot && parameter.dynamic {
                group.at_reboot.insert(parameter.name.to_owned());
            }
        }
        Ok(())
    })
}

pub(crate) fn reset(
    control: &Control,
    caller: &Caller,
    input: ResetDBParameterGroupMessage,
) -> Result<DBParameterGroupNameMessage, Error> {
    // As the API Reference says: all of them unless told otherwise.
    let all = input.reset_all_parameters.unwrap_or(input.parameters.is_empty());
    if all != input.parameters.is_empty() {
        return Err(Error::InvalidParameterCombination(
            "Specify either Parameters or ResetAllParameters, and not both".into(),
        ));
    }
    change(control, caller, input.db_parameter_group_name.as_deref(), |group| {
        if all {
            group.parameters.clear();
            group.at_reboot.clear();
        }
        for Change { parameter, .. } in changes(group, &input.parameters)? {
            group.parameters.remove(parameter.name);
            group.at_reboot.remove(parameter.name);
        }
        Ok(())
    })
}

/// What a request says of one parameter.
struct Change<'a> {
    parameter: &'static DbParameter,
    value: &'a str,
    at_reboot: bool,
}

/// What a request says of each parameter; all of them may be changed in the way that it asks for.
fn changes<'a>(group: &DbParameterGroup, given: &'a [Parameter]) -> Result<Vec<Change<'a>>, Error> {
    if given.len() > MAX_CHANGES {
        return Err(invalid(format!(
            "A maximum of {MAX_CHANGES} parameters can be modified in a single request"
        )));
    }
    let family = Family::of(&group.family)?;
    let mut changes: Vec<Change<'a>> = Vec::new();
    for given in given {
        let parameter =
            family.parameter(name::required("ParameterName", given.parameter_name.as_deref())?)?;
        let at_reboot = match given.apply_method.as_deref() {
            Some("immediate") => false,
            Some("pending-reboot") => true,
            Some(other) => return Err(invalid(format!("Invalid value {other} for ApplyMethod"))),
            None => return Err(invalid("The parameter ApplyMethod must be provided and must not be blank.")),
        };
        if !parameter.dynamic && !at_reboot {
            return Err(Error::InvalidParameterCombination(
                "cannot use immediate apply method for static parameter".into(),
            ));
        }
        if changes.iter().any(|other| other.parameter.name == parameter.name) {
            return Err(invalid(format!("The parameter {} was given twice", parameter.name)));
        }
        let value = given.parameter_value.as_deref().unwrap_or_default();
        changes.push(Change { parameter, value, at_reboot });
    }
    Ok(changes)
}

/// Change a group of the caller's. What servers do not take while they run waits for the reboot of the group's DB
/// instances.
fn change(
    control: &Control,
    caller: &Caller,
    name: Option<&str>,
    work: impl FnOnce(&mut DbParameterGroup) -> Result<(), Error>,
) -> Result<DBParameterGroupNameMessage, Error> {
    let name = name::required("DBParameterGroupName", name)?;
    if is_default(name) {
        return Err(invalid(format!("Default parameter groups cannot be modified: {name}")));
    }
    control.write(None, |tx| {
        let before = arn::find::<DbParameterGroup>(tx, caller, name)?.clone();
        let mut group = DbParameterGroup::clone(&before);
        work(&mut group)?;
        let family = Family::of(&group.family)?;
        let waits = |parameter: &DbParameter| {
            group.parameters.get(parameter.name) != before.parameters.get(parameter.name)
                && !family.takes_at_once(parameter)
        };
        if family.parameters().any(waits) {
            let members: Vec<String> = members(tx, &group).map(|database| database.arn.clone()).collect();
            for arn in members {
                tx.update::<DbInstance>(arn, |database| database.pending_reboot = true);
            }
        }
        let name = group.name.clone();
        tx.put(group);
        Ok(DBParameterGroupNameMessage { db_parameter_group_name: Some(name) })
    })
}
