//! Groups that a DB instance is made with: security groups, and its DB parameter group.

use linkway_model::database::DbParameterGroup;
use linkway_model::security_group::SecurityGroup;
use linkway_model::vpc::Vpc;
use linkway_model::{SecurityGroupId, Snapshot};

use crate::ec2::security_group::groups_of_vpc;
use crate::error::DatabaseError;
use crate::rds::{arn, invalid, parameter_group};
use crate::{Caller, Error, lookup};

/// The security groups with these ids, which must be the VPC's; no ids: its default group.
pub(super) fn security(
    state: &Snapshot,
    caller: &Caller,
    ids: &[String],
    vpc: &Vpc,
) -> Result<Vec<SecurityGroupId>, Error> {
    for id in ids {
        let Ok(group) = lookup::own::<SecurityGroup>(state, caller, id) else {
            return Err(invalid(format!("Invalid security group , groupId= {id}, groupName=.")));
        };
        if group.vpc != vpc.id {
            return Err(Error::InvalidParameterCombination(format!(
                "The DB instance and EC2 security group are in different VPCs. The DB instance is in {} and the EC2 \
                 security group is in {}",
                vpc.id, group.vpc
            )));
        }
    }
    groups_of_vpc(state, caller, ids, vpc, "the DB instance").map_err(|error| invalid(error.to_string()))
}

/// The DB parameter group of this name, which must be of the server's family; no name: the family's default.
pub(super) fn parameters(
    state: &Snapshot,
    caller: &Caller,
    name: Option<&str>,
    family: &str,
) -> Result<String, Error> {
    let default = parameter_group::default_name(family);
    let Some(name) = name.filter(|name| !name.is_empty() && !name.eq_ignore_ascii_case(&default)) else {
        return Ok(default);
    };
    let fits = |of: &str| {
        if of == family {
            return Ok(());
        }
        Err(Error::InvalidParameterCombination(format!(
            "The Parameter Group {name} with DBParameterGroupFamily {of} can't be used for this instance. Please use a \
             Parameter Group with DBParameterGroupFamily {family}"
        )))
    };
    if let Some(of) = parameter_group::default_family(name) {
        fits(of)?;
        return Err(DatabaseError::ParameterGroupNotFound(name.to_owned()).into());
    }
    let group = arn::find::<DbParameterGroup>(state, caller, name)?;
    fits(&group.family)?;
    Ok(group.name.clone())
}
