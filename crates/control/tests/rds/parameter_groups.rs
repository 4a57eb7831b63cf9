//! DB parameter groups.

use linkway_wire::ApiError;
use linkway_wire::rds::*;

use crate::world::{ARN, World, caller, input, refused, text};

fn make(world: &World, name: &str, family: &str) -> Result<DBParameterGroup, ApiError> {
    let input = CreateDBParameterGroupMessage {
        db_parameter_group_name: text(name),
        db_parameter_group_family: text(family),
        description: text("for tests"),
        ..Default::default()
    };
    Ok(world.control.create_db_parameter_group(&caller(), input)?.db_parameter_group.unwrap())
}

fn set(world: &World, group: &str, changes: &[(&str, &str, &str)]) -> Result<(), ApiError> {
    let parameter = |(name, value, method): &(&str, &str, &str)| Parameter {
        parameter_name: text(name),
        parameter_value: text(value),
        apply_method: text(method),
        ..Default::default()
    };
    let parameters = changes.iter().map(parameter).collect();
    let input = ModifyDBParameterGroupMessage { db_parameter_group_name: text(group), parameters };
    world.control.modify_db_parameter_group(&caller(), input).map(|_| ())
}

/// Name, value and apply method of the parameters from a source.
fn parameters(world: &World, group: &str, source: &str) -> Vec<(String, Option<String>, String)> {
    let input = DescribeDBParametersMessage {
        db_parameter_group_name: text(group),
        source: text(source),
        ..Default::default()
    };
    let found = world.control.describe_db_parameters(&caller(), input).unwrap().parameters;
    let read = |p: Parameter| (p.parameter_name.unwrap(), p.parameter_value, p.apply_method.unwrap());
    found.into_iter().map(read).collect()
}

fn names(world: &World, name: Option<&str>) -> Result<Vec<String>, ApiError> {
    let input = DescribeDBParameterGroupsMessage {
        db_parameter_group_name: name.map(str::to_owned),
        ..Default::default()
    };
    let found = world.control.describe_db_parameter_groups(&caller(), input)?.db_parameter_groups;
    Ok(found.into_iter().map(|group| group.db_parameter_group_name.unwrap()).collect())
}

fn delete(world: &World, name: &str) -> Result<(), ApiError> {
    let input = DeleteDBParameterGroupMessage { db_parameter_group_name: text(name) };
    world.control.delete_db_parameter_group(&caller(), input)
}

fn apply_status(world: &World, database: &str) -> String {
    world.described(database).unwrap().db_parameter_groups.remove(0).parameter_apply_status.unwrap()
}

#[test]
fn groups_are_made_listed_and_deleted() {
    let world = World::new();
    let made = make(&world, "Mine", "postgres15").unwrap();
    assert_eq!(made.db_parameter_group_name.as_deref(), Some("mine"));
    assert_eq!(made.db_parameter_group_arn, Some(format!("{ARN}pg:mine")));
    // The host's families have default groups.
    assert_eq!(
        names(&world, None).unwrap(),
        ["default.mariadb10.11", "default.postgres13", "default.postgres15", "mine"]
    );
    assert_eq!(names(&world, Some("MINE")).unwrap(), ["mine"]);
    // So has any other family of AWS's.
    assert_eq!(names(&world, Some("default.mysql8.0")).unwrap(), ["default.mysql8.0"]);
    refused(
        make(&world, "mine", "postgres15"),
        "DBParameterGroupAlreadyExists",
        "Parameter group mine already exists",
    );
    delete(&world, "mine").unwrap();
    let missing = names(&world, Some("mine")).unwrap_err();
    assert_eq!((missing.code.as_str(), missing.status), ("DBParameterGroupNotFound", 404));
    assert_eq!(missing.message, "DBParameterGroup not found: mine");
    refused(delete(&world, "mine"), "DBParameterGroupNotFound", "DBParameterGroup not found: mine");
    refused(names(&world, Some("default.db3")), "DBParameterGroupNotFound", "");
    refused(
        delete(&world, "default.postgres15"),
        "InvalidDBParameterGroupState",
        "Default DBParameterGroup cannot",
    );
    refused(
        make(&world, "other", "postgres99"),
        "InvalidParameterValue",
        "ParameterGroupFamily postgres99 is not a valid parameter group family",
    );
    refused(
        make(&world, "default.x", "postgres15"),
        "InvalidParameterValue",
        "The parameter DBParameterGroupName",
    );
}

#[test]
fn settings_are_kept_with_how_they_are_applied() {
    let world = World::new();
    make(&world, "mine", "postgres15").unwrap();
    set(
        &world,
        "mine",
        &[
            ("max_connections", "50", "pending-reboot"),
            ("log_statement", "ddl", "immediate"),
            ("work_mem", "8192", "pending-reboot"),
        ],
    )
    .unwrap();
    let entry = |name: &str, value: &str, method: &str| (name.to_owned(), text(value), method.to_owned());
    assert_eq!(
        parameters(&world, "mine", "user"),
        [
            entry("log_statement", "ddl", "immediate"),
            entry("max_connections", "50", "pending-reboot"),
            entry("work_mem", "8192", "pending-reboot"),
        ]
    );
    let defaults = parameters(&world, "mine", "engine-default");
    assert!(defaults.contains(&entry("rds.force_ssl", "1", "pending-reboot")));
    assert!(!defaults.iter().any(|(name, ..)| name == "work_mem"));
    assert_eq!(parameters(&world, "default.postgres15", "user"), []);

    let reset = |all, names: &[&str]| {
        let parameter = |name: &&str| Parameter {
            parameter_name: text(name),
            apply_method: text("pending-reboot"),
            ..Default::default()
        };
        let input = ResetDBParameterGroupMessage {
            db_parameter_group_name: text("mine"),
            parameters: names.iter().map(parameter).collect(),
            reset_all_parameters: all,
        };
        world.control.reset_db_parameter_group(&caller(), input).map(|_| ())
    };
    reset(None, &["log_statement"]).unwrap();
    assert_eq!(parameters(&world, "mine", "user").len(), 2);
    refused(reset(Some(true), &["work_mem"]), "InvalidParameterCombination", "Specify either");
    refused(reset(Some(false), &[]), "InvalidParameterCombination", "Specify either");
    reset(Some(true), &[]).unwrap();
    assert_eq!(parameters(&world, "mine", "user"), []);
}

#[test]
fn what_cannot_be_set() {
    let world = World::new();
    make(&world, "mine", "postgres15").unwrap();
    let value = "InvalidParameterValue";
    let one = |name, setting, method| set(&world, "mine", &[(name, setting, method)]);
    refused(
        one("max_connections", "5", "pending-reboot"),
        value,
        "Invalid parameter value: 5 for: max_connections allowed values are: 6-262143",
    );
    refused(
        one("log_statement", "some", "immediate"),
        value,
        "Invalid parameter value: some for: log_statement",
    );
    refused(
        one("max_connections", "50", "immediate"),
        "InvalidParameterCombination",
        "cannot use immediate apply method for static parameter",
    );
    refused(one("work_mem", "8192", "later"), value, "Invalid value later for ApplyMethod");
    // What runs commands, loads libraries or reads files is not there to be set, nor what another engine has.
    for name in
        ["archive_command", "shared_preload_libraries", "data_directory", "search_path", "wait_timeout"]
    {
        refused(
            one(name, "x", "pending-reboot"),
            value,
            &format!("Could not find parameter with name: {name}"),
        );
    }
    for value in ["1\narchive_command = 'x'", "0' x"] {
        refused(one("log_duration", value, "immediate"), "InvalidParameterValue", "Invalid parameter value");
    }
    // One bad setting, and none is made.
    let two = [("work_mem", "8192", "immediate"), ("log_statement", "some", "immediate")];
    refused(set(&world, "mine", &two), value, "Invalid parameter value");
    refused(set(&world, "mine", &[two[0], two[0]]), value, "The parameter work_mem was given twice");
    refused(set(&world, "mine", &[]), value, "");
    refused(set(&world, "mine", &[two[0]; 21]), value, "A maximum of 20 parameters");
    assert_eq!(parameters(&world, "mine", "user"), []);
    refused(set(&world, "default.postgres15", &two), value, "Default parameter groups cannot be modified");
    refused(set(&world, "other", &two), "DBParameterGroupNotFound", "");
}

#[test]
fn a_change_waits_for_the_members_reboot() {
    let world = World::with_group();
    make(&world, "mine", "postgres15").unwrap();
    make(&world, "old", "postgres13").unwrap();
    world.running("db");
    assert_eq!(apply_status(&world, "db"), "in-sync");
    let join = |group: &str| {
        let change = ModifyDBInstanceMessage { db_parameter_group_name: text(group), ..Default::default() };
        world.modify("db", change).map(|_| ())
    };
    refused(
        join("old"),
        "InvalidParameterCombination",
        "The Parameter Group old with DBParameterGroupFamily postgres13 can't be used for this instance.",
    );
    join("Mine").unwrap();
    assert_eq!(apply_status(&world, "db"), "pending-reboot");
    let reboot = || {
        let input = RebootDBInstanceMessage { db_instance_identifier: text("db"), ..Default::default() };
        world.control.reboot_db_instance(&caller(), input).unwrap();
        world.reach("db", linkway_model::database::DbStatus::Available);
    };
    reboot();
    assert_eq!(apply_status(&world, "db"), "in-sync");
    // PostgreSQL takes this one while it runs, and not the other.
    set(&world, "mine", &[("work_mem", "8192", "immediate")]).unwrap();
    assert_eq!(apply_status(&world, "db"), "in-sync");
    set(&world, "mine", &[("max_connections", "50", "pending-reboot")]).unwrap();
    assert_eq!(apply_status(&world, "db"), "pending-reboot");
    reboot();
    set(&world, "mine", &[("max_connections", "50", "pending-reboot")]).unwrap();
    assert_eq!(apply_status(&world, "db"), "in-sync");
    refused(
        delete(&world, "mine"),
        "InvalidDBParameterGroupState",
        "One or more database instances are still members of this parameter group mine, so the group cannot be deleted",
    );
    join("default.postgres15").unwrap();
    delete(&world, "mine").unwrap();
    // A new one is made with its group at once.
    make(&world, "mine", "postgres15").unwrap();
    world.create(CreateDBInstanceMessage { db_parameter_group_name: text("mine"), ..input("new") }).unwrap();
    assert_eq!(apply_status(&world, "new"), "in-sync");
}

#[test]
fn mariadb_takes_nothing_while_it_runs() {
    let world = World::with_group();
    make(&world, "maria", "mariadb10.11").unwrap();
    let asked = CreateDBInstanceMessage {
        engine: text("mariadb"),
        db_parameter_group_name: text("maria"),
        ..input("db")
    };
    world.create(asked).unwrap();
    set(&world, "maria", &[("wait_timeout", "60", "immediate")]).unwrap();
    assert_eq!(apply_status(&world, "db"), "pending-reboot");
}

#[test]
fn an_engines_parameters_come_in_pages() {
    let world = World::new();
    let page = |marker: Option<String>| {
        let input = DescribeEngineDefaultParametersMessage {
            db_parameter_group_family: text("mariadb10.11"),
            max_records: Some(20),
            marker,
            ..Default::default()
        };
        world.control.describe_engine_default_parameters(&caller(), input).unwrap().engine_defaults.unwrap()
    };
    let (mut names, mut marker) = (Vec::new(), None);
    for _ in 0..10 {
        let found = page(marker);
        names.extend(found.parameters.into_iter().map(|parameter| parameter.parameter_name.unwrap()));
        marker = found.marker;
        if marker.is_none() {
            break;
        }
    }
    assert!(names.is_sorted() && names.len() > 40);
    assert!(names.contains(&"require_secure_transport".into()));
    assert!(!names.contains(&"local_infile".into()));
}
