//! References to groups across VPC peering connections and transit gateways. There are none of these, so nothing
//! refers to a group across one, and no rule goes stale: within a VPC a group that rules refer to cannot be deleted.

use linkway_model::security_group::SecurityGroup;
use linkway_model::vpc::Vpc;
use linkway_wire::ec2::{
    DescribeSecurityGroupReferencesRequest, DescribeSecurityGroupReferencesResult,
    DescribeStaleSecurityGroupsRequest, DescribeStaleSecurityGroupsResult, StaleSecurityGroup,
};

use crate::describe::by_ids;
use crate::lookup::named;
use crate::page::{Limits, Page};
use crate::{Caller, Control, Error};

pub(crate) fn describe_references(
    control: &Control,
    caller: &Caller,
    input: DescribeSecurityGroupReferencesRequest,
) -> Result<DescribeSecurityGroupReferencesResult, Error> {
    let state = control.read(input.dry_run)?;
    if input.group_id.is_empty() {
        return Err(Error::MissingParameter("GroupId"));
    }
    by_ids::<SecurityGroup>(&state, caller, &input.group_id)?;
    Ok(DescribeSecurityGroupReferencesResult::default())
}

pub(crate) fn describe_stale(
    control: &Control,
    caller: &Caller,
    input: DescribeStaleSecurityGroupsRequest,
) -> Result<DescribeStaleSecurityGroupsResult, Error> {
    let state = control.read(input.dry_run)?;
    named::<Vpc>(&state, caller, input.vpc_id.as_deref(), "VpcId")?;
    let limits = Limits { least: 5, most: 255, clamp: false };
    let page = Page::new(limits, input.max_results, &input.next_token);
    let (stale_security_group_set, next_token) =
        page.cut(Vec::new(), |group: &StaleSecurityGroup| group.group_id.clone().unwrap_or_default())?;
    Ok(DescribeStaleSecurityGroupsResult { next_token, stale_security_group_set })
}
