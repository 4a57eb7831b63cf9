use linkway_wire::ApiError;
use linkway_wire::ec2::*;

use crate::world::{World, caller, filter, in_use, refused, some};

/// A route to a gateway.
fn to(table: &str, destination: &str, gateway: &str) -> CreateRouteRequest {
    CreateRouteRequest {
        route_table_id: some(table),
        destination_cidr_block: some(destination),
        gateway_id: some(gateway),
        ..Default::default()
    }
}

fn associate(world: &World, table: &str, subnet: &str) -> Result<String, ApiError> {
    let input = AssociateRouteTableRequest {
        route_table_id: some(table),
        subnet_id: some(subnet),
        ..Default::default()
    };
    world.control.associate_route_table(&caller(), input).map(|answer| answer.association_id.unwrap())
}

fn delete(world: &World, table: &str) -> Result<(), ApiError> {
    let input = DeleteRouteTableRequest { route_table_id: some(table), dry_run: None };
    world.control.delete_route_table(&caller(), input)
}

fn states(world: &World, table: &str) -> Vec<(String, String)> {
    let routes = world.describe_table(table).routes.into_iter();
    routes.map(|route| (route.destination_cidr_block.unwrap(), route.state.unwrap())).collect()
}

#[test]
fn a_table_is_made_with_the_local_route_and_once_for_a_token() {
    let world = World::new();
    let vpc = world.vpc("10.0.0.0/16");
    let create = |vpc: &str| {
        let input =
            CreateRouteTableRequest { vpc_id: some(vpc), client_token: some("one"), ..Default::default() };
        world.control.create_route_table(&caller(), input)
    };
    let table = create(&vpc).unwrap().route_table.unwrap();
    assert_eq!(create(&vpc).unwrap().route_table.unwrap(), table);
    refused(create(&world.vpc("10.0.0.0/16")), "IdempotentParameterMismatch", "");
    assert_eq!(table.associations, []);
    let [local] = &table.routes[..] else { panic!("{table:?}") };
    assert_eq!(local.gateway_id.as_deref(), Some("local"));
    assert_eq!(local.origin.as_deref(), Some("CreateRouteTable"));
    refused(create("vpc-0123456789abcdef0"), "IdempotentParameterMismatch", "");
    let input = CreateRouteTableRequest { vpc_id: some("vpc-0123456789abcdef0"), ..Default::default() };
    refused(
        world.control.create_route_table(&caller(), input),
        "InvalidVpcID.NotFound",
        "vpc-0123456789abcdef0",
    );

    let id = table.route_table_id.unwrap();
    delete(&world, &id).unwrap();
    let words = format!("The routeTable ID '{id}' does not exist");
    refused(delete(&world, &id), "InvalidRouteTableID.NotFound", &words);
}

#[test]
fn routes_are_made_replaced_and_deleted() {
    let world = World::new();
    let vpc = world.vpc("10.0.0.0/16");
    let (table, gateway) = (world.table(&vpc), world.gateway(&vpc));
    let create = |input| world.control.create_route(&caller(), input);
    assert_eq!(create(to(&table, "0.0.0.0/0", &gateway)).unwrap().return_, Some(true));
    // The same again is the same; elsewhere is another.
    create(to(&table, "0.0.0.0/0", &gateway)).unwrap();
    let subnet = world.subnet(&vpc, "10.0.0.0/24");
    let interface = world.create_interface(&subnet).unwrap().network_interface_id.unwrap();
    let by_interface = |destination: &str| CreateRouteRequest {
        gateway_id: None,
        network_interface_id: Some(interface.clone()),
        ..to(&table, destination, "")
    };
    let words = "The route identified by 0.0.0.0/0 already exists.";
    refused(create(by_interface("0.0.0.0/0")), "RouteAlreadyExists", words);
    // Canonical, as on AWS. Nothing is attached to the interface yet.
    create(by_interface("192.168.3.4/24")).unwrap();
    assert_eq!(
        states(&world, &table),
        [
            ("10.0.0.0/16".into(), "active".into()),
            ("0.0.0.0/0".into(), "active".into()),
            ("192.168.3.0/24".into(), "blackhole".into()),
        ]
    );

    let replace = |destination: &str| {
        let input = ReplaceRouteRequest {
            route_table_id: some(&table),
            destination_cidr_block: some(destination),
            network_interface_id: Some(interface.clone()),
            ..Default::default()
        };
        world.control.replace_route(&caller(), input)
    };
    replace("0.0.0.0/0").unwrap();
    let input = DescribeRouteTablesRequest {
        filters: vec![filter("route.destination-cidr-block", &["0.0.0.0/0"]), filter("vpc-id", &[&vpc])],
        ..Default::default()
    };
    let found = world.control.describe_route_tables(&caller(), input).unwrap().route_tables.remove(0);
    assert_eq!(found.routes[1].network_interface_id.as_deref(), Some(interface.as_str()));
    assert_eq!(found.routes[1].gateway_id, None);
    let words = "There is no route defined for '8.8.8.8/32' in the route table. Use CreateRoute instead.";
    refused(replace("8.8.8.8/32"), "InvalidParameterValue", words);
    refused(replace("10.0.0.0/16"), "UnsupportedOperation", "local route");

    let remove = |destination: &str| {
        let input = DeleteRouteRequest {
            route_table_id: some(&table),
            destination_cidr_block: some(destination),
            ..Default::default()
        };
        world.control.delete_route(&caller(), input)
    };
    remove("0.0.0.0/0").unwrap();
    let words = format!("no route with destination-cidr-block 0.0.0.0/0 in route table {table}");
    refused(remove("0.0.0.0/0"), "InvalidRoute.NotFound", &words);
    let words = format!("cannot remove local route 10.0.0.0/16 in route table {table}");
    refused(remove("10.0.0.0/16"), "InvalidParameterValue", &words);
}

#[test]
fn destinations_and_targets_are_checked() {
    let world = World::new();
    let vpc = world.vpc("10.0.0.0/16");
    let (table, gateway) = (world.table(&vpc), world.gateway(&vpc));
    let create = |input| world.control.create_route(&caller(), input);
    let plain = || to(&table, "0.0.0.0/0", &gateway);
    let no_target = || CreateRouteRequest { gateway_id: None, ..plain() };
    let words = "The gateway ID 'igw-0123456789abcdef0' does not exist";
    refused(create(to(&table, "0.0.0.0/0", "igw-0123456789abcdef0")), "InvalidGatewayID.NotFound", words);
    refused(create(to(&table, "0.0.0.0/0", "local")), "InvalidGatewayID.NotFound", "'local'");
    refused(create(to(&table, "x", &gateway)), "InvalidParameterValue", "destinationCidrBlock is invalid");
    refused(create(to(&table, "::/0", &gateway)), "InvalidParameterValue", "destinationCidrBlock is invalid");
    let words = "equal to or more specific than one of this VPC's CIDR blocks";
    refused(create(to(&table, "10.0.1.0/24", &gateway)), "InvalidParameterValue", words);
    refused(create(to(&table, "10.0.0.0/16", &gateway)), "InvalidParameterValue", words);

    let elsewhere = world.vpc("10.0.0.0/16");
    let foreign = world.gateway(&elsewhere);
    let words = format!("route table {table} and network gateway {foreign} belong to different networks");
    refused(create(to(&table, "0.0.0.0/0", &foreign)), "InvalidParameterValue", &words);
    world.detach_gateway(&foreign, &elsewhere).unwrap();
    refused(create(to(&table, "0.0.0.0/0", &foreign)), "InvalidParameterValue", &words);

    refused(create(no_target()), "InvalidParameterCombination", "exactly one of");
    let two = CreateRouteRequest { nat_gateway_id: some("nat-0123456789abcdef0"), ..plain() };
    refused(create(two), "InvalidParameterCombination", "exactly one of");
    let nat = CreateRouteRequest { nat_gateway_id: some("nat-0123456789abcdef0"), ..no_target() };
    refused(
        create(nat),
        "InvalidNatGatewayID.NotFound",
        "The natGateway ID 'nat-0123456789abcdef0' does not exist",
    );
    let peering = CreateRouteRequest { vpc_peering_connection_id: some("pcx-1"), ..no_target() };
    refused(create(peering), "UnsupportedOperation", "peering");
    let transit = CreateRouteRequest { transit_gateway_id: some("tgw-1"), ..no_target() };
    refused(create(transit), "UnsupportedOperation", "transit gateways");
    let instance = CreateRouteRequest { instance_id: some("i-0123456789abcdef0"), ..no_target() };
    refused(create(instance), "InvalidInstanceID.NotFound", "i-0123456789abcdef0");
    let interface = CreateRouteRequest { network_interface_id: some("eni-0123456789abcdef0"), ..no_target() };
    refused(create(interface), "InvalidNetworkInterfaceID.NotFound", "eni-0123456789abcdef0");

    let list = CreateRouteRequest {
        destination_prefix_list_id: some("pl-1"),
        destination_cidr_block: None,
        ..plain()
    };
    refused(create(list), "UnsupportedOperation", "pl-1");
    let none = CreateRouteRequest { destination_cidr_block: None, ..plain() };
    refused(create(none), "MissingParameter", "destinationCidrBlock");
    let both = CreateRouteRequest { destination_ipv6_cidr_block: some("::/0"), ..plain() };
    refused(create(both), "InvalidParameterCombination", "exactly one of");
    assert_eq!(states(&world, &table).len(), 1);
    let dry = CreateRouteRequest { dry_run: Some(true), ..plain() };
    refused(create(dry), "DryRunOperation", "");
    assert_eq!(states(&world, &table).len(), 1);
}

#[test]
fn a_table_has_its_fill_of_routes() {
    let world = World::new();
    let vpc = world.vpc("10.0.0.0/16");
    let (table, gateway) = (world.table(&vpc), world.gateway(&vpc));
    let create = |number: u32| {
        let destination = format!("172.16.{}.{}/32", number / 256, number % 256);
        world.control.create_route(&caller(), to(&table, &destination, &gateway))
    };
    (0..500).for_each(|number| assert!(create(number).is_ok()));
    refused(create(500), "RouteLimitExceeded", "The maximum number of routes has been reached.");
}

#[test]
fn routes_to_what_is_gone_are_blackholes() {
    let world = World::new();
    let vpc = world.vpc("10.0.0.0/16");
    let (table, gateway) = (world.table(&vpc), world.gateway(&vpc));
    world.control.create_route(&caller(), to(&table, "0.0.0.0/0", &gateway)).unwrap();
    let state = || states(&world, &table).remove(1).1;
    assert_eq!(state(), "active");
    world.detach_gateway(&gateway, &vpc).unwrap();
    assert_eq!(state(), "blackhole");
    let found = |wanted: &str| {
        let filters = vec![filter("route.state", &[wanted]), filter("vpc-id", &[&vpc])];
        let input = DescribeRouteTablesRequest { filters, ..Default::default() };
        world.control.describe_route_tables(&caller(), input).unwrap().route_tables.len()
    };
    assert_eq!(found("blackhole"), 1);
    world.attach_gateway(&gateway, &vpc).unwrap();
    assert_eq!(state(), "active");
    assert_eq!(found("blackhole"), 0);
}

#[test]
fn a_subnet_is_associated_with_one_table() {
    let world = World::new();
    let vpc = world.vpc("10.0.0.0/16");
    let subnet = world.subnet(&vpc, "10.0.0.0/24");
    let (first, second) = (world.table(&vpc), world.table(&vpc));
    let association = associate(&world, &first, &subnet).unwrap();
    assert_eq!(associate(&world, &first, &subnet).unwrap(), association);
    refused(
        associate(&world, &second, &subnet),
        "Resource.AlreadyAssociated",
        "conflicts with an existing association",
    );
    let foreign = world.table(&world.vpc("10.0.0.0/16"));
    let words = format!("route table {foreign} and subnet {subnet} belong to different networks");
    refused(associate(&world, &foreign, &subnet), "InvalidParameterValue", &words);
    let edge = AssociateRouteTableRequest {
        route_table_id: some(&first),
        gateway_id: some("igw-0123456789abcdef0"),
        ..Default::default()
    };
    refused(world.control.associate_route_table(&caller(), edge), "UnsupportedOperation", "gateways");
    let words = format!("The routeTable '{first}' has dependencies and cannot be deleted.");
    refused(delete(&world, &first), "DependencyViolation", &words);

    let replace = |association: &str, table: &str| {
        let input = ReplaceRouteTableAssociationRequest {
            association_id: some(association),
            route_table_id: some(table),
            dry_run: None,
        };
        let answer = world.control.replace_route_table_association(&caller(), input);
        answer.map(|answer| answer.new_association_id.unwrap())
    };
    assert_eq!(replace(&association, &first).unwrap(), association);
    refused(replace(&association, &foreign), "InvalidParameterValue", "belong to different networks");
    let moved = replace(&association, &second).unwrap();
    assert_ne!(moved, association);
    let shown = world.describe_table(&second).associations.remove(0);
    assert_eq!(shown.subnet_id.as_deref(), Some(subnet.as_str()));
    assert_eq!(shown.main, Some(false));
    assert_eq!(shown.association_state.unwrap().state.as_deref(), Some("associated"));
    delete(&world, &first).unwrap();
    let words = format!("The association ID '{association}' does not exist");
    refused(replace(&association, &second), "InvalidAssociationID.NotFound", &words);

    let disassociate = |association: &str| {
        let input = DisassociateRouteTableRequest { association_id: some(association), dry_run: None };
        world.control.disassociate_route_table(&caller(), input)
    };
    disassociate(&moved).unwrap();
    refused(disassociate(&moved), "InvalidAssociationID.NotFound", &moved);
    // A subnet that goes takes its association with it.
    associate(&world, &second, &subnet).unwrap();
    let input = DeleteSubnetRequest { subnet_id: Some(subnet), dry_run: None };
    world.control.delete_subnet(&caller(), input).unwrap();
    delete(&world, &second).unwrap();
}

#[test]
fn another_table_becomes_the_main_one() {
    let world = World::new();
    let vpc = world.vpc("10.0.0.0/16");
    let main = || {
        let filters = vec![filter("association.main", &["true"]), filter("vpc-id", &[&vpc])];
        let input = DescribeRouteTablesRequest { filters, ..Default::default() };
        let mut found = world.control.describe_route_tables(&caller(), input).unwrap().route_tables;
        assert_eq!(found.len(), 1);
        let table = found.remove(0);
        (table.route_table_id.unwrap(), table.associations[0].route_table_association_id.clone().unwrap())
    };
    let (old, association) = main();
    refused(delete(&world, &old), "DependencyViolation", "has dependencies");
    let input = DisassociateRouteTableRequest { association_id: some(&association), dry_run: None };
    refused(
        world.control.disassociate_route_table(&caller(), input),
        "InvalidParameterValue",
        "cannot disassociate the main route table association",
    );
    let new = world.table(&vpc);
    let input = ReplaceRouteTableAssociationRequest {
        association_id: some(&association),
        route_table_id: some(&new),
        dry_run: None,
    };
    let answer = world.control.replace_route_table_association(&caller(), input).unwrap();
    assert_eq!(main(), (new.clone(), answer.new_association_id.unwrap()));
    // The old one is a table as any other now: it stands in the way of the VPC's deletion, and may go.
    let delete_vpc =
        || world.control.delete_vpc(&caller(), DeleteVpcRequest { vpc_id: some(&vpc), dry_run: None });
    refused(delete_vpc(), "DependencyViolation", &in_use(&vpc));
    delete(&world, &old).unwrap();
    delete_vpc().unwrap();
    assert_eq!(
        world.store.snapshot().route_tables.values().filter(|table| table.vpc.as_str() == vpc).count(),
        0
    );
}
