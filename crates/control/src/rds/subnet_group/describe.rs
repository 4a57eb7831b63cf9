//! `DescribeDBSubnetGroups`.

use linkway_model::database::DbSubnetGroup;
use linkway_model::subnet::Subnet;
use linkway_model::{Snapshot, SubnetId};
use linkway_wire::rds;
use linkway_wire::rds::{
    AvailabilityZone, DBSubnetGroup, DBSubnetGroupMessage, DescribeDBSubnetGroupsMessage,
};

use crate::rds::{arn, filter, page};
use crate::{Caller, Control, Error};

pub(crate) fn describe(
    control: &Control,
    caller: &Caller,
    input: DescribeDBSubnetGroupsMessage,
) -> Result<DBSubnetGroupMessage, Error> {
    filter::check(&input.filters, &[])?;
    let state = control.read(None)?;
    let found = match input.db_subnet_group_name.as_deref() {
        Some(name) => vec![arn::find::<DbSubnetGroup>(&state, caller, name)?],
        None => arn::own(&state, caller).collect(),
    };
    let (found, marker) = page::cut(input.max_records, &input.marker, found, |group| group.name.clone())?;
    let db_subnet_groups = found.into_iter().map(|group| shape(&state, group)).collect();
    Ok(DBSubnetGroupMessage { db_subnet_groups, marker })
}

/// A DB subnet group as responses carry it.
pub(crate) fn shape(state: &Snapshot, group: &DbSubnetGroup) -> DBSubnetGroup {
    DBSubnetGroup {
        db_subnet_group_arn: Some(group.arn.clone()),
        db_subnet_group_description: Some(group.description.clone()),
        db_subnet_group_name: Some(group.name.clone()),
        subnet_group_status: Some("Complete".into()),
        subnets: group.subnets.iter().map(|id| subnet(state, id)).collect(),
        supported_network_types: vec!["IPV4".into()],
        vpc_id: Some(group.vpc.to_string()),
    }
}

/// A subnet of a group. As on AWS it may have been deleted since.
fn subnet(state: &Snapshot, id: &SubnetId) -> rds::Subnet {
    let found = state.get::<Subnet>(id);
    rds::Subnet {
        subnet_availability_zone: found.map(|subnet| AvailabilityZone { name: Some(subnet.zone.clone()) }),
        subnet_identifier: Some(id.to_string()),
        subnet_status: Some(if found.is_some() { "Active" } else { "Inactive" }.into()),
        ..rds::Subnet::default()
    }
}
