use linkway_wire::ApiError;
use linkway_wire::ec2::*;

use crate::world::{World, caller, filter, refused, some};

fn create(
    world: &World,
    subnet: &str,
    change: impl FnOnce(&mut CreateNetworkInterfaceRequest),
) -> Result<NetworkInterface, ApiError> {
    let mut input = CreateNetworkInterfaceRequest { subnet_id: some(subnet), ..Default::default() };
    change(&mut input);
    world.control.create_network_interface(&caller(), input).map(|answer| answer.network_interface.unwrap())
}

fn show(world: &World, id: &str) -> NetworkInterface {
    let input =
        DescribeNetworkInterfacesRequest { network_interface_ids: vec![id.into()], ..Default::default() };
    world.control.describe_network_interfaces(&caller(), input).unwrap().network_interfaces.remove(0)
}

#[test]
fn an_interface_gets_an_address_and_the_default_group() {
    let world = World::new();
    let subnet = world.subnet(&world.vpc("10.0.0.0/16"), "10.0.7.0/24");
    let made = create(&world, &subnet, |input| input.description = some("mine")).unwrap();
    assert_eq!(made.status.as_deref(), Some("pending"));
    let shown = show(&world, made.network_interface_id.as_deref().unwrap());
    assert_eq!(shown.status.as_deref(), Some("available"));
    assert_eq!(shown.private_ip_address.as_deref(), Some("10.0.7.4"));
    assert_eq!(shown.private_dns_name.as_deref(), Some("ip-10-0-7-4.ec2.internal"));
    assert_eq!(shown.groups[0].group_name.as_deref(), Some("default"));
    assert_eq!(shown.interface_type.as_deref(), Some("interface"));
    assert_eq!(shown.requester_managed, Some(false));
    assert_eq!(shown.attachment, None);
    assert_eq!(shown.availability_zone.as_deref(), Some("us-east-1a"));
    assert_eq!(shown.private_ip_addresses[0].primary, Some(true));
}

#[test]
fn addresses_are_the_subnets_and_nobody_elses() {
    let world = World::new();
    let subnet = world.subnet(&world.vpc("10.0.0.0/16"), "10.0.0.0/28");
    let at = |address: &str| create(&world, &subnet, |input| input.private_ip_address = some(address));
    at("10.0.0.9").unwrap();
    refused(at("10.0.0.9"), "InvalidIPAddress.InUse", "Address 10.0.0.9 is in use.");
    let outside = "Address 10.0.0.16 does not fall within the subnet's address range";
    refused(at("10.0.0.16"), "InvalidParameterValue", outside);
    for reserved in ["10.0.0.0", "10.0.0.3", "10.0.0.15"] {
        refused(
            at(reserved),
            "InvalidParameterValue",
            &format!("Address {reserved} is in subnet's reserved address range"),
        );
    }
    refused(at("ten"), "InvalidParameterValue", "invalid value for parameter address: ten");
    // A /28 has eleven addresses to give; ten are left.
    let given: Vec<_> =
        (0..10).map(|_| create(&world, &subnet, |_| ()).unwrap().private_ip_address.unwrap()).collect();
    assert!(!given.contains(&"10.0.0.9".to_owned()));
    refused(create(&world, &subnet, |_| ()), "InsufficientFreeAddressesInSubnet", "enough free addresses");
    let input = DescribeSubnetsRequest { subnet_ids: vec![subnet], ..Default::default() };
    let shown = world.control.describe_subnets(&caller(), input).unwrap().subnets.remove(0);
    assert_eq!(shown.available_ip_address_count, Some(0));
}

#[test]
fn secondary_addresses_are_given_or_counted() {
    let world = World::new();
    let subnet = world.subnet(&world.vpc("10.0.0.0/16"), "10.0.0.0/24");
    let listed = |address: &str, primary| PrivateIpAddressSpecification {
        primary: Some(primary),
        private_ip_address: some(address),
    };
    let made = create(&world, &subnet, |input| {
        input.private_ip_addresses = vec![listed("10.0.0.20", false), listed("10.0.0.10", true)];
    })
    .unwrap();
    let addresses = |made: &NetworkInterface| {
        made.private_ip_addresses
            .iter()
            .map(|one| one.private_ip_address.clone().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(addresses(&made), ["10.0.0.10", "10.0.0.20"]);
    let unmarked = create(&world, &subnet, |input| {
        input.private_ip_addresses = vec![listed("10.0.0.40", false), listed("10.0.0.4", false)];
    })
    .unwrap();
    assert_eq!(addresses(&unmarked), ["10.0.0.40", "10.0.0.4"]);
    let input = DeleteNetworkInterfaceRequest {
        network_interface_id: unmarked.network_interface_id,
        ..Default::default()
    };
    world.control.delete_network_interface(&caller(), input).unwrap();
    let made = create(&world, &subnet, |input| input.secondary_private_ip_address_count = Some(2)).unwrap();
    assert_eq!(addresses(&made), ["10.0.0.4", "10.0.0.5", "10.0.0.6"]);
    let twice = create(&world, &subnet, |input| {
        input.private_ip_addresses = vec![listed("10.0.0.30", true), listed("10.0.0.30", false)];
    });
    refused(twice, "InvalidIPAddress.InUse", "10.0.0.30");
}

#[test]
fn groups_are_the_vpcs() {
    let world = World::new();
    let subnet = world.subnet(&world.vpc("10.0.0.0/16"), "10.0.0.0/24");
    let foreign = world.group(&world.vpc("10.0.0.0/16"), "web");
    let words = format!("Security group {foreign} and subnet {subnet} belong to different networks.");
    refused(
        create(&world, &subnet, |input| input.groups = vec![foreign.clone()]),
        "InvalidParameter",
        &words,
    );
    let id = create(&world, &subnet, |_| ()).unwrap().network_interface_id;
    let input = ModifyNetworkInterfaceAttributeRequest {
        network_interface_id: id,
        groups: vec![foreign],
        ..Default::default()
    };
    let answer = world.control.modify_network_interface_attribute(&caller(), input);
    refused(answer, "InvalidParameter", "belong to different networks");
}

#[test]
fn an_interface_has_five_groups_at_most() {
    let world = World::new();
    let vpc = world.vpc("10.0.0.0/16");
    let subnet = world.subnet(&vpc, "10.0.0.0/24");
    let groups: Vec<_> = (0..6).map(|number| world.group(&vpc, &format!("group-{number}"))).collect();
    create(&world, &subnet, |input| input.groups = groups[..5].to_vec()).unwrap();
    let answer = create(&world, &subnet, |input| input.groups.clone_from(&groups));
    refused(answer, "SecurityGroupsPerInterfaceLimitExceeded", "security groups per interface");
}

#[test]
fn attributes_change_one_at_a_time() {
    let world = World::new();
    let vpc = world.vpc("10.0.0.0/16");
    let subnet = world.subnet(&vpc, "10.0.0.0/24");
    let group = world.group(&vpc, "web");
    let id = create(&world, &subnet, |_| ()).unwrap().network_interface_id.unwrap();
    let modify = |change: fn(&mut ModifyNetworkInterfaceAttributeRequest, &str)| {
        let mut input =
            ModifyNetworkInterfaceAttributeRequest { network_interface_id: some(&id), ..Default::default() };
        change(&mut input, &group);
        world.control.modify_network_interface_attribute(&caller(), input)
    };
    let off = || Some(AttributeBooleanValue { value: Some(false) });
    modify(|input, _| input.source_dest_check = Some(AttributeBooleanValue { value: Some(false) })).unwrap();
    modify(|input, _| input.description = Some(AttributeValue { value: some("new") })).unwrap();
    modify(|input, group| input.groups = vec![group.into()]).unwrap();
    refused(modify(|_, _| ()), "InvalidParameterCombination", "No attributes");
    let read = |attribute: &str| {
        let input = DescribeNetworkInterfaceAttributeRequest {
            network_interface_id: some(&id),
            attribute: some(attribute),
            ..Default::default()
        };
        world.control.describe_network_interface_attribute(&caller(), input)
    };
    assert_eq!(read("sourceDestCheck").unwrap().source_dest_check, off());
    assert_eq!(read("description").unwrap().description.unwrap().value, some("new"));
    assert_eq!(read("groupSet").unwrap().groups[0].group_id, Some(group.clone()));
    refused(read("colour"), "InvalidParameterValue", "colour");
}

#[test]
fn the_same_token_makes_one_interface() {
    let world = World::new();
    let subnet = world.subnet(&world.vpc("10.0.0.0/16"), "10.0.0.0/24");
    let with_token = |description: &str| {
        create(&world, &subnet, |input| {
            input.client_token = some("token-1");
            input.description = some(description);
        })
    };
    let first = with_token("a").unwrap();
    assert_eq!(with_token("a").unwrap().network_interface_id, first.network_interface_id);
    refused(with_token("b"), "IdempotentParameterMismatch", "inconsistent");
    assert_eq!(world.store.snapshot().network_interfaces.len(), 1);
    let long = create(&world, &subnet, |input| input.client_token = Some("x".repeat(65)));
    refused(long, "InvalidParameterValue", "clientToken");
    // A token names what it made; when that is gone, it makes it anew.
    let input = DeleteNetworkInterfaceRequest {
        network_interface_id: first.network_interface_id.clone(),
        ..Default::default()
    };
    world.control.delete_network_interface(&caller(), input).unwrap();
    assert_ne!(with_token("a").unwrap().network_interface_id, first.network_interface_id);
}

#[test]
fn interfaces_are_found_by_filters() {
    let world = World::new();
    let vpc = world.vpc("10.0.0.0/16");
    let (a, b) = (world.subnet(&vpc, "10.0.0.0/24"), world.subnet(&vpc, "10.0.1.0/24"));
    create(&world, &a, |input| input.description = some("ELB net/web/1")).unwrap();
    create(&world, &b, |_| ()).unwrap();
    let count = |filters: Vec<Filter>| {
        let input = DescribeNetworkInterfacesRequest { filters, ..Default::default() };
        world.control.describe_network_interfaces(&caller(), input).unwrap().network_interfaces.len()
    };
    assert_eq!(count(vec![filter("subnet-id", &[&a, &b])]), 2);
    assert_eq!(count(vec![filter("subnet-id", &[&a]), filter("private-ip-address", &["10.0.1.*"])]), 0);
    assert_eq!(count(vec![filter("description", &["ELB net/web/*"])]), 1);
    assert_eq!(count(vec![filter("attachment.instance-owner-id", &["amazon-aws"])]), 0);
    assert_eq!(count(vec![filter("status", &["available"])]), 2);
    assert_eq!(count(vec![filter("association.public-ip", &["*"])]), 0);
}
