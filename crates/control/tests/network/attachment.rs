//! Interfaces that instances get, and addresses that interfaces get, while they are in use.

use linkway_control::LaunchRequest;
use linkway_wire::ApiError;
use linkway_wire::ec2::*;

use crate::world::{World, caller, caller_of, refused, some};

/// A VPC with a subnet in zone a, and an instance there.
fn with_instance() -> (World, String, String, String) {
    let world = World::new();
    let vpc = world.vpc("10.0.0.0/16");
    let subnet = world.subnet(&vpc, "10.0.0.0/24");
    let instance = launch(&world, &subnet);
    (world, vpc, subnet, instance)
}

fn launch(world: &World, subnet: &str) -> String {
    let request = LaunchRequest {
        subnet: subnet.parse().unwrap(),
        groups: Vec::new(),
        private_ip: None,
        name: None,
        command: vec!["true".into()],
    };
    world.control.launch(request).unwrap().id.to_string()
}

fn interface(world: &World, subnet: &str) -> String {
    world.create_interface(subnet).unwrap().network_interface_id.unwrap()
}

fn attach(world: &World, interface: &str, instance: &str, index: i32) -> Result<String, ApiError> {
    let input = AttachNetworkInterfaceRequest {
        network_interface_id: some(interface),
        instance_id: some(instance),
        device_index: Some(index),
        ..Default::default()
    };
    Ok(world.control.attach_network_interface(&caller(), input)?.attachment_id.unwrap())
}

fn detach(world: &World, attachment: &str) -> Result<(), ApiError> {
    let input = DetachNetworkInterfaceRequest { attachment_id: some(attachment), ..Default::default() };
    world.control.detach_network_interface(&caller(), input)
}

fn show(world: &World, id: &str) -> NetworkInterface {
    let input =
        DescribeNetworkInterfacesRequest { network_interface_ids: vec![id.into()], ..Default::default() };
    world.control.describe_network_interfaces(&caller(), input).unwrap().network_interfaces.remove(0)
}

fn addresses(world: &World, id: &str) -> Vec<String> {
    let shown = show(world, id);
    shown.private_ip_addresses.into_iter().map(|address| address.private_ip_address.unwrap()).collect()
}

#[test]
fn an_interface_is_attached_shown_and_detached() {
    let (world, _, subnet, instance) = with_instance();
    let id = interface(&world, &subnet);
    let attachment = attach(&world, &id, &instance, 1).unwrap();
    let shown = show(&world, &id);
    assert_eq!(shown.status.as_deref(), Some("in-use"));
    let attached = shown.attachment.unwrap();
    assert_eq!(attached.attachment_id.as_deref(), Some(attachment.as_str()));
    assert_eq!((attached.device_index, attached.delete_on_termination), (Some(1), Some(false)));
    assert_eq!(attached.status.as_deref(), Some("attached"));
    let input = DescribeInstancesRequest { instance_ids: vec![instance.clone()], ..Default::default() };
    let mut instances =
        world.control.describe_instances(&caller(), input).unwrap().reservations.remove(0).instances;
    let interfaces = instances.remove(0).network_interfaces;
    assert_eq!(interfaces.len(), 2);
    assert_eq!(interfaces[1].network_interface_id.as_deref(), Some(id.as_str()));

    refused(
        attach(&world, &id, &instance, 2),
        "InvalidNetworkInterface.InUse",
        &format!("Interface: [{id}] in use."),
    );
    let second = interface(&world, &subnet);
    let taken = format!("Instance '{instance}' already has an interface attached at device index '1'.");
    refused(attach(&world, &second, &instance, 1), "InvalidParameterValue", &taken);

    detach(&world, &attachment).unwrap();
    assert_eq!(show(&world, &id).status.as_deref(), Some("available"));
    refused(detach(&world, &attachment), "InvalidAttachmentID.NotFound", &attachment);
}

#[test]
fn what_cannot_be_attached_or_detached_is_refused() {
    let (world, vpc, subnet, instance) = with_instance();
    let elsewhere = world.create_subnet(&vpc, "10.0.1.0/24", "us-east-1b").unwrap().subnet_id.unwrap();
    let far = interface(&world, &elsewhere);
    let words = "if they are not in the same availability zone";
    refused(attach(&world, &far, &instance, 1), "InvalidParameterCombination", words);
    let near = interface(&world, &subnet);
    refused(
        attach(&world, &near, "i-0123456789abcdef0", 1),
        "InvalidInstanceID.NotFound",
        "i-0123456789abcdef0",
    );
    refused(attach(&world, &near, &instance, -1), "InvalidParameterValue", "deviceIndex");
    let missing = AttachNetworkInterfaceRequest { network_interface_id: some(&near), ..Default::default() };
    refused(world.control.attach_network_interface(&caller(), missing), "MissingParameter", "DeviceIndex");

    let primary = &world.store.snapshot().instances[&instance].interface.to_string();
    let attachment = show(&world, primary).attachment.unwrap().attachment_id.unwrap();
    refused(detach(&world, &attachment), "OperationNotPermitted", "at device index 0 cannot be detached.");
    let words = "You are not allowed to manage 'ela-attach' attachments.";
    refused(detach(&world, "ela-attach-0123456789abcdef0"), "OperationNotPermitted", words);
    let other = caller_of("222222222222", "us-east-1");
    let input = DetachNetworkInterfaceRequest { attachment_id: Some(attachment), ..Default::default() };
    refused(world.control.detach_network_interface(&other, input), "InvalidAttachmentID.NotFound", "");

    world.control.ended(&instance.parse().unwrap(), "ended").unwrap();
    refused(attach(&world, &near, &instance, 1), "IncorrectState", "terminated");
}

#[test]
fn what_was_attached_outlives_the_instance() {
    let (world, _, subnet, instance) = with_instance();
    let (stays, goes) = (interface(&world, &subnet), interface(&world, &subnet));
    attach(&world, &stays, &instance, 1).unwrap();
    let attachment = attach(&world, &goes, &instance, 2).unwrap();
    let input = ModifyNetworkInterfaceAttributeRequest {
        network_interface_id: some(&goes),
        attachment: Some(NetworkInterfaceAttachmentChanges {
            attachment_id: Some(attachment),
            delete_on_termination: Some(true),
            ..Default::default()
        }),
        ..Default::default()
    };
    world.control.modify_network_interface_attribute(&caller(), input).unwrap();
    world.control.ended(&instance.parse().unwrap(), "ended").unwrap();
    assert_eq!(show(&world, &stays).status.as_deref(), Some("available"));
    assert!(!world.store.snapshot().network_interfaces.contains_key(&goes));
}

fn assign(
    world: &World,
    id: &str,
    change: impl FnOnce(&mut AssignPrivateIpAddressesRequest),
) -> Result<Vec<String>, ApiError> {
    let mut input = AssignPrivateIpAddressesRequest { network_interface_id: some(id), ..Default::default() };
    change(&mut input);
    let assigned = world.control.assign_private_ip_addresses(&caller(), input)?.assigned_private_ip_addresses;
    Ok(assigned.into_iter().map(|address| address.private_ip_address.unwrap()).collect())
}

fn unassign(world: &World, id: &str, addresses: &[&str]) -> Result<(), ApiError> {
    let input = UnassignPrivateIpAddressesRequest {
        network_interface_id: some(id),
        private_ip_addresses: addresses.iter().map(|address| (*address).into()).collect(),
        ..Default::default()
    };
    world.control.unassign_private_ip_addresses(&caller(), input)
}

#[test]
fn secondary_addresses_come_and_go() {
    let world = World::new();
    let subnet = world.subnet(&world.vpc("10.0.0.0/16"), "10.0.0.0/24");
    let (one, other) = (interface(&world, &subnet), interface(&world, &subnet));
    let given = assign(&world, &one, |input| input.private_ip_addresses = vec!["10.0.0.50".into()]).unwrap();
    assert_eq!(given, ["10.0.0.50"]);
    let counted = assign(&world, &one, |input| input.secondary_private_ip_address_count = Some(2)).unwrap();
    assert_eq!(addresses(&world, &one), [vec!["10.0.0.4".to_owned()], given, counted].concat());

    let taken = |reassign| {
        assign(&world, &other, |input| {
            input.private_ip_addresses = vec!["10.0.0.50".into()];
            input.allow_reassignment = Some(reassign);
        })
    };
    refused(taken(false), "InvalidIPAddress.InUse", "Address 10.0.0.50 is in use.");
    taken(true).unwrap();
    assert!(!addresses(&world, &one).contains(&"10.0.0.50".to_owned()));
    let primary = assign(&world, &other, |input| {
        input.private_ip_addresses = vec!["10.0.0.4".into()];
        input.allow_reassignment = Some(true);
    });
    refused(primary, "InvalidIPAddress.InUse", "10.0.0.4");
    let outside = assign(&world, &one, |input| input.private_ip_addresses = vec!["10.0.1.5".into()]);
    refused(outside, "InvalidParameterValue", "does not fall within the subnet's address range");
    refused(assign(&world, &one, |_| ()), "MissingParameter", "privateIpAddresses");
    let many = assign(&world, &one, |input| input.secondary_private_ip_address_count = Some(50));
    refused(many, "PrivateIpAddressLimitExceeded", "Number of private addresses will exceed limit.");

    let words = "Some of the specified addresses are not assigned to interface";
    refused(unassign(&world, &one, &["10.0.0.50"]), "InvalidParameterValue", words);
    refused(unassign(&world, &one, &["10.0.0.4"]), "InvalidParameterValue", "primary address");
    unassign(&world, &other, &["10.0.0.50"]).unwrap();
    assert_eq!(addresses(&world, &other).len(), 1);
}

#[test]
fn the_check_of_sources_is_reset() {
    let world = World::new();
    let subnet = world.subnet(&world.vpc("10.0.0.0/16"), "10.0.0.0/24");
    let id = interface(&world, &subnet);
    let input = ModifyNetworkInterfaceAttributeRequest {
        network_interface_id: some(&id),
        source_dest_check: Some(AttributeBooleanValue { value: Some(false) }),
        ..Default::default()
    };
    world.control.modify_network_interface_attribute(&caller(), input).unwrap();
    let input = ResetNetworkInterfaceAttributeRequest {
        network_interface_id: some(&id),
        source_dest_check: some("true"),
        ..Default::default()
    };
    world.control.reset_network_interface_attribute(&caller(), input).unwrap();
    assert_eq!(show(&world, &id).source_dest_check, Some(true));
}
