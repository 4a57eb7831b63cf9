//! Regions.

use linkway_model::Tags;
use linkway_model::region::Region;
use linkway_wire::ec2::{DescribeRegionsRequest, DescribeRegionsResult, Region as RegionShape};

use crate::filter::{Field, Filters, fields, one};
use crate::{Caller, Control, Error};

const FILTERS: &[Field<Region>] = fields! {
    "endpoint" => |_, region| one(endpoint(region));
    "opt-in-status" => |_, region| one(opt_in_status(region));
    "region-name" => |_, region| one(region.name);
};

pub(crate) fn describe(
    control: &Control,
    _: &Caller,
    input: DescribeRegionsRequest,
) -> Result<DescribeRegionsResult, Error> {
    let state = control.read(input.dry_run)?;
    let filters = Filters::new(FILTERS, &input.filters)?;
    let names = &input.region_names;
    if let Some(unknown) = names.iter().find(|name| Region::find(name).is_none()) {
        return Err(Error::InvalidParameterValue(format!("Invalid region names: [{unknown}]")));
    }
    let asked = |region: &&Region| names.is_empty() || names.iter().any(|name| name == region.name);
    let matching = Region::all().filter(asked).filter(|region| filters.matches(&state, region, &Tags::new()));
    Ok(DescribeRegionsResult { regions: matching.map(shape).collect() })
}

fn endpoint(region: &Region) -> String {
    format!("ec2.{}.amazonaws.com", region.name)
}

fn opt_in_status(region: &Region) -> &'static str {
    if region.opt_in { "opted-in" } else { "opt-in-not-required" }
}

fn shape(region: &Region) -> RegionShape {
    RegionShape {
        endpoint: Some(endpoint(region)),
        opt_in_status: Some(opt_in_status(region).into()),
        region_name: Some(region.name.into()),
        ..RegionShape::default()
    }
}
