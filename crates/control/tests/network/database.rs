//! What the daemon tells of the servers of DB instances.

use linkway_model::database::{DbEngine, DbInstance, DbStatus};
use linkway_model::instance::Process;
use linkway_model::network_interface::{InterfaceRole, NetworkInterface};
use linkway_model::{InstanceId, Timestamp};
use linkway_store::StoreError;

use crate::world::World;

const ARN: &str = "arn:aws:rds:us-east-1:111111111111:db:shop";
const PROCESS: Process = Process { pid: 42, start_time: 7 };

/// A world with one DB instance in this state, as the API would have made it.
fn world(status: DbStatus) -> World {
    let world = World::new();
    let vpc = world.vpc("10.0.0.0/16");
    let subnet = world.subnet(&vpc, "10.0.0.0/24");
    let interface = world.create_interface(&subnet).unwrap().network_interface_id.unwrap();
    let document = DbInstance {
        arn: ARN.into(),
        identifier: "shop".into(),
        resource_id: "db-ABCDEFGHIJKLMNOPQRSTUVWXYZ".into(),
        owner: "111111111111".parse().unwrap(),
        region: "us-east-1".into(),
        engine: DbEngine::Postgres,
        engine_version: "15.18".into(),
        class: "db.t3.micro".into(),
        master_username: "app".into(),
        master_password: "only-for-show".into(),
        database: None,
        port: 5432,
        vpc: vpc.parse().unwrap(),
        subnet_group: "default".into(),
        subnet: subnet.parse().unwrap(),
        zone: "us-east-1a".into(),
        instance: InstanceId::random(),
        interface: interface.parse().unwrap(),
        groups: Vec::new(),
        parameter_group: "default.postgres15".into(),
        pending_reboot: false,
        dns_name: "shop.abc.us-east-1.rds.amazonaws.com".into(),
        status,
        reason: None,
        process: None,
        stored: Default::default(),
        created: Timestamp::UNIX_EPOCH,
        tags: Default::default(),
    };
    let made = world.store.transact(|tx| {
        tx.update::<NetworkInterface>(&interface, |interface| {
            interface.role = InterfaceRole::Database { database: ARN.into() };
        });
        tx.put(document);
        Ok::<_, StoreError>(())
    });
    made.unwrap();
    world
}

/// Its state, its process, and why.
fn seen(world: &World) -> (DbStatus, Option<Process>, Option<String>) {
    let found = world.store.snapshot().get::<DbInstance>(ARN).cloned().unwrap();
    (found.status, found.process, found.reason.clone())
}

#[test]
fn a_server_that_takes_connections_makes_it_available() {
    for status in [DbStatus::Creating, DbStatus::Modifying, DbStatus::Rebooting, DbStatus::Starting] {
        let world = world(status);
        assert!(world.control.database_started(ARN, PROCESS).unwrap());
        assert_eq!(seen(&world), (status, Some(PROCESS), None));
        world.control.database_waits(ARN, "the disk is full").unwrap();
        assert_eq!(seen(&world).2.as_deref(), Some("the disk is full"));
        assert!(world.control.database_running(ARN, PROCESS).unwrap());
        assert_eq!(seen(&world), (DbStatus::Available, Some(PROCESS), None));
        assert!(world.control.database_running(ARN, PROCESS).unwrap());
    }
}

#[test]
fn what_was_stopped_or_deleted_meanwhile_is_not_available() {
    for status in [DbStatus::Stopping, DbStatus::Stopped, DbStatus::Deleting, DbStatus::Failed] {
        let world = world(status);
        assert!(!world.control.database_started(ARN, PROCESS).unwrap());
        assert!(!world.control.database_running(ARN, PROCESS).unwrap());
        world.control.database_failed(ARN, "too late").unwrap();
        world.control.database_waits(ARN, "too late").unwrap();
        assert_eq!(seen(&world), (status, None, None));
    }
    assert!(!World::new().control.database_running(ARN, PROCESS).unwrap());
}

#[test]
fn only_what_is_to_be_stopped_is_stopped() {
    let world = world(DbStatus::Stopping);
    world.control.database_stopped(ARN).unwrap();
    assert_eq!(seen(&world).0, DbStatus::Stopped);
    let world = self::world(DbStatus::Starting);
    world.control.database_stopped(ARN).unwrap();
    assert_eq!(seen(&world).0, DbStatus::Starting);
}

#[test]
fn one_that_ended_by_itself_is_to_be_started_again() {
    let world = world(DbStatus::Starting);
    world.control.database_running(ARN, PROCESS).unwrap();
    let earlier = Process { start_time: 6, ..PROCESS };
    world.control.database_ended(ARN, Some(earlier)).unwrap();
    assert_eq!(seen(&world).0, DbStatus::Available);
    world.control.database_ended(ARN, Some(PROCESS)).unwrap();
    let (status, process, reason) = seen(&world);
    assert_eq!((status, process), (DbStatus::Starting, None));
    assert!(reason.unwrap().contains("has ended"));
    world.control.database_failed(ARN, "its files are gone").unwrap();
    assert_eq!(seen(&world), (DbStatus::Failed, None, Some("its files are gone".into())));
}

#[test]
fn one_that_is_removed_leaves_nothing() {
    let world = world(DbStatus::Available);
    world.control.database_removed(ARN).unwrap();
    assert_eq!(seen(&world).0, DbStatus::Available);
    let deleting = world.store.transact(|tx| {
        tx.update::<DbInstance>(ARN, |database| database.status = DbStatus::Deleting);
        Ok::<_, StoreError>(())
    });
    deleting.unwrap();
    world.control.database_removed(ARN).unwrap();
    world.control.database_removed(ARN).unwrap();
    let state = world.store.snapshot();
    assert_eq!((state.db_instances.len(), state.network_interfaces.len()), (0, 0));
}
