use linkway_wire::ApiError;
use linkway_wire::ec2::*;

use crate::world::{World, caller, caller_of, filter, refused, some};

/// A VPC with an internet gateway, and an interface in it.
fn reachable(world: &World) -> (String, String) {
    let vpc = world.vpc("10.0.0.0/16");
    world.gateway(&vpc);
    let subnet = world.subnet(&vpc, "10.0.0.0/24");
    (vpc, world.create_interface(&subnet).unwrap().network_interface_id.unwrap())
}

fn put(world: &World, allocation: &str, interface: &str, again: Option<bool>) -> Result<String, ApiError> {
    let input = AssociateAddressRequest {
        allocation_id: some(allocation),
        network_interface_id: some(interface),
        allow_reassociation: again,
        ..Default::default()
    };
    world.control.associate_address(&caller(), input).map(|answer| answer.association_id.unwrap())
}

fn describe(world: &World, filters: Vec<Filter>) -> Vec<Address> {
    let input = DescribeAddressesRequest { filters, ..Default::default() };
    world.control.describe_addresses(&caller(), input).unwrap().addresses
}

#[test]
fn addresses_are_given_and_released() {
    let world = World::new();
    let made = world.control.allocate_address(&caller(), Default::default()).unwrap();
    assert_eq!(made.domain.as_deref(), Some("vpc"));
    assert_eq!(made.network_border_group.as_deref(), Some("us-east-1"));
    assert_eq!(made.public_ipv4_pool.as_deref(), Some("amazon"));
    let (allocation, address) = (made.allocation_id.unwrap(), made.public_ip.unwrap());
    let other = world.control.allocate_address(&caller_of("222222222222", "us-east-1"), Default::default());
    assert_ne!(other.unwrap().public_ip, Some(address.clone()));

    let shown = describe(&world, vec![filter("public-ip", &[&address])]);
    assert_eq!(shown.len(), 1);
    assert_eq!((&shown[0].association_id, &shown[0].network_interface_id), (&None, &None));
    let input = DescribeAddressesRequest { public_ips: vec![address.clone()], ..Default::default() };
    assert_eq!(world.control.describe_addresses(&caller(), input).unwrap().addresses, shown);
    let input = DescribeAddressesRequest { public_ips: vec!["192.0.2.1".into()], ..Default::default() };
    let answer = world.control.describe_addresses(&caller(), input);
    refused(answer, "InvalidAddress.NotFound", "Address '192.0.2.1' not found.");
    let input = DescribeAddressesAttributeRequest {
        attribute: some("domain-name"),
        allocation_ids: vec![allocation.clone()],
        ..Default::default()
    };
    let attribute = world.control.describe_addresses_attribute(&caller(), input).unwrap().addresses.remove(0);
    assert_eq!((attribute.public_ip, attribute.ptr_record), (Some(address), None));
    let input = DescribeAddressesAttributeRequest { attribute: some("colour"), ..Default::default() };
    refused(world.control.describe_addresses_attribute(&caller(), input), "InvalidParameterValue", "colour");

    let release = || {
        let input = ReleaseAddressRequest { allocation_id: Some(allocation.clone()), ..Default::default() };
        world.control.release_address(&caller(), input)
    };
    release().unwrap();
    let words = format!("The allocation ID '{allocation}' does not exist");
    refused(release(), "InvalidAllocationID.NotFound", &words);
    let nothing = world.control.release_address(&caller(), Default::default());
    refused(nothing, "MissingParameter", "AllocationId");
}

#[test]
fn allocation_is_checked() {
    let world = World::new();
    let allocate = |input| world.control.allocate_address(&caller(), input);
    let standard = AllocateAddressRequest { domain: some("standard"), ..Default::default() };
    refused(allocate(standard), "InvalidParameterValue", "standard");
    let pool = AllocateAddressRequest { public_ipv4_pool: some("ipv4pool-ec2-1"), ..Default::default() };
    refused(allocate(pool), "UnsupportedOperation", "Amazon's pool");
    let group = AllocateAddressRequest { network_border_group: some("us-east-1-wl1"), ..Default::default() };
    refused(allocate(group), "InvalidParameterValue", "us-east-1-wl1");
    // One that was let go can be had back; one that is somebody's, or is no such address, cannot.
    let asked = |address: &str| AllocateAddressRequest { address: some(address), ..Default::default() };
    let (_, present) = world.address();
    refused(allocate(asked(&present)), "InvalidAddress.NotFound", &present);
    refused(allocate(asked("8.8.8.8")), "InvalidAddress.NotFound", "8.8.8.8");
    let again = allocate(asked("198.18.7.7")).unwrap();
    assert_eq!(again.public_ip.as_deref(), Some("198.18.7.7"));
    (2..500).for_each(|_| assert!(allocate(Default::default()).is_ok()));
    let words = "The maximum number of addresses has been reached.";
    refused(allocate(Default::default()), "AddressLimitExceeded", words);
}

#[test]
fn an_address_stands_for_an_interfaces() {
    let world = World::new();
    let (vpc, interface) = reachable(&world);
    let (allocation, address) = world.address();
    let association = put(&world, &allocation, &interface, None).unwrap();
    assert_eq!(put(&world, &allocation, &interface, Some(false)).unwrap(), association);
    let shown = describe(&world, vec![filter("association-id", &[&association])]).remove(0);
    assert_eq!(shown.network_interface_id.as_deref(), Some(interface.as_str()));
    assert_eq!(shown.private_ip_address.as_deref(), Some("10.0.0.4"));
    let input = DescribeNetworkInterfacesRequest {
        filters: vec![filter("association.public-ip", &[&address])],
        ..Default::default()
    };
    let found =
        world.control.describe_network_interfaces(&caller(), input).unwrap().network_interfaces.remove(0);
    assert_eq!(found.network_interface_id.as_deref(), Some(interface.as_str()));
    let public = found.association.unwrap();
    assert_eq!(
        (public.public_ip.as_deref(), public.allocation_id.as_deref()),
        (Some(address.as_str()), Some(allocation.as_str()))
    );
    assert_eq!(
        found.private_ip_addresses[0].association.as_ref().unwrap().association_id,
        Some(association.clone())
    );

    let release = ReleaseAddressRequest { allocation_id: some(&allocation), ..Default::default() };
    let words = format!("Address {address} is in use.");
    refused(world.control.release_address(&caller(), release.clone()), "InvalidIPAddress.InUse", &words);
    let gateway = world.store.snapshot().internet_gateways.keys().next().cloned().unwrap();
    refused(
        world.detach_gateway(&gateway, &vpc),
        "DependencyViolation",
        "has some mapped public address(es).",
    );

    let disassociate = || {
        let input = DisassociateAddressRequest { association_id: some(&association), ..Default::default() };
        world.control.disassociate_address(&caller(), input)
    };
    disassociate().unwrap();
    let words = format!("The association ID '{association}' does not exist");
    refused(disassociate(), "InvalidAssociationID.NotFound", &words);
    world.control.release_address(&caller(), release).unwrap();
    world.detach_gateway(&gateway, &vpc).unwrap();
}

#[test]
fn addresses_move_unless_told_not_to() {
    let world = World::new();
    let (vpc, first) = reachable(&world);
    let subnet = world.subnet(&vpc, "10.0.1.0/24");
    let second = world.create_interface(&subnet).unwrap().network_interface_id.unwrap();
    let ((one, _), (two, _)) = (world.address(), world.address());
    let association = put(&world, &one, &first, None).unwrap();
    let words = format!("resource {one} is already associated with associate-id {association}");
    refused(put(&world, &one, &second, Some(false)), "Resource.AlreadyAssociated", &words);
    refused(put(&world, &two, &first, Some(false)), "Resource.AlreadyAssociated", &first);
    put(&world, &one, &second, None).unwrap();
    put(&world, &two, &second, Some(true)).unwrap();
    let of = |allocation: &str| describe(&world, vec![filter("allocation-id", &[allocation])]).remove(0);
    assert_eq!(of(&one).network_interface_id, None);
    assert_eq!(of(&two).network_interface_id, Some(second.clone()));
    // An interface that goes leaves the address to its owner.
    let input = DeleteNetworkInterfaceRequest { network_interface_id: Some(second), dry_run: None };
    world.control.delete_network_interface(&caller(), input).unwrap();
    assert_eq!(of(&two).association_id, None);
    world.advance();
    let kept = world.store.snapshot().elastic_addresses[two.as_str()].association.clone();
    assert_eq!(kept, None);
}

#[test]
fn associations_are_checked() {
    let world = World::new();
    let vpc = world.vpc("10.0.0.0/16");
    let subnet = world.subnet(&vpc, "10.0.0.0/24");
    let interface = world.create_interface(&subnet).unwrap().network_interface_id.unwrap();
    let (allocation, address) = world.address();
    let words = format!("Network {vpc} is not attached to any internet gateway");
    refused(put(&world, &allocation, &interface, None), "Gateway.NotAttached", &words);
    world.gateway(&vpc);
    let ask = |input| world.control.associate_address(&caller(), input).map(|answer| answer.association_id);
    let plain = || AssociateAddressRequest {
        allocation_id: some(&allocation),
        network_interface_id: some(&interface),
        ..Default::default()
    };
    let secondary = AssociateAddressRequest { private_ip_address: some("10.0.0.9"), ..plain() };
    refused(ask(secondary), "InvalidParameterValue", "10.0.0.9");
    let nowhere = AssociateAddressRequest { network_interface_id: None, ..plain() };
    refused(ask(nowhere), "MissingParameter", "NetworkInterfaceId");
    let twice = AssociateAddressRequest { instance_id: some("i-0123456789abcdef0"), ..plain() };
    refused(ask(twice), "InvalidParameterCombination", "not both");
    let instance = AssociateAddressRequest {
        instance_id: some("i-0123456789abcdef0"),
        network_interface_id: None,
        ..plain()
    };
    refused(ask(instance), "InvalidInstanceID.NotFound", "i-0123456789abcdef0");
    let both = AssociateAddressRequest { public_ip: some(&address), ..plain() };
    refused(ask(both), "InvalidParameterCombination", "not both");
    let by_address = AssociateAddressRequest { allocation_id: None, public_ip: some(&address), ..plain() };
    assert!(ask(by_address).unwrap().is_some());
    refused(
        world.control.disassociate_address(&caller(), Default::default()),
        "MissingParameter",
        "AssociationId",
    );
    let by_address = DisassociateAddressRequest { public_ip: some(&address), ..Default::default() };
    world.control.disassociate_address(&caller(), by_address).unwrap();
    assert_eq!(describe(&world, vec![]).remove(0).association_id, None);
}
