use linkway_model::nat_gateway::NatGatewayState;
use linkway_wire::ApiError;
use linkway_wire::ec2::*;

use crate::world::{World, caller, filter, refused, some};

/// A subnet of a VPC with an internet gateway.
fn place(world: &World) -> (String, String) {
    let vpc = world.vpc("10.0.0.0/16");
    world.gateway(&vpc);
    let subnet = world.subnet(&vpc, "10.0.0.0/24");
    (vpc, subnet)
}

fn public(subnet: &str, allocation: &str) -> CreateNatGatewayRequest {
    CreateNatGatewayRequest { subnet_id: some(subnet), allocation_id: some(allocation), ..Default::default() }
}

fn private(subnet: &str) -> CreateNatGatewayRequest {
    CreateNatGatewayRequest {
        subnet_id: some(subnet),
        connectivity_type: some("private"),
        ..Default::default()
    }
}

fn create(world: &World, input: CreateNatGatewayRequest) -> Result<NatGateway, ApiError> {
    world.control.create_nat_gateway(&caller(), input).map(|answer| answer.nat_gateway.unwrap())
}

fn describe(world: &World, id: &str) -> Result<NatGateway, ApiError> {
    let input = DescribeNatGatewaysRequest { nat_gateway_ids: vec![id.into()], ..Default::default() };
    world.control.describe_nat_gateways(&caller(), input).map(|mut answer| answer.nat_gateways.remove(0))
}

fn delete(world: &World, id: &str) -> Result<DeleteNatGatewayResult, ApiError> {
    let input = DeleteNatGatewayRequest { nat_gateway_id: some(id), dry_run: None };
    world.control.delete_nat_gateway(&caller(), input)
}

#[test]
fn a_public_gateway_lives_from_pending_to_deleted() {
    let world = World::new();
    let (vpc, subnet) = place(&world);
    let (allocation, address) = world.address();
    let made = create(&world, public(&subnet, &allocation)).unwrap();
    assert_eq!(made.state.as_deref(), Some("pending"));
    assert_eq!(made.connectivity_type.as_deref(), Some("public"));
    assert_eq!(
        (made.vpc_id.as_deref(), made.subnet_id.as_deref()),
        (Some(vpc.as_str()), Some(subnet.as_str()))
    );
    let [its] = &made.nat_gateway_addresses[..] else { panic!("{made:?}") };
    assert_eq!((its.public_ip.as_deref(), its.is_primary), (Some(address.as_str()), Some(true)));
    assert_eq!((its.private_ip.as_deref(), its.status.as_deref()), (Some("10.0.0.4"), Some("succeeded")));
    assert!(its.association_id.is_some());
    let id = made.nat_gateway_id.clone().unwrap();

    let input = DescribeNetworkInterfacesRequest {
        network_interface_ids: vec![its.network_interface_id.clone().unwrap()],
        ..Default::default()
    };
    let interface =
        world.control.describe_network_interfaces(&caller(), input).unwrap().network_interfaces.remove(0);
    assert_eq!(interface.interface_type.as_deref(), Some("nat_gateway"));
    assert_eq!(interface.description, Some(format!("Interface for NAT Gateway {id}")));
    assert_eq!((interface.requester_managed, interface.status.as_deref()), (Some(true), Some("in-use")));
    assert_eq!(interface.source_dest_check, Some(false));
    assert_eq!(interface.association.unwrap().public_ip, Some(address));

    world.advance();
    assert_eq!(describe(&world, &id).unwrap().state.as_deref(), Some("available"));
    let table = world.table(&vpc);
    let input = CreateRouteRequest {
        route_table_id: some(&table),
        destination_cidr_block: some("0.0.0.0/0"),
        nat_gateway_id: some(&id),
        ..Default::default()
    };
    world.control.create_route(&caller(), input).unwrap();
    let route = || world.describe_table(&table).routes.remove(1);
    assert_eq!((route().nat_gateway_id, route().state.as_deref()), (Some(id.clone()), Some("active")));

    // Nobody takes its address or its subnet away.
    let release = || {
        let input = ReleaseAddressRequest { allocation_id: some(&allocation), ..Default::default() };
        world.control.release_address(&caller(), input)
    };
    refused(release(), "InvalidIPAddress.InUse", "is in use");
    let input =
        DisassociateAddressRequest { association_id: its.association_id.clone(), ..Default::default() };
    refused(world.control.disassociate_address(&caller(), input), "AuthFailure", "do not have permission");
    let remove_subnet = || {
        let input = DeleteSubnetRequest { subnet_id: some(&subnet), dry_run: None };
        world.control.delete_subnet(&caller(), input)
    };
    refused(remove_subnet(), "DependencyViolation", "has dependencies");

    assert_eq!(delete(&world, &id).unwrap().nat_gateway_id, Some(id.clone()));
    assert_eq!(describe(&world, &id).unwrap().state.as_deref(), Some("deleting"));
    assert_eq!(route().state.as_deref(), Some("blackhole"));
    refused(release(), "InvalidIPAddress.InUse", "is in use");
    world.advance();
    let gone = describe(&world, &id).unwrap();
    assert_eq!(gone.state.as_deref(), Some("deleted"));
    assert!(gone.delete_time.is_some());
    release().unwrap();
    remove_subnet().unwrap();
    // Shown for an hour.
    *world.clock.lock().unwrap() += jiff::SignedDuration::from_mins(61);
    world.advance();
    let words = format!("The Nat Gateway {id} was not found");
    refused(describe(&world, &id), "NatGatewayNotFound", &words);
    refused(delete(&world, &id), "NatGatewayNotFound", &words);
    refused(delete(&world, "nat-x"), "NatGatewayMalformed", "nat-x");
}

#[test]
fn a_private_gateway_needs_no_way_out() {
    let world = World::new();
    let subnet = world.subnet(&world.vpc("10.0.0.0/16"), "10.0.0.0/24");
    let input = CreateNatGatewayRequest { private_ip_address: some("10.0.0.77"), ..private(&subnet) };
    let made = create(&world, input).unwrap();
    assert_eq!(made.connectivity_type.as_deref(), Some("private"));
    let its = &made.nat_gateway_addresses[0];
    assert_eq!(
        (its.private_ip.as_deref(), &its.public_ip, &its.allocation_id),
        (Some("10.0.0.77"), &None, &None)
    );
    world.advance();
    let filters = vec![filter("state", &["available"]), filter("subnet-id", &[&subnet])];
    let input = DescribeNatGatewaysRequest { filter: filters, ..Default::default() };
    assert_eq!(world.control.describe_nat_gateways(&caller(), input).unwrap().nat_gateways.len(), 1);
}

#[test]
fn what_is_wrong_with_the_way_out_shows_in_the_state() {
    let world = World::new();
    let (_, subnet) = place(&world);
    let (allocation, _) = world.address();
    let fails = |subnet: &str, allocation: &str, code: &str, message: &str| {
        let made = create(&world, public(subnet, allocation)).unwrap();
        assert_eq!((made.state.as_deref(), made.failure_code), (Some("pending"), None));
        world.advance();
        let id = made.nat_gateway_id.unwrap();
        let failed = describe(&world, &id).unwrap();
        assert_eq!(failed.state.as_deref(), Some("failed"));
        assert_eq!(
            (failed.failure_code.as_deref(), failed.failure_message.as_deref()),
            (Some(code), Some(message))
        );
        delete(&world, &id).unwrap();
        world.advance();
        assert_eq!(describe(&world, &id).unwrap().state.as_deref(), Some("deleted"));
    };
    let closed = world.vpc("10.0.0.0/16");
    let inside = world.subnet(&closed, "10.0.0.0/24");
    let words = format!("Network {closed} has no Internet gateway attached");
    fails(&inside, &allocation, "Gateway.NotAttached", &words);
    let unknown = "eipalloc-0123456789abcdef0";
    let words = format!("Elastic IP address {unknown} could not be associated with this NAT gateway");
    fails(&subnet, unknown, "InvalidAllocationID.NotFound", &words);
    create(&world, public(&subnet, &allocation)).unwrap();
    let words = format!("Elastic IP address {allocation} is already associated");
    fails(&subnet, &allocation, "Resource.AlreadyAssociated", &words);
    let live = world.store.snapshot();
    assert_eq!(
        live.nat_gateways.values().filter(|found| found.state == NatGatewayState::Available).count(),
        1
    );
    assert_eq!(live.network_interfaces.len(), 1);
}

#[test]
fn requests_are_checked_and_acted_on_once() {
    let world = World::new();
    let (_, subnet) = place(&world);
    let (allocation, _) = world.address();
    let token = |input| CreateNatGatewayRequest { client_token: some("one"), ..input };
    let first = create(&world, token(private(&subnet))).unwrap();
    assert_eq!(create(&world, token(private(&subnet))).unwrap().nat_gateway_id, first.nat_gateway_id);
    refused(create(&world, token(public(&subnet, &allocation))), "IdempotentParameterMismatch", "");

    let no_address = CreateNatGatewayRequest { allocation_id: None, ..public(&subnet, "") };
    refused(create(&world, no_address), "MissingParameter", "AllocationId");
    let both = CreateNatGatewayRequest { allocation_id: some(&allocation), ..private(&subnet) };
    refused(create(&world, both), "InvalidParameterCombination", "AllocationId");
    let strange = CreateNatGatewayRequest { connectivity_type: some("both"), ..private(&subnet) };
    refused(create(&world, strange), "InvalidParameterValue", "both");
    let regional = CreateNatGatewayRequest { availability_mode: some("regional"), ..private(&subnet) };
    refused(create(&world, regional), "UnsupportedOperation", "zonal");
    let more = CreateNatGatewayRequest { secondary_private_ip_address_count: Some(1), ..private(&subnet) };
    refused(create(&world, more), "UnsupportedOperation", "one address");
    refused(create(&world, public(&subnet, "eipalloc-x")), "InvalidAllocationID.NotFound", "eipalloc-x");
    refused(create(&world, private("subnet-0123456789abcdef0")), "InvalidSubnetID.NotFound", "subnet-0");
    let taken = CreateNatGatewayRequest { private_ip_address: some("10.0.0.4"), ..private(&subnet) };
    refused(create(&world, taken), "InvalidIPAddress.InUse", "10.0.0.4");
    let dry = CreateNatGatewayRequest { dry_run: Some(true), ..private(&subnet) };
    refused(create(&world, dry), "DryRunOperation", "");
    assert_eq!(world.store.snapshot().nat_gateways.len(), 1);
}
