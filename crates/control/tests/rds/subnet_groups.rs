//! DB subnet groups.

use linkway_wire::rds::*;

use crate::world::{ARN, World, caller, input, refused, stranger, text};

fn modify(world: &World, name: &str, subnets: &[&String]) -> Result<DBSubnetGroup, linkway_wire::ApiError> {
    let input = ModifyDBSubnetGroupMessage {
        db_subnet_group_name: text(name),
        subnet_ids: subnets.iter().map(ToString::to_string).collect(),
        ..Default::default()
    };
    Ok(world.control.modify_db_subnet_group(&caller(), input)?.db_subnet_group.unwrap())
}

fn delete(world: &World, name: &str) -> Result<(), linkway_wire::ApiError> {
    let input = DeleteDBSubnetGroupMessage { db_subnet_group_name: text(name) };
    world.control.delete_db_subnet_group(&caller(), input)
}

#[test]
fn a_group_is_made_described_and_deleted() {
    let world = World::new();
    let made = world.subnet_group("Main Group", &world.subnets).unwrap();
    assert_eq!(made.db_subnet_group_name.as_deref(), Some("main group"));
    assert_eq!(made.db_subnet_group_arn, Some(format!("{ARN}subgrp:main group")));
    assert_eq!(made.subnet_group_status.as_deref(), Some("Complete"));
    assert_eq!(made.vpc_id.as_ref(), Some(&world.vpc));
    let mut zones: Vec<_> =
        made.subnets.iter().map(|s| s.subnet_availability_zone.clone().unwrap().name.unwrap()).collect();
    zones.sort();
    assert_eq!(zones, ["us-east-1a", "us-east-1b"]);
    refused(
        world.subnet_group("main group", &world.subnets),
        "DBSubnetGroupAlreadyExists",
        "The DB subnet group 'main group' already exists.",
    );
    let describe = |name: Option<String>| {
        let input = DescribeDBSubnetGroupsMessage { db_subnet_group_name: name, ..Default::default() };
        world.control.describe_db_subnet_groups(&caller(), input)
    };
    assert_eq!(describe(None).unwrap().db_subnet_groups, [made]);
    delete(&world, "MAIN GROUP").unwrap();
    let missing = describe(text("main group")).unwrap_err();
    assert_eq!((missing.code.as_str(), missing.status), ("DBSubnetGroupNotFoundFault", 404));
    refused(
        delete(&world, "main group"),
        "DBSubnetGroupNotFoundFault",
        "DB subnet group 'main group' does not exist.",
    );
}

#[test]
fn what_a_group_cannot_be() {
    let world = World::new();
    let [a, b] = world.subnets.clone().try_into().unwrap();
    for bad in ["", "default", "1st", "a/b", &"a".repeat(256)] {
        refused(
            world.subnet_group(bad, &world.subnets),
            "InvalidParameterValue",
            "The parameter DBSubnetGroupName",
        );
    }
    refused(world.subnet_group("g", &[]), "InvalidSubnet", "Subnet IDs are required.");
    refused(
        world.subnet_group("g", &[a.clone(), "subnet-0".into()]),
        "InvalidParameterValue",
        "Some input subnets in :[subnet-0] are invalid.",
    );
    refused(
        world.subnet_group("g", std::slice::from_ref(&a)),
        "DBSubnetGroupDoesNotCoverEnoughAZs",
        "The DB subnet group doesn't meet Availability Zone (AZ) coverage requirement. Current AZ coverage: us-east-1a.",
    );
    let elsewhere = world.make_vpc("10.9.0.0/16");
    let far = world.subnet(&elsewhere, "10.9.0.0/24", 'b');
    refused(
        world.subnet_group("g", &[a, far]),
        "InvalidSubnet",
        "The subnets of a DB subnet group are in one VPC",
    );
    let input = CreateDBSubnetGroupMessage {
        db_subnet_group_name: text("g"),
        db_subnet_group_description: text("somebody else's subnets"),
        subnet_ids: vec![b],
        ..Default::default()
    };
    refused(
        world.control.create_db_subnet_group(&stranger(), input),
        "InvalidParameterValue",
        "Some input subnets in",
    );
}

#[test]
fn a_group_in_use_keeps_what_is_used() {
    let world = World::with_group();
    let [a, b] = world.subnets.clone().try_into().unwrap();
    let c = world.subnet(&world.vpc, "10.0.2.0/24", 'c');
    let asked = CreateDBInstanceMessage { availability_zone: text("us-east-1a"), ..input("db") };
    world.create(asked).unwrap();
    refused(
        delete(&world, "main"),
        "InvalidDBSubnetGroupStateFault",
        "Cannot delete the subnet group 'main' because at least one database instance: db is still using it.",
    );
    refused(
        modify(&world, "main", &[&b, &c]),
        "SubnetAlreadyInUse",
        &format!("Some of the subnets to be deleted are currently in use: {a}"),
    );
    assert_eq!(modify(&world, "main", &[&a, &c]).unwrap().subnets.len(), 2);
    let elsewhere = world.make_vpc("10.9.0.0/16");
    let far = [world.subnet(&elsewhere, "10.9.0.0/24", 'a'), world.subnet(&elsewhere, "10.9.1.0/24", 'b')];
    refused(
        modify(&world, "main", &[&far[0], &far[1]]),
        "InvalidParameterValue",
        "The new Subnets are not in the same Vpc as the existing subnet group",
    );
}
