use linkway_wire::ec2::*;

use crate::world::{World, caller, caller_of, filter, refused, some};

fn of_vpc(vpc: &str) -> Vec<Filter> {
    vec![filter("vpc-id", &[vpc])]
}

#[test]
fn every_region_begins_with_a_default_vpc() {
    let world = World::new();
    for (region, zones) in [("us-east-1", 6), ("eu-central-1", 3)] {
        let caller = caller_of("111111111111", region);
        let vpc = world.control.describe_vpcs(&caller, Default::default()).unwrap().vpcs.remove(0);
        assert_eq!(vpc.cidr_block.as_deref(), Some("172.31.0.0/16"));
        assert_eq!((vpc.is_default, vpc.state.as_deref()), (Some(true), Some("available")));
        let id = vpc.vpc_id.unwrap();

        let input = DescribeSubnetsRequest { filters: of_vpc(&id), ..Default::default() };
        let mut subnets = world.control.describe_subnets(&caller, input).unwrap().subnets;
        assert_eq!(subnets.len(), zones);
        subnets.sort_by_key(|subnet| subnet.availability_zone.clone());
        for (number, subnet) in subnets.iter().enumerate() {
            assert_eq!(subnet.cidr_block, Some(format!("172.31.{}.0/20", number * 16)));
            assert_eq!((subnet.default_for_az, subnet.map_public_ip_on_launch), (Some(true), Some(true)));
            assert_eq!(subnet.available_ip_address_count, Some(4091));
        }
        let input =
            DescribeSubnetsRequest { filters: vec![filter("defaultForAz", &["true"])], ..Default::default() };
        assert_eq!(world.control.describe_subnets(&caller, input).unwrap().subnets.len(), zones);

        let input = DescribeInternetGatewaysRequest {
            filters: vec![filter("attachment.vpc-id", &[&id]), filter("attachment.state", &["available"])],
            ..Default::default()
        };
        let gateway =
            world.control.describe_internet_gateways(&caller, input).unwrap().internet_gateways.remove(0);
        let input = DescribeRouteTablesRequest { filters: of_vpc(&id), ..Default::default() };
        let table = world.control.describe_route_tables(&caller, input).unwrap().route_tables.remove(0);
        assert_eq!(table.associations[0].main, Some(true));
        assert_eq!(table.routes[1].destination_cidr_block.as_deref(), Some("0.0.0.0/0"));
        assert_eq!(table.routes[1].gateway_id, gateway.internet_gateway_id);
        assert_eq!(table.routes[1].state.as_deref(), Some("active"));

        let input = DescribeNetworkAclsRequest { filters: of_vpc(&id), ..Default::default() };
        let acl = world.control.describe_network_acls(&caller, input).unwrap().network_acls.remove(0);
        assert_eq!((acl.is_default, acl.associations.len()), (Some(true), zones));
        let input = DescribeSecurityGroupsRequest { filters: of_vpc(&id), ..Default::default() };
        let groups = world.control.describe_security_groups(&caller, input).unwrap().security_groups;
        assert_eq!(groups[0].group_name.as_deref(), Some("default"));
        let options =
            world.control.describe_dhcp_options(&caller, Default::default()).unwrap().dhcp_options.remove(0);
        assert_eq!(options.dhcp_options_id, vpc.dhcp_options_id);

        let read = |attribute: &str| {
            let input = DescribeVpcAttributeRequest {
                attribute: some(attribute),
                vpc_id: Some(id.clone()),
                ..Default::default()
            };
            world.control.describe_vpc_attribute(&caller, input).unwrap()
        };
        let on = Some(AttributeBooleanValue { value: Some(true) });
        assert_eq!(read("enableDnsHostnames").enable_dns_hostnames, on);
        assert_eq!(read("enableDnsSupport").enable_dns_support, on);
        assert_eq!(world.control.describe_vpcs(&caller, Default::default()).unwrap().vpcs.len(), 1);
    }
}

#[test]
fn whatever_is_described_first_brings_it() {
    let described: [fn(&World) -> bool; 6] = [
        |world| !world.control.describe_subnets(&caller(), Default::default()).unwrap().subnets.is_empty(),
        |world| {
            !world
                .control
                .describe_security_groups(&caller(), Default::default())
                .unwrap()
                .security_groups
                .is_empty()
        },
        |world| {
            !world
                .control
                .describe_route_tables(&caller(), Default::default())
                .unwrap()
                .route_tables
                .is_empty()
        },
        |world| {
            !world
                .control
                .describe_network_acls(&caller(), Default::default())
                .unwrap()
                .network_acls
                .is_empty()
        },
        |world| {
            !world
                .control
                .describe_internet_gateways(&caller(), Default::default())
                .unwrap()
                .internet_gateways
                .is_empty()
        },
        |world| {
            !world
                .control
                .describe_dhcp_options(&caller(), Default::default())
                .unwrap()
                .dhcp_options
                .is_empty()
        },
    ];
    for (number, shows_something) in described.into_iter().enumerate() {
        assert!(shows_something(&World::new()), "{number}");
    }
    // A dry run brings nothing.
    let world = World::new();
    let input = DescribeVpcsRequest { dry_run: Some(true), ..Default::default() };
    refused(world.control.describe_vpcs(&caller(), input), "DryRunOperation", "");
    assert_eq!(world.store.snapshot().vpcs.len(), 0);
}

#[test]
fn a_deleted_default_vpc_comes_back_when_it_is_asked_for() {
    let world = World::new();
    let create = |dry_run| world.control.create_default_vpc(&caller(), CreateDefaultVpcRequest { dry_run });
    let words = "A Default VPC already exists for this account in this region.";
    refused(create(None), "DefaultVpcAlreadyExists", words);
    let first = world.default_vpc();
    world.delete_default_vpc();
    assert!(world.control.describe_vpcs(&caller(), Default::default()).unwrap().vpcs.is_empty());
    let in_zone = |zone: &str| {
        let input = CreateDefaultSubnetRequest { availability_zone: some(zone), ..Default::default() };
        world.control.create_default_subnet(&caller(), input)
    };
    refused(in_zone("us-east-1a"), "DefaultVpcDoesNotExist", "No default VPC exists");
    refused(create(Some(true)), "DryRunOperation", "");
    let vpc = create(None).unwrap().vpc.unwrap();
    assert_eq!((vpc.is_default, vpc.state.as_deref()), (Some(true), Some("pending")));
    assert_ne!(vpc.vpc_id.as_deref(), Some(first.as_str()));
    assert_eq!(vpc.vpc_id, Some(world.default_vpc()));
}

#[test]
fn default_subnets_are_one_a_zone() {
    let world = World::new();
    let vpc = world.default_vpc();
    let in_zone = |zone: &str| {
        let input = CreateDefaultSubnetRequest { availability_zone: some(zone), ..Default::default() };
        world.control.create_default_subnet(&caller(), input)
    };
    let filters = vec![filter("vpc-id", &[&vpc]), filter("availability-zone", &["us-east-1b"])];
    let input = DescribeSubnetsRequest { filters, ..Default::default() };
    let present = world.control.describe_subnets(&caller(), input).unwrap().subnets.remove(0);
    let id = present.subnet_id.unwrap();
    refused(
        in_zone("us-east-1b"),
        "DefaultSubnetAlreadyExistsInAvailabilityZone",
        &format!("'{id}' is already the default subnet in us-east-1b."),
    );
    let input = DeleteSubnetRequest { subnet_id: Some(id), dry_run: None };
    world.control.delete_subnet(&caller(), input).unwrap();
    let made = in_zone("us-east-1b").unwrap().subnet.unwrap();
    assert_eq!(made.cidr_block, present.cidr_block);
    assert_eq!((made.default_for_az, made.map_public_ip_on_launch), (Some(true), Some(true)));
    refused(in_zone("eu-west-1a"), "InvalidParameterValue", "eu-west-1a");
    let none = CreateDefaultSubnetRequest::default();
    refused(world.control.create_default_subnet(&caller(), none), "MissingParameter", "AvailabilityZone");
    let native = CreateDefaultSubnetRequest { ipv6_native: Some(true), ..Default::default() };
    refused(world.control.create_default_subnet(&caller(), native), "UnsupportedOperation", "IPv4");
}
