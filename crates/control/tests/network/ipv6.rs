//! IPv6: ranges of VPCs and subnets, and what comes with them; addresses of interfaces.

use std::net::Ipv6Addr;

use ipnet::Ipv6Net;
use linkway_model::image::Image;
use linkway_wire::ApiError;
use linkway_wire::ec2::*;

use crate::world::{World, caller, caller_of, filter, refused, some};

fn associate(world: &World, vpc: &str) -> Result<VpcIpv6CidrBlockAssociation, ApiError> {
    let input = AssociateVpcCidrBlockRequest {
        vpc_id: some(vpc),
        amazon_provided_ipv6_cidr_block: Some(true),
        ..Default::default()
    };
    let made = world.control.associate_vpc_cidr_block(&caller(), input)?;
    Ok(made.ipv6_cidr_block_association.unwrap())
}

fn vpcs(world: &World, name: &str, value: &str) -> Vec<Vpc> {
    let input = DescribeVpcsRequest { filters: vec![filter(name, &[value])], ..Default::default() };
    world.control.describe_vpcs(&caller(), input).unwrap().vpcs
}

/// A VPC with an IPv6 range: its id and the range.
fn vpc(world: &World) -> (String, Ipv6Net) {
    let input = CreateVpcRequest {
        cidr_block: some("10.0.0.0/16"),
        amazon_provided_ipv6_cidr_block: Some(true),
        ..Default::default()
    };
    let made = world.control.create_vpc(&caller(), input).unwrap().vpc.unwrap();
    let range = &made.ipv6_cidr_block_association_set[0];
    (made.vpc_id.unwrap(), range.ipv6_cidr_block.as_ref().unwrap().parse().unwrap())
}

/// The `number`th /64 of a range.
fn part(range: Ipv6Net, number: usize) -> String {
    range.subnets(64).unwrap().nth(number).unwrap().to_string()
}

fn create_subnet(world: &World, vpc: &str, v4: &str, v6: &str) -> Result<Subnet, ApiError> {
    let input = CreateSubnetRequest {
        vpc_id: some(vpc),
        cidr_block: some(v4),
        ipv6_cidr_block: some(v6),
        ..Default::default()
    };
    world.control.create_subnet(&caller(), input).map(|made| made.subnet.unwrap())
}

/// A subnet with an IPv6 range: its id and the range.
fn subnet(world: &World) -> (String, Ipv6Net) {
    let (vpc, range) = vpc(world);
    let text = part(range, 1);
    let made = create_subnet(world, &vpc, "10.0.0.0/24", &text).unwrap();
    (made.subnet_id.unwrap(), text.parse().unwrap())
}

fn describe_subnet(world: &World, id: &str) -> Subnet {
    let input = DescribeSubnetsRequest { subnet_ids: vec![id.into()], ..Default::default() };
    world.control.describe_subnets(&caller(), input).unwrap().subnets.remove(0)
}

fn modify_subnet(
    world: &World,
    id: &str,
    change: impl FnOnce(&mut ModifySubnetAttributeRequest, Option<AttributeBooleanValue>),
    value: bool,
) -> Result<(), ApiError> {
    let mut input = ModifySubnetAttributeRequest { subnet_id: some(id), ..Default::default() };
    change(&mut input, Some(AttributeBooleanValue { value: Some(value) }));
    world.control.modify_subnet_attribute(&caller(), input)
}

fn assign_on_creation(world: &World, id: &str, value: bool) -> Result<(), ApiError> {
    modify_subnet(world, id, |input, value| input.assign_ipv6_address_on_creation = value, value)
}

fn interface(world: &World, input: CreateNetworkInterfaceRequest) -> Result<NetworkInterface, ApiError> {
    world.control.create_network_interface(&caller(), input).map(|made| made.network_interface.unwrap())
}

fn addresses(interface: &NetworkInterface) -> Vec<Ipv6Addr> {
    let text =
        |address: &NetworkInterfaceIpv6Address| address.ipv6_address.as_ref().unwrap().parse().unwrap();
    interface.ipv6_addresses.iter().map(text).collect()
}

fn describe_interface(world: &World, id: &str) -> NetworkInterface {
    let input =
        DescribeNetworkInterfacesRequest { network_interface_ids: vec![id.into()], ..Default::default() };
    world.control.describe_network_interfaces(&caller(), input).unwrap().network_interfaces.remove(0)
}

fn given(address: Ipv6Addr) -> Vec<InstanceIpv6Address> {
    vec![InstanceIpv6Address { ipv6_address: Some(address.to_string()), is_primary_ipv6: None }]
}

#[test]
fn a_vpc_gets_ranges_that_nobody_else_has() {
    let world = World::new();
    let (first, range) = vpc(&world);
    assert_eq!(range.prefix_len(), 56);
    assert!("2001:db8::/32".parse::<Ipv6Net>().unwrap().contains(&range));
    let shown = vpcs(&world, "ipv6-cidr-block-association.ipv6-cidr-block", &range.to_string()).remove(0);
    assert_eq!(shown.vpc_id.as_deref(), Some(&*first));
    let association = &shown.ipv6_cidr_block_association_set[0];
    let state = association.ipv6_cidr_block_state.as_ref().unwrap().state.as_deref();
    assert_eq!((state, association.ipv6_pool.as_deref()), (Some("associated"), Some("Amazon")));
    assert_eq!(association.network_border_group.as_deref(), Some("us-east-1"));

    let second = world.vpc("10.0.0.0/16");
    let ranges: Vec<_> = (0..5).map(|_| associate(&world, &second).unwrap()).collect();
    let words = format!("This network {second} has met its maximum number of allowed CIDRs: 5");
    refused(associate(&world, &second), "CidrLimitExceeded", &words);
    let nets: std::collections::BTreeSet<_> = ranges.iter().map(|range| &range.ipv6_cidr_block).collect();
    assert_eq!(nets.len(), 5);
    assert!(!nets.contains(&Some(range.to_string())));
    let id = ranges[2].association_id.as_deref().unwrap();
    assert_eq!(vpcs(&world, "ipv6-cidr-block-association.association-id", id).len(), 1);
    assert_eq!(vpcs(&world, "ipv6-cidr-block-association.state", "associated").len(), 2);

    let remove = |id: &str| {
        let input = DisassociateVpcCidrBlockRequest { association_id: some(id) };
        world.control.disassociate_vpc_cidr_block(&caller(), input)
    };
    let removed = remove(id).unwrap().ipv6_cidr_block_association.unwrap();
    assert_eq!(removed.ipv6_cidr_block_state.unwrap().state.as_deref(), Some("disassociating"));
    refused(remove(id), "InvalidVpcCidrBlockAssociationID.NotFound", id);
}

#[test]
fn what_a_vpcs_range_cannot_be() {
    let world = World::new();
    let create = |input: CreateVpcRequest| {
        world.control.create_vpc(&caller(), CreateVpcRequest { cidr_block: some("10.0.0.0/16"), ..input })
    };
    let own = CreateVpcRequest { ipv6_cidr_block: some("2001:db8::/56"), ..Default::default() };
    refused(create(own), "UnsupportedOperation", "Amazon-provided");
    let group =
        CreateVpcRequest { ipv6_cidr_block_network_border_group: some("us-east-1"), ..Default::default() };
    refused(create(group.clone()), "InvalidParameterCombination", "amazonProvidedIpv6CidrBlock");
    let group = CreateVpcRequest { amazon_provided_ipv6_cidr_block: Some(true), ..group };
    create(group.clone()).unwrap();
    let elsewhere = CreateVpcRequest { ipv6_cidr_block_network_border_group: some("us-west-2"), ..group };
    refused(create(elsewhere), "InvalidParameterValue", "us-west-2");
    let both = AssociateVpcCidrBlockRequest {
        vpc_id: some(&world.vpc("10.0.0.0/16")),
        amazon_provided_ipv6_cidr_block: Some(true),
        cidr_block: some("10.1.0.0/16"),
        ..Default::default()
    };
    refused(
        world.control.associate_vpc_cidr_block(&caller(), both),
        "InvalidParameterCombination",
        "cidrBlock",
    );
}

#[test]
fn with_the_first_range_come_routes_rules_and_entries() {
    let world = World::new();
    let vpc = world.vpc("10.0.0.0/16");
    let outward = |group: &SecurityGroup| group.ip_permissions_egress[0].ipv6_ranges.len();
    let before = world.describe_group(&world.group(&vpc, "before"));
    let table = world.table(&vpc);
    associate(&world, &vpc).unwrap();
    let made = associate(&world, &vpc).unwrap();
    assert_eq!(outward(&before), 0);
    assert_eq!(outward(&world.describe_group(&world.group(&vpc, "after"))), 1);
    let of_vpc = vec![filter("vpc-id", &[&vpc])];
    let input = DescribeSecurityGroupsRequest {
        filters: [of_vpc.clone(), vec![filter("group-name", &["default"])]].concat(),
        ..Default::default()
    };
    let default = world.control.describe_security_groups(&caller(), input).unwrap().security_groups;
    assert_eq!(outward(&default[0]), 1);

    let input = DescribeNetworkAclsRequest { filters: of_vpc, ..Default::default() };
    let acl = world.control.describe_network_acls(&caller(), input).unwrap().network_acls.remove(0);
    let entries = acl.entries.iter().filter(|entry| entry.ipv6_cidr_block.as_deref() == Some("::/0"));
    let entries: Vec<_> = entries
        .map(|entry| {
            (entry.egress.unwrap(), entry.rule_number.unwrap(), entry.rule_action.as_deref().unwrap())
        })
        .collect();
    let wanted = [(true, 101, "allow"), (true, 32768, "deny"), (false, 101, "allow"), (false, 32768, "deny")];
    assert_eq!(entries, wanted);

    let range = made.ipv6_cidr_block.unwrap();
    let local = world.describe_table(&table).routes;
    let local =
        local.iter().find(|route| route.destination_ipv6_cidr_block.as_ref() == Some(&range)).unwrap();
    assert_eq!((local.gateway_id.as_deref(), &local.destination_cidr_block), (Some("local"), &None));
    let route = CreateRouteRequest {
        route_table_id: some(&table),
        destination_ipv6_cidr_block: Some(range),
        gateway_id: Some(world.gateway(&vpc)),
        ..Default::default()
    };
    refused(world.control.create_route(&caller(), route), "InvalidParameterValue", "more specific");
}

#[test]
fn changed_defaults_stay_as_they_are() {
    let world = World::new();
    let vpc = world.vpc("10.0.0.0/16");
    let acl = || {
        let input =
            DescribeNetworkAclsRequest { filters: vec![filter("vpc-id", &[&vpc])], ..Default::default() };
        world.control.describe_network_acls(&caller(), input).unwrap().network_acls.remove(0)
    };
    let input = DeleteNetworkAclEntryRequest {
        network_acl_id: acl().network_acl_id,
        rule_number: Some(100),
        egress: Some(false),
        dry_run: None,
    };
    world.control.delete_network_acl_entry(&caller(), input).unwrap();
    associate(&world, &vpc).unwrap();
    let allowed: Vec<_> = acl()
        .entries
        .into_iter()
        .filter(|entry| entry.rule_number == Some(101))
        .map(|entry| entry.egress)
        .collect();
    assert_eq!(allowed, [Some(true)]);
}

#[test]
fn a_subnets_range_is_a_part_of_its_vpcs() {
    let world = World::new();
    let (vpc, range) = vpc(&world);
    let create = |v6: &str| create_subnet(&world, &vpc, "10.0.0.0/24", v6);
    refused(create("x"), "InvalidParameterValue", "ipv6CidrBlock");
    let odd = format!("{}/62", range.network());
    refused(create(&odd), "InvalidParameterValue", "invalid value for parameter ipv6-cidr-block");
    refused(create("fd00::/64"), "InvalidSubnet.Range", "The IPv6 CIDR 'fd00::/64' is invalid.");
    let made = create(&part(range, 1)).unwrap();
    let id = made.subnet_id.unwrap();
    let again = create_subnet(&world, &vpc, "10.0.1.0/24", &part(range, 1));
    refused(again, "InvalidSubnet.Conflict", "conflicts with another subnet");
    let input = DescribeSubnetsRequest {
        filters: vec![filter("ipv6-cidr-block-association.ipv6-cidr-block", &[&part(range, 1)])],
        ..Default::default()
    };
    assert_eq!(world.control.describe_subnets(&caller(), input).unwrap().subnets.len(), 1);

    let bare = world.subnet(&vpc, "10.0.1.0/24");
    let input = |block: &str| AssociateSubnetCidrBlockRequest {
        subnet_id: some(&bare),
        ipv6_cidr_block: some(block),
        ..Default::default()
    };
    let made = world.control.associate_subnet_cidr_block(&caller(), input(&part(range, 2))).unwrap();
    let association = made.ipv6_cidr_block_association.unwrap();
    assert_eq!(association.ipv6_cidr_block_state.unwrap().state.as_deref(), Some("associating"));
    let more = world.control.associate_subnet_cidr_block(&caller(), input(&part(range, 3)));
    refused(more, "CidrLimitExceeded", &bare);
    assert_eq!(describe_subnet(&world, &bare).ipv6_cidr_block_association_set.len(), 1);

    let vpc_association = vpcs(&world, "vpc-id", &vpc).remove(0).ipv6_cidr_block_association_set.remove(0);
    let input = DisassociateVpcCidrBlockRequest { association_id: vpc_association.association_id };
    let words = format!("The vpc {vpc} currently has a subnet within CIDR block {range}");
    refused(world.control.disassociate_vpc_cidr_block(&caller(), input), "InvalidCidrBlock.InUse", &words);

    let remove = |id: &str| {
        let input = DisassociateSubnetCidrBlockRequest { association_id: some(id) };
        world.control.disassociate_subnet_cidr_block(&caller(), input)
    };
    refused(remove("x"), "InvalidSubnetCidrBlockAssociationId.Malformed", "association ID x is malformed");
    let association = association.association_id.unwrap();
    let stranger = DisassociateSubnetCidrBlockRequest { association_id: some(&association) };
    let stranger =
        world.control.disassociate_subnet_cidr_block(&caller_of("222222222222", "us-east-1"), stranger);
    refused(stranger, "InvalidSubnetCidrBlockAssociationID.NotFound", &association);
    remove(&association).unwrap();
    assert!(describe_subnet(&world, &bare).ipv6_cidr_block_association_set.is_empty());
    assert_eq!(describe_subnet(&world, &id).ipv6_cidr_block_association_set.len(), 1);
}

#[test]
fn attributes_that_need_a_range() {
    let world = World::new();
    let (id, _) = subnet(&world);
    let bare = world.subnet(&world.vpc("10.0.0.0/16"), "10.0.0.0/24");
    let words = format!(
        "Invalid value 'true' for assign-ipv6-address-on-creation. Cannot set assign-ipv6-address-on-creation to true \
         unless the subnet ({bare}) has an IPv6 CIDR block associated with it."
    );
    refused(assign_on_creation(&world, &bare, true), "InvalidParameterValue", &words);
    assign_on_creation(&world, &bare, false).unwrap();
    assign_on_creation(&world, &id, true).unwrap();
    modify_subnet(&world, &id, |input, value| input.enable_dns64 = value, true).unwrap();
    let aaaa = |input: &mut ModifySubnetAttributeRequest, value| {
        input.enable_resource_name_dns_aaaa_record_on_launch = value;
    };
    modify_subnet(&world, &id, aaaa, true).unwrap();
    let shown = describe_subnet(&world, &id);
    assert_eq!((shown.assign_ipv6_address_on_creation, shown.enable_dns64), (Some(true), Some(true)));
    let options = shown.private_dns_name_options_on_launch.unwrap();
    assert_eq!(options.enable_resource_name_dns_aaaa_record, Some(true));

    let association = shown.ipv6_cidr_block_association_set[0].association_id.clone();
    let remove = || {
        let input = DisassociateSubnetCidrBlockRequest { association_id: association.clone() };
        world.control.disassociate_subnet_cidr_block(&caller(), input)
    };
    let words =
        "may not be disassociated, because its subnet has assign-ipv6-address-on-creation set to true.";
    refused(remove(), "InvalidCidrBlock.InUse", words);
    assign_on_creation(&world, &id, false).unwrap();
    modify_subnet(&world, &id, |input, value| input.enable_dns64 = value, false).unwrap();
    modify_subnet(&world, &id, aaaa, false).unwrap();
    let input = CreateNetworkInterfaceRequest {
        subnet_id: some(&id),
        ipv6_address_count: Some(1),
        ..Default::default()
    };
    let made = interface(&world, input).unwrap().network_interface_id.unwrap();
    refused(remove(), "InvalidCidrBlock.InUse", &made);
    let input = DeleteNetworkInterfaceRequest { network_interface_id: Some(made), dry_run: None };
    world.control.delete_network_interface(&caller(), input).unwrap();
    remove().unwrap();
}

#[test]
fn interfaces_are_made_with_addresses() {
    let world = World::new();
    let (id, range) = subnet(&world);
    let asked = || CreateNetworkInterfaceRequest { subnet_id: some(&id), ..Default::default() };
    let nth = |number: u128| Ipv6Addr::from(u128::from(range.network()) + number);
    assert_eq!(addresses(&interface(&world, asked()).unwrap()), [] as [Ipv6Addr; 0]);
    let counted = CreateNetworkInterfaceRequest { ipv6_address_count: Some(3), ..asked() };
    let counted = interface(&world, counted).unwrap();
    assert_eq!(addresses(&counted).len(), 3);
    assert!(addresses(&counted).iter().all(|address| range.contains(address)));
    assert_eq!(counted.ipv6_address, counted.ipv6_addresses[0].ipv6_address);

    let named = |address| CreateNetworkInterfaceRequest { ipv6_addresses: given(address), ..asked() };
    assert_eq!(addresses(&interface(&world, named(nth(16))).unwrap()), [nth(16)]);
    refused(interface(&world, named(nth(16))), "InvalidIPAddress.InUse", &nth(16).to_string());
    refused(interface(&world, named(nth(3))), "InvalidParameterValue", "reserved");
    refused(interface(&world, named("fd00::9".parse().unwrap())), "InvalidParameterValue", "range");
    let both = CreateNetworkInterfaceRequest { ipv6_address_count: Some(1), ..named(nth(17)) };
    refused(interface(&world, both), "InvalidParameterCombination", "ipv6AddressCount");
    let prefix = CreateNetworkInterfaceRequest { ipv6_prefix_count: Some(1), ..asked() };
    refused(interface(&world, prefix), "UnsupportedOperation", "prefixes");
    let many = CreateNetworkInterfaceRequest { ipv6_address_count: Some(51), ..asked() };
    refused(interface(&world, many), "PrivateIpAddressLimitExceeded", "");

    assign_on_creation(&world, &id, true).unwrap();
    assert_eq!(addresses(&interface(&world, asked()).unwrap()).len(), 1);
    let none = CreateNetworkInterfaceRequest { ipv6_address_count: Some(0), ..asked() };
    assert!(addresses(&interface(&world, none).unwrap()).is_empty());

    let bare = world.subnet(&world.vpc("10.0.0.0/16"), "10.0.0.0/24");
    let nowhere = CreateNetworkInterfaceRequest {
        subnet_id: some(&bare),
        ipv6_address_count: Some(1),
        ..Default::default()
    };
    let words = "Subnet does not contain any IPv6 CIDR block ranges";
    refused(interface(&world, nowhere), "InvalidParameterValue", words);
    let input = DescribeNetworkInterfacesRequest {
        filters: vec![filter("ipv6-addresses.ipv6-address", &[&nth(16).to_string()])],
        ..Default::default()
    };
    assert_eq!(
        world.control.describe_network_interfaces(&caller(), input).unwrap().network_interfaces.len(),
        1
    );
}

#[test]
fn addresses_come_and_go() {
    let world = World::new();
    let (subnet, range) = subnet(&world);
    let address = |number: u128| Ipv6Addr::from(u128::from(range.network()) + number).to_string();
    let id = world.create_interface(&subnet).unwrap().network_interface_id.unwrap();
    let assign = |addresses: &[String], count: Option<i32>| {
        let input = AssignIpv6AddressesRequest {
            network_interface_id: some(&id),
            ipv6_addresses: addresses.to_vec(),
            ipv6_address_count: count,
            ..Default::default()
        };
        world.control.assign_ipv6_addresses(&caller(), input).map(|made| made.assigned_ipv6_addresses)
    };
    let unassign = |addresses: &[String]| {
        let input = UnassignIpv6AddressesRequest {
            network_interface_id: some(&id),
            ipv6_addresses: addresses.to_vec(),
            ..Default::default()
        };
        world.control.unassign_ipv6_addresses(&caller(), input).map(|made| made.unassigned_ipv6_addresses)
    };
    let primary = |enable| {
        let input = ModifyNetworkInterfaceAttributeRequest {
            network_interface_id: some(&id),
            enable_primary_ipv6: Some(enable),
            ..Default::default()
        };
        world.control.modify_network_interface_attribute(&caller(), input)
    };
    refused(assign(&[], None), "MissingParameter", "ipv6Addresses");
    refused(assign(&[address(9)], Some(1)), "InvalidParameterCombination", "ipv6AddressCount");
    refused(primary(true), "InvalidParameterCombination", "without an IPv6 address");
    let first = assign(&[address(9)], None).unwrap();
    assert_eq!(first, [address(9)]);
    assert_eq!(assign(&[address(9)], None).unwrap(), first, "what it has, it keeps");
    let more = assign(&[], Some(2)).unwrap();
    assert_eq!(addresses(&describe_interface(&world, &id)).len(), 3);
    refused(assign(&[], Some(48)), "PrivateIpAddressLimitExceeded", "");
    refused(unassign(&[address(10)]), "InvalidParameterValue", "not assigned");
    refused(unassign(&[]), "MissingParameter", "ipv6Addresses");

    primary(true).unwrap();
    let flags: Vec<_> = describe_interface(&world, &id)
        .ipv6_addresses
        .iter()
        .map(|one| one.is_primary_ipv6.unwrap())
        .collect();
    assert_eq!(flags, [true, false, false]);
    refused(primary(false), "InvalidParameterValue", "cannot be disabled");
    refused(unassign(&first), "InvalidParameterValue", "cannot be unassigned");
    assert_eq!(unassign(&more).unwrap(), more);
    assert_eq!(addresses(&describe_interface(&world, &id)).len(), 1);
}

#[test]
fn instances_have_addresses() {
    let world = World::new();
    let (subnet, range) = subnet(&world);
    let launch = |input: RunInstancesRequest| {
        let input = RunInstancesRequest {
            image_id: some(Image::host("us-east-1").id.as_str()),
            min_count: Some(1),
            max_count: input.max_count.or(Some(1)),
            ..input
        };
        world.control.run_instances(&caller(), input).map(|mut made| made.instances.remove(0))
    };
    let here = || RunInstancesRequest { subnet_id: some(&subnet), ..Default::default() };
    let plain = launch(here()).unwrap();
    assert_eq!((plain.ipv6_address, plain.network_interfaces[0].ipv6_addresses.len()), (None, 0));
    let two = RunInstancesRequest { ipv6_address_count: Some(2), enable_primary_ipv6: Some(true), ..here() };
    let two = launch(two).unwrap();
    let its = &two.network_interfaces[0].ipv6_addresses;
    assert_eq!((its.len(), its[0].is_primary_ipv6, its[1].is_primary_ipv6), (2, Some(true), Some(false)));
    assert_eq!(two.ipv6_address, its[0].ipv6_address);

    let address = Ipv6Addr::from(u128::from(range.network()) + 77);
    let named = RunInstancesRequest { ipv6_addresses: given(address), ..here() };
    refused(
        launch(RunInstancesRequest { max_count: Some(2), ..named.clone() }),
        "InvalidParameterCombination",
        "one instance only",
    );
    let named = launch(named).unwrap();
    let specification = InstanceNetworkInterfaceSpecification {
        device_index: Some(0),
        subnet_id: some(&subnet),
        ipv6_address_count: Some(1),
        ..Default::default()
    };
    let by_interface = RunInstancesRequest { network_interfaces: vec![specification], ..Default::default() };
    let twice = RunInstancesRequest { ipv6_address_count: Some(1), ..by_interface.clone() };
    refused(launch(twice), "InvalidParameterCombination", "instance-level IPv6 address");
    assert_eq!(launch(by_interface).unwrap().network_interfaces[0].ipv6_addresses.len(), 1);
    assign_on_creation(&world, &subnet, true).unwrap();
    assert!(launch(here()).unwrap().ipv6_address.is_some());

    let found = |name: &str, value: &str| {
        let input = DescribeInstancesRequest { filters: vec![filter(name, &[value])], ..Default::default() };
        let found = world.control.describe_instances(&caller(), input).unwrap().reservations;
        found.into_iter().flat_map(|one| one.instances).map(|one| one.instance_id).collect::<Vec<_>>()
    };
    assert_eq!(found("ipv6-address", &address.to_string()), std::slice::from_ref(&named.instance_id));
    let everywhere = "network-interface.ipv6-addresses.ipv6-address";
    assert_eq!(found(everywhere, &address.to_string()), [named.instance_id]);
    assert_eq!(found("network-interface.ipv6-addresses.is-primary-ipv6", "true"), [two.instance_id]);
}
