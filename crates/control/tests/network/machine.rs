//! Instances that are made of images: their states, as what runs them tells of their boots.

use linkway_control::ImageRequest;
use linkway_model::image::Image as ImageDocument;
use linkway_model::instance::{Instance as Document, Process};
use linkway_wire::ec2::*;

use crate::world::{World, caller, caller_of, refused, some};

const PROCESS: Process = Process { pid: 42, start_time: 7 };

/// A world with an instance that was launched just now.
fn launched(behavior: Option<&str>) -> (World, String) {
    let world = World::new();
    let subnet = world.subnet(&world.vpc("10.0.0.0/16"), "10.0.0.0/24");
    let input = RunInstancesRequest {
        image_id: some(ImageDocument::host("us-east-1").id.as_str()),
        subnet_id: Some(subnet),
        min_count: Some(1),
        max_count: Some(1),
        instance_initiated_shutdown_behavior: behavior.map(str::to_owned),
        ..Default::default()
    };
    let made = world.control.run_instances(&caller(), input).unwrap().instances.remove(0);
    (world, made.instance_id.unwrap())
}

fn document(world: &World, id: &str) -> Document {
    Document::clone(world.store.snapshot().get::<Document>(id).unwrap())
}

fn state(world: &World, id: &str) -> &'static str {
    document(world, id).state.name()
}

fn boot(world: &World, id: &str) -> (u32, Option<u32>) {
    let launch = document(world, id).launch.unwrap();
    (launch.boot, launch.booted)
}

fn started(world: &World, id: &str, boot: u32) -> bool {
    world.control.instance_started(&id.parse().unwrap(), boot, PROCESS).unwrap()
}

fn ended(world: &World, id: &str, boot: u32) {
    world.control.instance_ended(&id.parse().unwrap(), boot, "status 0").unwrap();
}

fn reboot(world: &World, id: &str) {
    let input = RebootInstancesRequest { instance_ids: vec![id.into()], dry_run: None };
    world.control.reboot_instances(&caller(), input).unwrap();
}

fn stop(world: &World, id: &str) {
    let input = StopInstancesRequest { instance_ids: vec![id.into()], ..Default::default() };
    world.control.stop_instances(&caller(), input).unwrap();
}

fn start(world: &World, id: &str) {
    let input = StartInstancesRequest { instance_ids: vec![id.into()], ..Default::default() };
    world.control.start_instances(&caller(), input).unwrap();
}

fn terminate(world: &World, id: &str) {
    let input = TerminateInstancesRequest { instance_ids: vec![id.into()], ..Default::default() };
    world.control.terminate_instances(&caller(), input).unwrap();
}

#[test]
fn an_instance_is_pending_until_its_boot_runs() {
    let (world, id) = launched(None);
    assert_eq!((state(&world, &id), boot(&world, &id)), ("pending", (1, None)));
    assert!(started(&world, &id, 1));
    assert_eq!((state(&world, &id), boot(&world, &id)), ("running", (1, Some(1))));
    stop(&world, &id);
    assert_eq!(state(&world, &id), "stopping");
    ended(&world, &id, 1);
    assert_eq!((state(&world, &id), boot(&world, &id)), ("stopped", (1, None)));
    start(&world, &id);
    assert_eq!((state(&world, &id), boot(&world, &id)), ("pending", (2, None)));
    // What is told late of the boot before changes nothing.
    assert!(!started(&world, &id, 1));
    ended(&world, &id, 1);
    assert_eq!((state(&world, &id), boot(&world, &id)), ("pending", (2, None)));
    assert!(started(&world, &id, 2));
    assert_eq!(state(&world, &id), "running");
}

#[test]
fn a_reboot_is_another_boot_of_a_running_instance() {
    let (world, id) = launched(Some("terminate"));
    started(&world, &id, 1);
    reboot(&world, &id);
    assert_eq!((state(&world, &id), boot(&world, &id)), ("running", (2, Some(1))));
    // Asked for again before it has begun, it is the same.
    reboot(&world, &id);
    assert_eq!(boot(&world, &id).0, 2);
    // That the boot before ends is not the instance's end.
    ended(&world, &id, 1);
    assert_eq!((state(&world, &id), boot(&world, &id)), ("running", (2, None)));
    assert!(started(&world, &id, 2));
    ended(&world, &id, 1);
    assert_eq!(boot(&world, &id), (2, Some(2)));
    // That this one does is, and the instance does as its shutdown behaviour says.
    ended(&world, &id, 2);
    assert_eq!(state(&world, &id), "terminated");
    assert_eq!(world.store.snapshot().network_interfaces.len(), 0);
}

#[test]
fn what_is_terminated_while_it_starts_does_not_go_on() {
    let (world, id) = launched(None);
    terminate(&world, &id);
    assert!(!started(&world, &id, 1));
    assert_eq!((state(&world, &id), document(&world, &id).process), ("shutting-down", Some(PROCESS)));
    ended(&world, &id, 1);
    assert_eq!((state(&world, &id), document(&world, &id).process), ("terminated", None));
}

#[test]
fn a_boot_that_fails_ends_a_new_instance_and_stops_an_old_one() {
    let fail = |world: &World, id: &str, boot| {
        world.control.instance_failed(&id.parse().unwrap(), boot, "no such directory").unwrap();
    };
    let (world, id) = launched(None);
    fail(&world, &id, 1);
    let failed = document(&world, &id);
    assert_eq!((failed.state.name(), failed.reason.as_str()), ("terminated", "no such directory"));
    assert_eq!(failed.cause.unwrap().code(), "Server.InternalError");

    let (world, id) = launched(None);
    started(&world, &id, 1);
    stop(&world, &id);
    ended(&world, &id, 1);
    start(&world, &id);
    // Not the boot that there is.
    fail(&world, &id, 1);
    assert_eq!(state(&world, &id), "pending");
    fail(&world, &id, 2);
    assert_eq!(state(&world, &id), "stopped");
}

#[test]
fn what_went_down_with_the_machine_is_booted_again() {
    let lost = |world: &World, id: &str| world.control.instance_lost(&id.parse().unwrap()).unwrap();
    let (world, id) = launched(None);
    started(&world, &id, 1);
    lost(&world, &id);
    assert_eq!((state(&world, &id), boot(&world, &id)), ("running", (2, None)));
    started(&world, &id, 2);
    stop(&world, &id);
    lost(&world, &id);
    assert_eq!(state(&world, &id), "stopped");
    terminate(&world, &id);
    lost(&world, &id);
    assert_eq!(state(&world, &id), "terminated");
}

#[test]
fn an_image_is_pending_until_its_files_are_there_and_its_owners() {
    let world = World::new();
    let subnet = world.subnet(&world.vpc("10.0.0.0/16"), "10.0.0.0/24");
    let request = ImageRequest {
        account: Some(caller().account),
        region: "us-east-1".into(),
        name: "web".into(),
        description: String::new(),
    };
    // Accounts are known to the state before they have images.
    assert!(world.control.add_image(request.clone()).is_err());
    world.control.create_account(Some(caller().account), "mine".into(), None).unwrap();
    let image = world.control.add_image(request.clone()).unwrap();
    assert!(world.control.add_image(request).is_err());
    let run = |caller| {
        let input = RunInstancesRequest {
            image_id: some(image.id.as_str()),
            subnet_id: Some(subnet.clone()),
            min_count: Some(1),
            max_count: Some(1),
            ..Default::default()
        };
        world.control.run_instances(&caller, input)
    };
    refused(run(caller()), "InvalidAMIID.Unavailable", "is pending, and cannot be run");
    world.control.image_available(&image.id).unwrap();
    assert_eq!(run(caller()).unwrap().instances[0].image_id.as_deref(), Some(image.id.as_str()));
    let other = caller_of("210987654321", "us-east-1");
    refused(run(other.clone()), "InvalidAMIID.NotFound", "does not exist");

    let describe = |caller: &linkway_control::Caller| {
        let input = DescribeImagesRequest { owners: vec!["self".into()], ..Default::default() };
        world.control.describe_images(caller, input).unwrap().images
    };
    assert_eq!((describe(&caller()).len(), describe(&other).len()), (1, 0));
    let everybody = LaunchPermission { group: some("all"), ..Default::default() };
    let input = ModifyImageAttributeRequest {
        image_id: some(image.id.as_str()),
        launch_permission: Some(LaunchPermissionModifications { add: vec![everybody], remove: Vec::new() }),
        ..Default::default()
    };
    refused(
        world.control.modify_image_attribute(&other, input.clone()),
        "InvalidAMIID.NotFound",
        "does not exist",
    );
    world.control.modify_image_attribute(&caller(), input).unwrap();
    refused(run(other), "InvalidSubnetID.NotFound", "does not exist");
    let input = DeregisterImageRequest { image_id: some(image.id.as_str()), ..Default::default() };
    world.control.deregister_image(&caller(), input).unwrap();
    refused(run(caller()), "InvalidAMIID.NotFound", "does not exist");
}
