//! `DescribeVpcEndpoints`: the caller's own.

use linkway_model::index::Term;
use linkway_model::vpc_endpoint::VpcEndpoint;
use linkway_wire::ec2::{DescribeVpcEndpointsRequest, DescribeVpcEndpointsResult};

use super::{UP_TO_1000, filter_errors, shape};
use crate::describe::select;
use crate::filter::{Field, fields, one};
use crate::page::Page;
use crate::{Caller, Control, Error};

const FIELDS: &[Field<VpcEndpoint>] = fields! {
    "ip-address-type" => |_, endpoint| one(endpoint.ip_address_type.name());
    "service-name" => |_, endpoint| one(&endpoint.service_name), Term::EndpointService;
    "service-region" => |_, endpoint| one(&endpoint.region);
    "vpc-id" => |_, endpoint| one(&endpoint.vpc), Term::EndpointVpc;
    "vpc-endpoint-id" => |_, endpoint| one(&endpoint.id);
    "vpc-endpoint-state" => |_, endpoint| one(endpoint.state.name()), Term::EndpointState;
    "vpc-endpoint-type" => |_, endpoint| one(endpoint.type_name());
};

pub(crate) fn describe(
    control: &Control,
    caller: &Caller,
    input: DescribeVpcEndpointsRequest,
) -> Result<DescribeVpcEndpointsResult, Error> {
    let state = control.read(input.dry_run)?;
    let page = Page::new(UP_TO_1000, input.max_results, &input.next_token);
    let (found, next_token) = select(&state, caller, &input.vpc_endpoint_ids, FIELDS, &input.filters, page)
        .map_err(filter_errors)?;
    let vpc_endpoints = found.iter().map(|endpoint| shape::shape(&state, endpoint)).collect();
    Ok(DescribeVpcEndpointsResult { next_token, vpc_endpoints })
}
