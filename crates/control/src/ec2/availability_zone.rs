//! Availability zones of the caller's region.

use linkway_model::Tags;
use linkway_model::region::{Region, Zone};
use linkway_wire::ec2::{
    AvailabilityZone as AvailabilityZoneShape, DescribeAvailabilityZonesRequest,
    DescribeAvailabilityZonesResult,
};

use crate::filter::{Field, Filters, fields, none, one};
use crate::{Caller, Control, Error};

/// A zone with its region, which its group and border are named for.
type Place = (&'static Region, &'static Zone);

const FILTERS: &[Field<Place>] = fields! {
    "group-long-name" => |_, place| one(group_long_name(place));
    "group-name" => |_, place| one(group_name(place));
    "message" => none;
    "opt-in-status" => |_, _| one("opt-in-not-required");
    "parent-zone-id" | "parent-zoneID" => none;
    "parent-zone-name" | "parent-zoneName" => none;
    "region-name" => |_, (region, _)| one(region.name);
    "state" => |_, _| one("available");
    "zone-id" => |_, (_, zone)| one(zone.id);
    "zone-name" => |_, (_, zone)| one(zone.name);
    "zone-type" => |_, _| one("availability-zone");
};

pub(crate) fn describe(
    control: &Control,
    caller: &Caller,
    input: DescribeAvailabilityZonesRequest,
) -> Result<DescribeAvailabilityZonesResult, Error> {
    let state = control.read(input.dry_run)?;
    let filters = Filters::new(FILTERS, &input.filters)?;
    let places: Vec<Place> = Region::find(&caller.region)
        .into_iter()
        .flat_map(|region| region.zones.iter().map(move |zone| (region, zone)))
        .collect();
    let (names, ids) = (&input.zone_names, &input.zone_ids);
    if let Some(unknown) = names.iter().find(|name| !places.iter().any(|(_, zone)| zone.name == **name)) {
        return Err(Error::InvalidParameterValue(format!("Invalid availability zone: [{unknown}]")));
    }
    if let Some(unknown) = ids.iter().find(|id| !places.iter().any(|(_, zone)| zone.id == **id)) {
        return Err(Error::InvalidParameterValue(format!("Invalid availability zone-id: [{unknown}]")));
    }
    let asked = |(_, zone): &&Place| {
        (names.is_empty() && ids.is_empty())
            || names.iter().any(|name| name == zone.name)
            || ids.iter().any(|id| id == zone.id)
    };
    let matching = places.iter().filter(asked).filter(|place| filters.matches(&state, place, &Tags::new()));
    Ok(DescribeAvailabilityZonesResult { availability_zones: matching.map(shape).collect() })
}

fn group_name((region, _): &Place) -> String {
    format!("{}-zg-1", region.name)
}

fn group_long_name((region, _): &Place) -> String {
    format!("{} 1", region.long_name)
}

fn shape(place: &Place) -> AvailabilityZoneShape {
    let (region, zone) = place;
    AvailabilityZoneShape {
        group_long_name: Some(group_long_name(place)),
        group_name: Some(group_name(place)),
        network_border_group: Some(region.name.into()),
        opt_in_status: Some("opt-in-not-required".into()),
        region_name: Some(region.name.into()),
        state: Some("available".into()),
        zone_id: Some(zone.id.into()),
        zone_name: Some(zone.name.into()),
        zone_type: Some("availability-zone".into()),
        ..AvailabilityZoneShape::default()
    }
}
