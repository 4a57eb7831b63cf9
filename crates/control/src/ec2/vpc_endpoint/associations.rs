//! `DescribeVpcEndpointAssociations`: of endpoints with resources and service networks, which there are none of.

use linkway_model::vpc_endpoint::VpcEndpoint;
use linkway_wire::ec2::{
    DescribeVpcEndpointAssociationsRequest, DescribeVpcEndpointAssociationsResult, VpcEndpointAssociation,
};

use super::filter_errors;
use crate::describe::by_ids;
use crate::filter::{Field, Filters, fields, none};
use crate::page::{Limits, Page};
use crate::{Caller, Control, Error};

const FIELDS: &[Field<VpcEndpointAssociation>] = fields! {
    "vpc-endpoint-id" => none;
    "associated-resource-accessibility" => none;
    "association-id" => none;
    "associated-resource-id" => none;
    "service-network-arn" => none;
    "resource-configuration-group-arn" => none;
};

pub(crate) fn describe_associations(
    control: &Control,
    caller: &Caller,
    input: DescribeVpcEndpointAssociationsRequest,
) -> Result<DescribeVpcEndpointAssociationsResult, Error> {
    let state = control.read(input.dry_run)?;
    Filters::new(FIELDS, &input.filters).map_err(filter_errors)?;
    by_ids::<VpcEndpoint>(&state, caller, &input.vpc_endpoint_ids)?;
    let limits = Limits { least: 1, most: 100, clamp: false };
    let page = Page::new(limits, input.max_results, &input.next_token);
    let (vpc_endpoint_associations, next_token) =
        page.cut(Vec::new(), |one: &VpcEndpointAssociation| one.id.clone().unwrap_or_default())?;
    Ok(DescribeVpcEndpointAssociationsResult { next_token, vpc_endpoint_associations })
}
