//! Which servers there are to have, and what there is none of.

use linkway_wire::rds::*;

use crate::world::{World, caller, refused, text};

fn versions(world: &World, input: DescribeDBEngineVersionsMessage) -> Vec<String> {
    let found = world.control.describe_db_engine_versions(&caller(), input).unwrap().db_engine_versions;
    found
        .into_iter()
        .map(|found| format!("{} {}", found.engine.unwrap(), found.engine_version.unwrap()))
        .collect()
}

#[test]
fn versions_are_those_that_the_host_has() {
    let world = World::new();
    let of = |engine: &str| DescribeDBEngineVersionsMessage { engine: text(engine), ..Default::default() };
    assert_eq!(
        versions(&world, DescribeDBEngineVersionsMessage::default()),
        ["mariadb 10.11.14", "postgres 13.21", "postgres 15.18", "postgres 15.9"]
    );
    assert_eq!(versions(&world, of("mysql")), [""; 0]);
    let default = DescribeDBEngineVersionsMessage { default_only: Some(true), ..of("postgres") };
    assert_eq!(versions(&world, default), ["postgres 15.18"]);
    let major = DescribeDBEngineVersionsMessage { engine_version: text("15"), ..of("postgres") };
    assert_eq!(versions(&world, major), ["postgres 15.18", "postgres 15.9"]);
    let family = Filter { name: text("db-parameter-group-family"), values: vec!["postgres13".into()] };
    let filtered = DescribeDBEngineVersionsMessage { filters: vec![family], ..Default::default() };
    assert_eq!(versions(&world, filtered), ["postgres 13.21"]);
    refused(
        world.control.describe_db_engine_versions(&caller(), of("db3")),
        "InvalidParameterValue",
        "Unrecognized engine name: db3",
    );
}

#[test]
fn classes_may_be_asked_for() {
    let world = World::new();
    let of = |class: Option<&str>| {
        let input = DescribeOrderableDBInstanceOptionsMessage {
            engine: text("postgres"),
            engine_version: text("15.18"),
            db_instance_class: class.map(str::to_owned),
            // As Terraform asks.
            max_records: Some(1000),
            ..Default::default()
        };
        let found = world.control.describe_orderable_db_instance_options(&caller(), input).unwrap();
        found.orderable_db_instance_options
    };
    let [micro] = of(Some("db.t3.micro")).try_into().unwrap();
    assert_eq!(micro.engine_version.as_deref(), Some("15.18"));
    assert_eq!(micro.availability_zones[0].name.as_deref(), Some("us-east-1a"));
    assert!(of(None).len() > 1);
    assert_eq!(of(Some("db.huge")), []);
}

#[test]
fn there_are_no_clusters_and_no_snapshots() {
    let world = World::new();
    let control = &world.control;
    assert_eq!(control.describe_db_clusters(&caller(), Default::default()).unwrap(), Default::default());
    assert_eq!(control.describe_db_snapshots(&caller(), Default::default()).unwrap(), Default::default());
    let input = DescribePendingMaintenanceActionsMessage::default();
    assert_eq!(control.describe_pending_maintenance_actions(&caller(), input).unwrap(), Default::default());
    let input = DescribeDBClustersMessage { db_cluster_identifier: text("c"), ..Default::default() };
    refused(
        control.describe_db_clusters(&caller(), input),
        "DBClusterNotFoundFault",
        "DBCluster c not found.",
    );
    let input = DescribeDBSnapshotsMessage { db_snapshot_identifier: text("s"), ..Default::default() };
    refused(control.describe_db_snapshots(&caller(), input), "DBSnapshotNotFound", "DBSnapshot s not found.");
}
