use linkway_wire::ec2::*;

use crate::world::{World, caller, filter, refused, some};

#[test]
fn a_subnet_lies_in_its_vpc_and_on_no_other() {
    let world = World::new();
    let vpc = world.vpc("10.0.0.0/16");
    let subnet = world.create_subnet(&vpc, "10.0.1.5/24", "us-east-1b").unwrap();
    assert_eq!(subnet.cidr_block.as_deref(), Some("10.0.1.0/24"));
    assert_eq!(subnet.availability_zone_id.as_deref(), Some("use1-az1"));
    assert_eq!(subnet.available_ip_address_count, Some(251));
    let options = subnet.private_dns_name_options_on_launch.unwrap();
    assert_eq!(options.hostname_type.as_deref(), Some("ip-name"));
    let arn = subnet.subnet_arn.unwrap();
    assert!(arn.starts_with("arn:aws:ec2:us-east-1:111111111111:subnet/subnet-"), "{arn}");

    let create = |cidr: &str| world.create_subnet(&vpc, cidr, "us-east-1a");
    refused(create("10.1.0.0/24"), "InvalidSubnet.Range", "The CIDR '10.1.0.0/24' is invalid.");
    refused(create("10.0.0.0/29"), "InvalidSubnet.Range", "10.0.0.0/29");
    refused(create("10.0.0.0/15"), "InvalidSubnet.Range", "10.0.0.0/15");
    for overlapping in ["10.0.1.0/24", "10.0.0.0/16", "10.0.1.128/25"] {
        let words = format!("The CIDR '{overlapping}' conflicts with another subnet");
        refused(create(overlapping), "InvalidSubnet.Conflict", &words);
    }
    refused(create("x"), "InvalidParameterValue", "Value (x) for parameter cidrBlock is invalid");
    // Another VPC's subnets are of no concern.
    world.subnet(&world.vpc("10.0.0.0/16"), "10.0.1.0/24");
}

#[test]
fn zones_are_the_regions_by_name_or_id() {
    let world = World::new();
    let vpc = world.vpc("10.0.0.0/16");
    refused(
        world.create_subnet(&vpc, "10.0.0.0/24", "eu-west-1a"),
        "InvalidParameterValue",
        "Value (eu-west-1a) for parameter availabilityZone is invalid.",
    );
    let input = CreateSubnetRequest {
        vpc_id: Some(vpc),
        cidr_block: some("10.0.0.0/24"),
        availability_zone_id: some("use1-az4"),
        ..Default::default()
    };
    let subnet = world.control.create_subnet(&caller(), input).unwrap().subnet.unwrap();
    assert_eq!(subnet.availability_zone.as_deref(), Some("us-east-1d"));
}

#[test]
fn attributes_change_and_show() {
    let world = World::new();
    let vpc = world.vpc("10.0.0.0/16");
    let subnet = world.subnet(&vpc, "10.0.0.0/24");
    let input = ModifySubnetAttributeRequest {
        subnet_id: Some(subnet.clone()),
        map_public_ip_on_launch: Some(AttributeBooleanValue { value: Some(true) }),
        ..Default::default()
    };
    world.control.modify_subnet_attribute(&caller(), input).unwrap();
    let input = DescribeSubnetsRequest {
        filters: vec![filter("availabilityZone", &["us-east-1a"]), filter("defaultForAz", &["false"])],
        ..Default::default()
    };
    let shown = world.control.describe_subnets(&caller(), input).unwrap().subnets.remove(0);
    assert_eq!(shown.subnet_id, Some(subnet.clone()));
    assert_eq!(shown.map_public_ip_on_launch, Some(true));
    let input = ModifySubnetAttributeRequest {
        subnet_id: Some(subnet),
        private_dns_hostname_type_on_launch: some("both"),
        ..Default::default()
    };
    refused(world.control.modify_subnet_attribute(&caller(), input), "InvalidParameterValue", "both");
}

#[test]
fn a_subnet_with_interfaces_stays() {
    let world = World::new();
    let subnet = world.subnet(&world.vpc("10.0.0.0/16"), "10.0.0.0/28");
    let interface = world.create_interface(&subnet).unwrap().network_interface_id.unwrap();
    let delete = || {
        world
            .control
            .delete_subnet(&caller(), DeleteSubnetRequest { subnet_id: Some(subnet.clone()), dry_run: None })
    };
    let words = format!("The subnet '{subnet}' has dependencies and cannot be deleted.");
    refused(delete(), "DependencyViolation", &words);
    let input = DeleteNetworkInterfaceRequest { network_interface_id: Some(interface), ..Default::default() };
    world.control.delete_network_interface(&caller(), input).unwrap();
    delete().unwrap();
    refused(delete(), "InvalidSubnetID.NotFound", &format!("The subnet ID '{subnet}' does not exist"));
}
