//! Internet gateways, and those that only let out.

use linkway_wire::ec2::*;

use crate::world::{World, caller, filter, in_use, refused, some, tag};

#[test]
fn a_vpc_has_one_internet_gateway_at_most() {
    let world = World::new();
    let (vpc, other) = (world.vpc("10.0.0.0/16"), world.vpc("10.0.0.0/16"));
    let gateway = world.gateway(&vpc);
    let words = format!("resource {gateway} is already attached to network {vpc}");
    refused(world.attach_gateway(&gateway, &other), "Resource.AlreadyAssociated", &words);
    let second = world.gateway(&other);
    world.detach_gateway(&second, &other).unwrap();
    let words = format!("Network {vpc} already has an internet gateway attached");
    refused(world.attach_gateway(&second, &vpc), "InvalidParameterValue", &words);
    let words = format!("resource {second} is not attached to network {vpc}");
    refused(world.detach_gateway(&second, &vpc), "Gateway.NotAttached", &words);

    let delete = |gateway: &str| {
        let input = DeleteInternetGatewayRequest { internet_gateway_id: some(gateway), dry_run: None };
        world.control.delete_internet_gateway(&caller(), input)
    };
    let words = format!("The internetGateway '{gateway}' has dependencies and cannot be deleted.");
    refused(delete(&gateway), "DependencyViolation", &words);
    let input = DeleteVpcRequest { vpc_id: some(&vpc), dry_run: None };
    refused(world.control.delete_vpc(&caller(), input), "DependencyViolation", &in_use(&vpc));
    world.detach_gateway(&gateway, &vpc).unwrap();
    delete(&gateway).unwrap();
    let words = format!("The internetGateway ID '{gateway}' does not exist");
    refused(delete(&gateway), "InvalidInternetGatewayID.NotFound", &words);
    refused(world.attach_gateway("igw-x", &vpc), "InvalidInternetGatewayId.Malformed", "igw-x");
}

#[test]
fn internet_gateways_are_found() {
    let world = World::new();
    let vpc = world.vpc("10.0.0.0/16");
    let input = CreateInternetGatewayRequest {
        tag_specifications: vec![TagSpecification {
            resource_type: some("internet-gateway"),
            tags: vec![tag("Name", "out")],
        }],
        dry_run: None,
    };
    let made = world.control.create_internet_gateway(&caller(), input).unwrap().internet_gateway.unwrap();
    assert_eq!((made.attachments.len(), &made.tags[..]), (0, &[tag("Name", "out")][..]));
    let id = made.internet_gateway_id.unwrap();
    world.attach_gateway(&id, &vpc).unwrap();
    let find = |filters: Vec<Filter>| {
        let input = DescribeInternetGatewaysRequest { filters, ..Default::default() };
        world.control.describe_internet_gateways(&caller(), input).unwrap().internet_gateways
    };
    for filter in [
        filter("attachment.vpc-id", &[&vpc]),
        filter("internet-gateway-id", &[&id]),
        filter("tag:Name", &["out"]),
    ] {
        let shown = find(vec![filter]);
        assert_eq!(shown.len(), 1);
        assert_eq!(shown[0].attachments[0].state.as_deref(), Some("available"));
        assert_eq!(shown[0].owner_id.as_deref(), Some("111111111111"));
    }
}

#[test]
fn egress_only_gateways_carry_routes_of_ipv6() {
    let world = World::new();
    let vpc = world.vpc("10.0.0.0/16");
    let create = || {
        let input = CreateEgressOnlyInternetGatewayRequest {
            vpc_id: some(&vpc),
            client_token: some("one"),
            ..Default::default()
        };
        let answer = world.control.create_egress_only_internet_gateway(&caller(), input).unwrap();
        answer.egress_only_internet_gateway.unwrap()
    };
    let made = create();
    assert_eq!(create(), made);
    assert_eq!(made.attachments[0].state.as_deref(), Some("attached"));
    let id = made.egress_only_internet_gateway_id.unwrap();
    let table = world.table(&vpc);
    let input = CreateRouteRequest {
        route_table_id: some(&table),
        destination_ipv6_cidr_block: some("::/0"),
        egress_only_internet_gateway_id: Some(id.clone()),
        ..Default::default()
    };
    world.control.create_route(&caller(), input).unwrap();
    let route = || world.describe_table(&table).routes.remove(1);
    assert_eq!(route().destination_ipv6_cidr_block.as_deref(), Some("::/0"));
    assert_eq!(route().egress_only_internet_gateway_id.as_deref(), Some(id.as_str()));
    assert_eq!(route().state.as_deref(), Some("active"));

    let input = DeleteVpcRequest { vpc_id: some(&vpc), dry_run: None };
    refused(world.control.delete_vpc(&caller(), input), "DependencyViolation", &in_use(&vpc));
    let delete = || {
        let input = DeleteEgressOnlyInternetGatewayRequest {
            egress_only_internet_gateway_id: Some(id.clone()),
            dry_run: None,
        };
        world.control.delete_egress_only_internet_gateway(&caller(), input)
    };
    assert_eq!(delete().unwrap().return_code, Some(true));
    refused(delete(), "InvalidGatewayID.NotFound", &format!("The eigw ID '{id}' does not exist"));
    assert_eq!(route().state.as_deref(), Some("blackhole"));
    let input = DescribeEgressOnlyInternetGatewaysRequest::default();
    let left = world.control.describe_egress_only_internet_gateways(&caller(), input).unwrap();
    assert!(left.egress_only_internet_gateways.is_empty());
}
