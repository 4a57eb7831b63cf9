//! Regions, zones, account attributes, prefix lists: what is there before anything is made.

use linkway_wire::ec2::*;

use crate::world::{World, caller, caller_of, filter, refused};

#[test]
fn regions_have_endpoints_and_names() {
    let world = World::new();
    let regions = |filters: Vec<Filter>, names: Vec<String>| {
        let input = DescribeRegionsRequest { filters, region_names: names, ..Default::default() };
        world.control.describe_regions(&caller(), input)
    };
    let all = regions(vec![], vec![]).unwrap().regions;
    assert!(all.len() > 30);
    let one = regions(vec![filter("endpoint", &["*eu-west-1*"])], vec![]).unwrap().regions.remove(0);
    assert_eq!(one.endpoint.as_deref(), Some("ec2.eu-west-1.amazonaws.com"));
    assert_eq!(one.opt_in_status.as_deref(), Some("opt-in-not-required"));
    refused(regions(vec![], vec!["mars-1".into()]), "InvalidParameterValue", "mars-1");
}

#[test]
fn zones_are_the_callers_regions() {
    let world = World::new();
    let zones = |region: &str, filters: Vec<Filter>| {
        let input = DescribeAvailabilityZonesRequest { filters, ..Default::default() };
        let caller = caller_of("111111111111", region);
        world.control.describe_availability_zones(&caller, input).unwrap().availability_zones
    };
    assert_eq!(zones("us-east-1", vec![]).len(), 6);
    let zone = zones("us-east-2", vec![filter("zone-id", &["use2-az1"])]).remove(0);
    assert_eq!(zone.zone_name.as_deref(), Some("us-east-2a"));
    assert_eq!(zone.group_name.as_deref(), Some("us-east-2-zg-1"));
    assert_eq!(zone.group_long_name.as_deref(), Some("US East (Ohio) 1"));
    assert_eq!(zone.state.as_deref(), Some("available"));
    assert!(zones("us-east-1", vec![filter("zone-type", &["local-zone"])]).is_empty());
}

#[test]
fn account_attributes_name_the_default_vpc() {
    let world = World::new();
    let input = DescribeAccountAttributesRequest {
        attribute_names: vec!["default-vpc".into()],
        ..Default::default()
    };
    let answer = world.control.describe_account_attributes(&caller(), input).unwrap();
    assert_eq!(answer.account_attributes.len(), 1);
    let value = &answer.account_attributes[0].attribute_values[0];
    let default = DescribeVpcsRequest { filters: vec![filter("isDefault", &["true"])], ..Default::default() };
    let default = world.control.describe_vpcs(&caller(), default).unwrap().vpcs.remove(0);
    assert_eq!(value.attribute_value, default.vpc_id);
}
