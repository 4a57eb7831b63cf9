//! Which groups an interface, an endpoint or a balancer gets.

use linkway_model::security_group::SecurityGroup;
use linkway_model::vpc::Vpc;
use linkway_model::{SecurityGroupId, Snapshot};
use linkway_wire::ec2::GroupIdentifier;

use crate::lookup::own;
use crate::{Caller, Error};

/// Groups that an interface may have.
const MAX_GROUPS: usize = 5;

/// The groups with these ids, which must be the VPC's or associated with it; no ids: its default group. `place` is what the error
/// names beside the group, such as `subnet subnet-…`.
pub(crate) fn groups_of_vpc(
    state: &Snapshot,
    caller: &Caller,
    ids: &[String],
    vpc: &Vpc,
    place: &str,
) -> Result<Vec<SecurityGroupId>, Error> {
    if ids.is_empty() {
        return Ok(vec![vpc.default_security_group.clone()]);
    }
    let mut groups = Vec::with_capacity(ids.len());
    for id in ids {
        let group = own::<SecurityGroup>(state, caller, id)?;
        if group.vpc != vpc.id && !group.associations.contains(&vpc.id) {
            return Err(Error::InvalidParameter(format!(
                "Security group {id} and {place} belong to different networks."
            )));
        }
        if !groups.contains(&group.id) {
            groups.push(group.id.clone());
        }
    }
    check_count(&groups)?;
    Ok(groups)
}

/// Refuse more groups than an interface may have: AWS's quota before anyone asks for more.
pub(crate) fn check_count(groups: &[SecurityGroupId]) -> Result<(), Error> {
    if groups.len() > MAX_GROUPS { Err(Error::SecurityGroupsPerInterfaceLimitExceeded) } else { Ok(()) }
}

/// Groups as most responses carry them: id and name.
pub(crate) fn identifiers(state: &Snapshot, groups: &[SecurityGroupId]) -> Vec<GroupIdentifier> {
    let named = |id: &SecurityGroupId| GroupIdentifier {
        group_id: Some(id.to_string()),
        group_name: state.get::<SecurityGroup>(id).map(|group| group.name.clone()),
    };
    groups.iter().map(named).collect()
}
