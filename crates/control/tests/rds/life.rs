//! Changes of a DB instance: settings, states, deletion, tags.

use linkway_model::database::{DbInstance, DbStatus};
use linkway_model::network_interface::NetworkInterface;
use linkway_wire::ApiError;
use linkway_wire::rds::*;

use crate::world::{ARN, World, caller, input, refused, stranger, text};

fn stop(world: &World, name: &str) -> Result<(), ApiError> {
    let input = StopDBInstanceMessage { db_instance_identifier: text(name), ..Default::default() };
    world.control.stop_db_instance(&caller(), input).map(|_| ())
}

fn start(world: &World, name: &str) -> Result<(), ApiError> {
    let input = StartDBInstanceMessage { db_instance_identifier: text(name) };
    world.control.start_db_instance(&caller(), input).map(|_| ())
}

fn reboot(world: &World, name: &str) -> Result<(), ApiError> {
    let input = RebootDBInstanceMessage { db_instance_identifier: text(name), ..Default::default() };
    world.control.reboot_db_instance(&caller(), input).map(|_| ())
}

#[test]
fn states_follow_what_is_asked() {
    let world = World::with_group();
    world.create(input("db")).unwrap();
    let unready = "Instance db is not in available state.";
    refused(stop(&world, "db"), "InvalidDBInstanceState", unready);
    refused(reboot(&world, "db"), "InvalidDBInstanceState", unready);
    world.reach("db", DbStatus::Available);
    refused(start(&world, "db"), "InvalidDBInstanceState", "Instance db cannot be started");
    reboot(&world, "db").unwrap();
    assert_eq!(world.status("db"), "rebooting");
    world.reach("db", DbStatus::Available);
    stop(&world, "db").unwrap();
    assert_eq!(world.status("db"), "stopping");
    refused(start(&world, "db"), "InvalidDBInstanceState", "Instance db cannot be started");
    world.reach("db", DbStatus::Stopped);
    start(&world, "db").unwrap();
    assert_eq!(world.status("db"), "starting");
    world.reach("db", DbStatus::Failed);
    reboot(&world, "db").unwrap();
    assert_eq!(world.status("db"), "rebooting");
    for missing in [stop(&world, "no"), start(&world, "no"), reboot(&world, "no")] {
        refused(missing, "DBInstanceNotFound", "DBInstance no not found.");
    }
}

#[test]
fn what_the_server_must_take_makes_it_modifying() {
    let world = World::with_group();
    world.running("db");
    let password =
        ModifyDBInstanceMessage { master_user_password: text("another-horse"), ..Default::default() };
    world.modify("db", password.clone()).unwrap();
    assert_eq!(world.status("db"), "modifying");
    refused(
        world.modify("db", password),
        "InvalidDBInstanceState",
        "Database instance is not in available state.",
    );
    let state = world.store.snapshot();
    let kept = state.get::<DbInstance>(format!("{ARN}db:db")).unwrap();
    assert_eq!(kept.master_password, "another-horse");

    world.reach("db", DbStatus::Available);
    let port = |port| ModifyDBInstanceMessage { db_port_number: Some(port), ..Default::default() };
    assert_eq!(world.modify("db", port(5432)).unwrap().db_instance_status.as_deref(), Some("available"));
    let moved = world.modify("db", port(6000)).unwrap();
    assert_eq!(moved.db_instance_status.as_deref(), Some("modifying"));
    assert_eq!(moved.endpoint.unwrap().port, Some(6000));
}

#[test]
fn settings_change_at_once() {
    let world = World::with_group();
    world.running("db");
    let group = world.security_group(&world.vpc, "other");
    let change = ModifyDBInstanceMessage {
        allocated_storage: Some(40),
        backup_retention_period: Some(7),
        db_instance_class: text("db.m5.large"),
        deletion_protection: Some(true),
        multi_az: Some(true),
        vpc_security_group_ids: vec![group.clone()],
        cloudwatch_logs_export_configuration: Some(CloudwatchLogsExportConfiguration {
            enable_log_types: vec!["postgresql".into()],
            disable_log_types: Vec::new(),
        }),
        ..Default::default()
    };
    let now = world.modify("db", change).unwrap();
    assert_eq!(now.db_instance_status.as_deref(), Some("available"));
    assert_eq!((now.allocated_storage, now.backup_retention_period), (Some(40), Some(7)));
    assert_eq!(now.db_instance_class.as_deref(), Some("db.m5.large"));
    assert_eq!((now.deletion_protection, now.multi_az), (Some(true), Some(true)));
    assert_eq!(now.enabled_cloudwatch_logs_exports, ["postgresql"]);
    let state = world.store.snapshot();
    let kept = state.get::<DbInstance>(format!("{ARN}db:db")).unwrap();
    let interface = state.get::<NetworkInterface>(&kept.interface).unwrap();
    assert_eq!(interface.groups.iter().map(ToString::to_string).collect::<Vec<_>>(), [group]);
}

#[test]
fn a_reason_is_shown() {
    let world = World::with_group();
    world.running("db");
    assert_eq!(world.described("db").unwrap().status_infos, []);
    let arn = format!("{ARN}db:db");
    world
        .store
        .transact(|tx| {
            tx.update::<DbInstance>(&arn, |database| {
                database.status = DbStatus::Failed;
                database.reason = Some("its disk is full".into());
            });
            Ok::<_, linkway_store::StoreError>(())
        })
        .unwrap();
    let [info] = world.described("db").unwrap().status_infos.try_into().unwrap();
    assert_eq!((info.normal, info.message.as_deref()), (Some(false), Some("its disk is full")));
    reboot(&world, "db").unwrap();
    assert_eq!(world.described("db").unwrap().status_infos, []);
}

#[test]
fn monitoring_takes_its_role_with_it() {
    let world = World::with_group();
    let asked = CreateDBInstanceMessage {
        monitoring_interval: Some(60),
        monitoring_role_arn: text("arn:aws:iam::111111111111:role/monitor"),
        ..input("db")
    };
    world.create(asked).unwrap();
    world.reach("db", DbStatus::Available);
    let off = ModifyDBInstanceMessage { monitoring_interval: Some(0), ..Default::default() };
    assert_eq!(world.modify("db", off).unwrap().monitoring_role_arn, None);
}

#[test]
fn what_cannot_be_changed() {
    let world = World::with_group();
    world.running("db");
    world.subnet_group("other", &world.subnets).unwrap();
    let before = world.described("db").unwrap();
    let cases: [(ModifyDBInstanceMessage, &str); 10] = [
        (
            ModifyDBInstanceMessage { new_db_instance_identifier: text("new"), ..Default::default() },
            "InvalidParameterCombination",
        ),
        (
            ModifyDBInstanceMessage { engine: text("mysql"), ..Default::default() },
            "InvalidParameterCombination",
        ),
        (
            ModifyDBInstanceMessage { engine_version: text("16"), ..Default::default() },
            "InvalidParameterCombination",
        ),
        (
            ModifyDBInstanceMessage { db_subnet_group_name: text("other"), ..Default::default() },
            "InvalidVPCNetworkStateFault",
        ),
        (
            ModifyDBInstanceMessage { publicly_accessible: Some(true), ..Default::default() },
            "InvalidVPCNetworkStateFault",
        ),
        (
            ModifyDBInstanceMessage { master_user_password: text("short"), ..Default::default() },
            "InvalidParameterValue",
        ),
        (
            ModifyDBInstanceMessage { allocated_storage: Some(19), ..Default::default() },
            "InvalidParameterCombination",
        ),
        (
            ModifyDBInstanceMessage { rotate_master_user_password: Some(true), ..Default::default() },
            "InvalidParameterCombination",
        ),
        // The good half of a change is not made.
        (
            ModifyDBInstanceMessage {
                allocated_storage: Some(30),
                preferred_backup_window: text("noon"),
                ..Default::default()
            },
            "InvalidParameterValue",
        ),
        (
            ModifyDBInstanceMessage { vpc_security_group_ids: vec!["sg-1".into()], ..Default::default() },
            "InvalidParameterValue",
        ),
    ];
    for (change, code) in cases {
        refused(world.modify("db", change), code, "");
    }
    assert_eq!(world.described("db").unwrap(), before);
    let same = ModifyDBInstanceMessage {
        new_db_instance_identifier: text("DB"),
        engine_version: text("15"),
        db_subnet_group_name: text("main"),
        ..Default::default()
    };
    world.modify("db", same).unwrap();
}

#[test]
fn deletion_loses_data_only_when_told_to() {
    let world = World::with_group();
    world.running("db");
    let delete = |skip, snapshot: Option<&str>| {
        let input = DeleteDBInstanceMessage {
            db_instance_identifier: text("db"),
            skip_final_snapshot: skip,
            final_db_snapshot_identifier: snapshot.map(str::to_owned),
            ..Default::default()
        };
        world.control.delete_db_instance(&caller(), input)
    };
    let combination = "InvalidParameterCombination";
    refused(
        delete(None, None),
        combination,
        "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot",
    );
    refused(delete(None, Some("last")), combination, "There are no DB snapshots");
    refused(delete(Some(true), Some("last")), combination, "FinalDBSnapshotIdentifier cannot be specified");

    let protect = |on| ModifyDBInstanceMessage { deletion_protection: Some(on), ..Default::default() };
    world.modify("db", protect(true)).unwrap();
    refused(
        world.delete("db"),
        combination,
        "Cannot delete protected DB Instance, please disable deletion protection and try again.",
    );
    world.reach("db", DbStatus::Failed);
    world.modify("db", protect(false)).unwrap();
    assert_eq!(world.delete("db").unwrap().db_instance_status.as_deref(), Some("deleting"));
    assert_eq!(world.status("db"), "deleting");
    refused(world.delete("db"), "InvalidDBInstanceState", "Instance db is already being deleted.");
    refused(world.delete("no"), "DBInstanceNotFound", "DBInstance no not found.");
}

#[test]
fn tags_are_put_and_taken() {
    let world = World::with_group();
    world.create(input("db")).unwrap();
    let tag = |key: &str, value: &str| Tag { key: text(key), value: text(value) };
    for kind in ["db:db", "subgrp:main"] {
        let name = format!("{ARN}{kind}");
        let list = |caller| {
            let input = ListTagsForResourceMessage { resource_name: text(&name), ..Default::default() };
            world.control.list_tags_for_resource(&caller, input).map(|found| found.tag_list)
        };
        let add = |tags| {
            let input = AddTagsToResourceMessage { resource_name: text(&name), tags };
            world.control.add_tags_to_resource(&caller(), input)
        };
        add(vec![tag("team", "shop"), tag("stage", "test")]).unwrap();
        add(vec![tag("team", "till")]).unwrap();
        assert_eq!(list(caller()).unwrap(), [tag("stage", "test"), tag("team", "till")]);
        let input =
            RemoveTagsFromResourceMessage { resource_name: text(&name), tag_keys: vec!["stage".into()] };
        world.control.remove_tags_from_resource(&caller(), input).unwrap();
        assert_eq!(list(caller()).unwrap(), [tag("team", "till")]);
        refused(add(vec![tag("aws:x", "")]), "InvalidParameterValue", "");
        refused(list(stranger()), "InvalidParameterValue", "Invalid resource name: ");
    }
    let input =
        ListTagsForResourceMessage { resource_name: Some(format!("{ARN}db:no")), ..Default::default() };
    refused(world.control.list_tags_for_resource(&caller(), input), "DBInstanceNotFound", "");
}
