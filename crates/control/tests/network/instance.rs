use jiff::SignedDuration;
use linkway_control::LaunchRequest;
use linkway_model::instance::{Instance as Document, Process};
use linkway_wire::ApiError;
use linkway_wire::ec2::*;

use crate::world::{World, caller, filter, refused, some};

fn launch(world: &World, subnet: &str, address: Option<&str>) -> Result<Document, ApiError> {
    let request = LaunchRequest {
        subnet: subnet.parse().unwrap(),
        groups: Vec::new(),
        private_ip: address.map(|address| address.parse().unwrap()),
        name: some("web"),
        command: vec!["sleep".into(), "1".into()],
    };
    Ok(world.control.launch(request)?)
}

fn show(world: &World, filters: Vec<Filter>) -> Vec<Instance> {
    let input = DescribeInstancesRequest { filters, ..Default::default() };
    let reservations = world.control.describe_instances(&caller(), input).unwrap().reservations;
    reservations.into_iter().flat_map(|reservation| reservation.instances).collect()
}

fn terminate(world: &World, id: &str) -> Result<InstanceStateChange, ApiError> {
    let input = TerminateInstancesRequest { instance_ids: vec![id.into()], ..Default::default() };
    Ok(world.control.terminate_instances(&caller(), input)?.terminating_instances.remove(0))
}

fn name(state: Option<InstanceState>) -> String {
    state.unwrap().name.unwrap()
}

#[test]
fn an_instance_lives_and_is_terminated() {
    let world = World::new();
    let vpc = world.vpc("10.0.0.0/16");
    let subnet = world.subnet(&vpc, "10.0.0.0/24");
    let made = launch(&world, &subnet, Some("10.0.0.10")).unwrap();
    let id = made.id.to_string();
    let shown = show(&world, vec![filter("tag:Name", &["web"])]).remove(0);
    assert_eq!(name(shown.state), "pending");
    assert_eq!(shown.private_dns_name.as_deref(), Some("ip-10-0-0-10.ec2.internal"));
    assert_eq!(shown.placement.unwrap().availability_zone.as_deref(), Some("us-east-1a"));
    assert_eq!(shown.security_groups[0].group_name.as_deref(), Some("default"));
    let interface = &shown.network_interfaces[0];
    assert_eq!(interface.status.as_deref(), Some("in-use"));
    assert_eq!(interface.attachment.as_ref().unwrap().device_index, Some(0));
    let input = DeleteNetworkInterfaceRequest {
        network_interface_id: interface.network_interface_id.clone(),
        ..Default::default()
    };
    let answer = world.control.delete_network_interface(&caller(), input);
    refused(answer, "InvalidParameterValue", "is currently in use.");

    world.control.started(&made.id, Process { pid: 42, start_time: 7 }).unwrap();
    assert_eq!(name(show(&world, vec![]).remove(0).state), "running");
    let change = terminate(&world, &id).unwrap();
    assert_eq!(
        (name(change.previous_state), name(change.current_state)),
        ("running".into(), "shutting-down".into())
    );
    let again = terminate(&world, &id).unwrap();
    assert_eq!(name(again.previous_state), "shutting-down");

    world.control.ended(&made.id, "it was terminated").unwrap();
    let shown = show(&world, vec![filter("instance-state-name", &["terminated"])]).remove(0);
    assert!(shown.network_interfaces.is_empty());
    assert_eq!(shown.state_reason.unwrap().code.as_deref(), Some("Client.UserInitiatedShutdown"));
    assert!(shown.state_transition_reason.unwrap().starts_with("User initiated (2026-01-02 03:04:05 GMT)"));
    // Its address is free again.
    launch(&world, &subnet, Some("10.0.0.10")).unwrap();
}

#[test]
fn an_instance_ends_by_itself() {
    let world = World::new();
    let subnet = world.subnet(&world.vpc("10.0.0.0/16"), "10.0.0.0/24");
    let made = launch(&world, &subnet, None).unwrap();
    world.control.ended(&made.id, "its process has ended").unwrap();
    let shown = show(&world, vec![]).remove(0);
    assert_eq!(name(shown.state), "terminated");
    assert_eq!(shown.state_reason.unwrap().code.as_deref(), Some("Client.InstanceInitiatedShutdown"));
    assert_eq!(shown.state_transition_reason.as_deref(), Some("its process has ended"));
    // A report that comes late changes nothing, and is told so.
    assert!(!world.control.started(&made.id, Process { pid: 42, start_time: 7 }).unwrap());
    assert_eq!(name(show(&world, vec![]).remove(0).state), "terminated");
    assert_eq!(world.store.snapshot().get::<Document>(&made.id).unwrap().process, None);
}

#[test]
fn unknown_instances_are_named_together() {
    let world = World::new();
    let ids = ["i-0123456789abcdef0", "i-0123456789abcdef1"];
    let input =
        TerminateInstancesRequest { instance_ids: ids.map(str::to_owned).to_vec(), ..Default::default() };
    refused(
        world.control.terminate_instances(&caller(), input),
        "InvalidInstanceID.NotFound",
        "The instance IDs 'i-0123456789abcdef0, i-0123456789abcdef1' do not exist",
    );
    refused(
        terminate(&world, "i-0"),
        "InvalidInstanceID.Malformed",
        "Invalid id: \"i-0\" (expecting \"i-...\")",
    );
    let subnet = world.subnet(&world.vpc("10.0.0.0/16"), "10.0.0.0/24");
    launch(&world, &subnet, Some("10.0.0.4")).unwrap();
    refused(
        launch(&world, &subnet, Some("10.0.0.4")),
        "InvalidIPAddress.InUse",
        "Address 10.0.0.4 is in use.",
    );
}

#[test]
fn terminated_instances_and_old_tokens_are_forgotten() {
    let world = World::new();
    let subnet = world.subnet(&world.vpc("10.0.0.0/16"), "10.0.0.0/24");
    let made = launch(&world, &subnet, None).unwrap();
    let input = CreateNetworkInterfaceRequest {
        subnet_id: Some(subnet),
        client_token: some("token-1"),
        ..Default::default()
    };
    world.control.create_network_interface(&caller(), input).unwrap();
    world.control.ended(&made.id, "its process has ended").unwrap();
    let left_after = |minutes: i64| {
        let now = *world.clock.lock().unwrap() + SignedDuration::from_mins(minutes);
        world.control.advance(world.store.snapshot().revision, now);
        let state = world.store.snapshot();
        (state.instances.len(), state.client_tokens.len())
    };
    assert_eq!(left_after(59), (1, 1));
    assert_eq!(left_after(61), (0, 1));
    assert_eq!(left_after(24 * 60 + 1), (0, 0));
}
