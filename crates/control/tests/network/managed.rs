//! What services manage: seen by callers, and not theirs to change.

use linkway_model::network_interface::{InterfaceRole, NetworkInterface as Document};
use linkway_store::StoreError;
use linkway_wire::ec2::*;

use crate::world::{World, caller, filter, refused, some};

/// An interface that plays `role`; its id.
fn managed(world: &World, role: InterfaceRole, description: &str) -> String {
    let subnet = world.subnet(&world.vpc("10.0.0.0/16"), "10.0.0.0/24");
    let id = world.create_interface(&subnet).unwrap().network_interface_id.unwrap();
    let change = |interface: &mut Document| {
        interface.role = role;
        interface.description = description.into();
    };
    world.store.transact(|tx| Ok::<_, StoreError>(tx.update::<Document>(&id, change))).unwrap();
    id
}

fn show(world: &World, filters: Vec<Filter>) -> Vec<NetworkInterface> {
    let input = DescribeNetworkInterfacesRequest { filters, ..Default::default() };
    world.control.describe_network_interfaces(&caller(), input).unwrap().network_interfaces
}

#[test]
fn an_endpoints_interface_is_the_endpoints() {
    let world = World::new();
    let endpoint = "vpce-0123456789abcdef0";
    let role = InterfaceRole::VpcEndpoint { endpoint: endpoint.parse().unwrap() };
    let id = managed(&world, role, &format!("VPC Endpoint Interface {endpoint}"));
    let shown = show(&world, vec![filter("interface-type", &["vpc_endpoint"])]).remove(0);
    assert_eq!(shown.network_interface_id.as_deref(), Some(id.as_str()));
    assert_eq!(shown.requester_managed, Some(true));
    assert_eq!(shown.status.as_deref(), Some("in-use"));
    let attachment = shown.attachment.unwrap();
    assert!(attachment.attachment_id.unwrap().starts_with("ela-attach-"));
    assert_eq!(attachment.instance_owner_id.as_deref(), Some("amazon-aws"));
    assert_eq!(attachment.device_index, Some(1));
    assert_eq!(attachment.delete_on_termination, Some(false));

    let input = DeleteNetworkInterfaceRequest { network_interface_id: some(&id), ..Default::default() };
    let words = format!("Network interface '{id}' is currently in use.");
    refused(world.control.delete_network_interface(&caller(), input), "InvalidParameterValue", &words);
    let input = ModifyNetworkInterfaceAttributeRequest {
        network_interface_id: some(&id),
        description: Some(AttributeValue { value: some("mine") }),
        ..Default::default()
    };
    let answer = world.control.modify_network_interface_attribute(&caller(), input);
    refused(answer, "AuthFailure", "You do not have permission to access the specified resource.");
    // Tags are the owner's all the same.
    world.tag(&id, "Name", "endpoint").unwrap();
}

#[test]
fn a_balancers_interface_is_found_as_terraform_looks_for_it() {
    let world = World::new();
    let description = "ELB net/db/0123456789abcdef";
    let role = InterfaceRole::LoadBalancer { load_balancer: "arn:…".into() };
    managed(&world, role, description);
    let filters =
        vec![filter("attachment.instance-owner-id", &["amazon-aws"]), filter("description", &[description])];
    let shown = show(&world, filters).remove(0);
    assert_eq!(shown.interface_type.as_deref(), Some("network_load_balancer"));
    assert_eq!(shown.requester_id.as_deref(), Some("amazon-elb"));
}
