//! `CreateDBInstance` and `DescribeDBInstances`.

use linkway_model::database::{DbInstance, DbStatus};
use linkway_wire::ec2::{
    DeleteSecurityGroupRequest, DeleteSubnetRequest, DescribeNetworkInterfacesRequest,
    DescribeSubnetsRequest, DescribeVpcsRequest, Ec2,
};
use linkway_wire::rds::*;

use crate::world::{ARN, World, caller, input, refused, stranger, text};

#[test]
fn a_db_instance_has_the_shape_that_aws_gives_it() {
    let world = World::with_group();
    let asked = CreateDBInstanceMessage {
        db_name: text("orders"),
        engine_version: text("15"),
        tags: vec![Tag { key: text("team"), value: text("shop") }],
        ..input("Orders-DB")
    };
    let made = world.create(asked).unwrap();
    assert_eq!(made.db_instance_identifier.as_deref(), Some("orders-db"));
    assert_eq!(made.db_instance_arn, Some(format!("{ARN}db:orders-db")));
    assert_eq!(made.db_instance_status.as_deref(), Some("creating"));
    assert_eq!(made.endpoint, None);
    assert_eq!(made.instance_create_time, None);
    assert_eq!(made.pending_modified_values.unwrap().master_user_password.as_deref(), Some("****"));
    assert_eq!(made.engine_version.as_deref(), Some("15.18"));
    assert_eq!(made.db_name.as_deref(), Some("orders"));
    assert_eq!(made.db_parameter_groups[0].db_parameter_group_name.as_deref(), Some("default.postgres15"));
    assert_eq!(made.option_group_memberships[0].option_group_name.as_deref(), Some("default:postgres-15"));
    assert_eq!(made.vpc_security_groups.len(), 1);
    assert_eq!(made.license_model.as_deref(), Some("postgresql-license"));
    assert_eq!(made.backup_retention_period, Some(1));
    assert_eq!(
        (made.storage_type.as_deref(), made.iops, made.storage_throughput),
        (Some("gp3"), Some(3000), Some(125))
    );
    assert_eq!(made.tag_list, [Tag { key: text("team"), value: text("shop") }]);
    let group = made.db_subnet_group.unwrap();
    assert_eq!(group.vpc_id.as_deref(), Some(world.vpc.as_str()));
    let resource = made.dbi_resource_id.unwrap();
    assert!(resource.starts_with("db-") && resource.len() == 29, "{resource}");

    world.reach("orders-db", DbStatus::Available);
    let shown = world.described("ORDERS-DB").unwrap();
    let endpoint = shown.endpoint.unwrap();
    assert_eq!(endpoint.port, Some(5432));
    assert_eq!(endpoint.hosted_zone_id.as_deref(), Some("Z2R2ITUGPM61AM"));
    let address = endpoint.address.unwrap();
    let labels: Vec<&str> = address.split('.').collect();
    assert_eq!([labels[0], labels[2]], ["orders-db", "us-east-1"]);
    assert_eq!(labels[1].len(), 12);
    assert_eq!(&labels[3..], ["rds", "amazonaws", "com"]);
    assert_eq!(shown.pending_modified_values.unwrap(), PendingModifiedValues::default());

    // The account's next one is under the same domain, and in the other zone.
    world.create(input("second")).unwrap();
    let state = world.store.snapshot();
    let second = state.get::<DbInstance>(format!("{ARN}db:second")).unwrap();
    assert_eq!(second.dns_name.split('.').nth(1), Some(labels[1]));
    assert_ne!(Some(&second.zone), shown.availability_zone.as_ref());
}

#[test]
fn without_a_group_it_is_in_the_default_vpc() {
    let world = World::new();
    let asked = |name: &str| CreateDBInstanceMessage { db_subnet_group_name: None, ..input(name) };
    let group = world.create(asked("db")).unwrap().db_subnet_group.unwrap();
    assert_eq!(group.db_subnet_group_name.as_deref(), Some("default"));
    assert_eq!(group.subnets.len(), 6);
    let vpcs = world.control.describe_vpcs(&caller(), DescribeVpcsRequest::default()).unwrap().vpcs;
    let default = vpcs.into_iter().find(|vpc| vpc.is_default == Some(true)).unwrap();
    assert_eq!(group.vpc_id, default.vpc_id);
    // The same for the next.
    assert_eq!(world.create(asked("second")).unwrap().db_subnet_group.unwrap(), group);

    // With no default subnets, nowhere.
    let bare = World::new();
    let subnets =
        bare.control.describe_subnets(&caller(), DescribeSubnetsRequest::default()).unwrap().subnets;
    for subnet in subnets.into_iter().filter(|subnet| subnet.default_for_az == Some(true)) {
        let input = DeleteSubnetRequest { subnet_id: subnet.subnet_id, dry_run: None };
        bare.control.delete_subnet(&caller(), input).unwrap();
    }
    refused(bare.create(asked("db")), "InvalidSubnet", "No default subnet detected");
}

#[test]
fn its_interface_is_rdss_and_holds_what_it_uses() {
    let world = World::with_group();
    let group = world.security_group(&world.vpc, "db");
    let asked = CreateDBInstanceMessage {
        vpc_security_group_ids: vec![group.clone()],
        availability_zone: text("us-east-1b"),
        ..input("db")
    };
    assert_eq!(world.create(asked).unwrap().availability_zone.as_deref(), Some("us-east-1b"));
    let describe = DescribeNetworkInterfacesRequest::default();
    let found = world.control.describe_network_interfaces(&caller(), describe).unwrap().network_interfaces;
    let [interface] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(interface.description.as_deref(), Some("RDSNetworkInterface"));
    assert_eq!(interface.requester_id.as_deref(), Some("amazon-rds"));
    assert_eq!(interface.requester_managed, Some(true));
    assert_eq!(interface.subnet_id.as_ref(), Some(&world.subnets[1]));
    assert_eq!(interface.groups[0].group_id.as_ref(), Some(&group));
    let state = world.store.snapshot();
    let kept = state.get::<DbInstance>(format!("{ARN}db:db")).unwrap();
    assert_eq!(Some(kept.interface.as_str()), interface.network_interface_id.as_deref());

    let input = DeleteSecurityGroupRequest { group_id: Some(group), ..Default::default() };
    refused(world.control.delete_security_group(&caller(), input), "DependencyViolation", "");
    let input = DeleteSubnetRequest { subnet_id: Some(world.subnets[1].clone()), ..Default::default() };
    refused(world.control.delete_subnet(&caller(), input), "DependencyViolation", "");
}

/// A request that differs from a good one, and what it is refused with.
type Case = (fn(&mut CreateDBInstanceMessage), &'static str, &'static str);

const IDENTIFIER: &str = "The parameter DBInstanceIdentifier is not a valid identifier";
const PASSWORD: &str = "The parameter MasterUserPassword is not a valid password";

const REFUSED: &[Case] = &[
    (|i| i.db_instance_identifier = text("1db"), "InvalidParameterValue", IDENTIFIER),
    (|i| i.db_instance_identifier = text("a--b"), "InvalidParameterValue", IDENTIFIER),
    (|i| i.db_instance_identifier = text("db-"), "InvalidParameterValue", IDENTIFIER),
    (|i| i.db_instance_identifier = text("a_b"), "InvalidParameterValue", IDENTIFIER),
    (|i| i.db_instance_identifier = Some("a".repeat(64)), "InvalidParameterValue", IDENTIFIER),
    (
        |i| i.db_instance_class = text("t3.micro"),
        "InvalidParameterValue",
        "Invalid DB Instance class: t3.micro",
    ),
    (|i| i.engine = text("oracle-ee"), "InvalidParameterValue", "Invalid DB engine: oracle-ee"),
    (
        |i| i.engine = text("mysql"),
        "InvalidParameterCombination",
        "This host has no server for the engine mysql.",
    ),
    (
        |i| i.engine_version = text("15.1"),
        "InvalidParameterCombination",
        "Cannot find version 15.1 for postgres",
    ),
    (|i| i.engine_version = text("16"), "InvalidParameterCombination", "Cannot find version 16 for postgres"),
    (|i| i.master_username = None, "InvalidParameterValue", "The parameter MasterUsername must be provided"),
    (
        |i| i.master_username = text("admin"),
        "InvalidParameterValue",
        "MasterUsername admin cannot be used as it is a reserved",
    ),
    (
        |i| i.master_username = text("RDSadmin"),
        "InvalidParameterValue",
        "MasterUsername RDSadmin cannot be used",
    ),
    (|i| i.master_username = text("select"), "InvalidParameterValue", "MasterUsername select cannot be used"),
    (|i| i.master_username = text("a'b"), "InvalidParameterValue", "Invalid master user name"),
    (
        |i| i.master_user_password = None,
        "InvalidParameterValue",
        "The parameter MasterUserPassword must be provided",
    ),
    (|i| i.master_user_password = text("short"), "InvalidParameterValue", PASSWORD),
    (|i| i.master_user_password = text("with space"), "InvalidParameterValue", PASSWORD),
    (|i| i.master_user_password = text("at@at@at@"), "InvalidParameterValue", PASSWORD),
    (|i| i.master_user_password = text("line\nbreak"), "InvalidParameterValue", PASSWORD),
    (|i| i.master_user_password = Some("p".repeat(129)), "InvalidParameterValue", PASSWORD),
    (|i| i.db_name = text("my-db"), "InvalidParameterValue", "DBName must begin with a letter"),
    (|i| i.db_name = text("template1"), "InvalidParameterValue", "DBName template1 cannot be used."),
    (|i| i.port = Some(1149), "InvalidParameterValue", "Invalid database port: 1149"),
    (|i| i.port = Some(65536), "InvalidParameterValue", "Invalid database port: 65536"),
    (
        |i| i.allocated_storage = None,
        "InvalidParameterValue",
        "The parameter AllocatedStorage must be provided",
    ),
    (
        |i| i.allocated_storage = Some(19),
        "InvalidParameterValue",
        "Invalid storage size for engine name postgres and storage type gp3: 19",
    ),
    (|i| i.storage_type = text("tape"), "InvalidParameterValue", "Invalid storage type: tape"),
    (
        |i| i.iops = Some(5000),
        "InvalidParameterValue",
        "Invalid storage size for engine name postgres and storage type io1: 20",
    ),
    (
        |i| i.backup_retention_period = Some(36),
        "InvalidParameterValue",
        "Invalid backup retention period: 36.",
    ),
    (
        |i| i.max_allocated_storage = Some(20),
        "InvalidParameterCombination",
        "Max storage size must be greater",
    ),
    (
        |i| i.monitoring_interval = Some(60),
        "InvalidParameterCombination",
        "A MonitoringRoleARN value is required",
    ),
    (|i| i.license_model = text("license-included"), "InvalidParameterValue", "Invalid license model"),
    (|i| i.ca_certificate_identifier = text("rds-ca-2019"), "CertificateNotFound", "Certificate rds-ca-2019"),
    (
        |i| i.db_subnet_group_name = text("none"),
        "DBSubnetGroupNotFoundFault",
        "DB subnet group 'none' does not exist.",
    ),
    (
        |i| i.availability_zone = text("us-east-1c"),
        "InvalidVPCNetworkStateFault",
        "The DB subnet group 'main' has no subnet",
    ),
    (
        |i| (i.availability_zone, i.multi_az) = (text("us-east-1a"), Some(true)),
        "InvalidParameterCombination",
        "Requesting a specific",
    ),
    (
        |i| i.vpc_security_group_ids = vec!["sg-0".into()],
        "InvalidParameterValue",
        "Invalid security group , groupId= sg-0",
    ),
    (
        |i| i.db_parameter_group_name = text("mine"),
        "DBParameterGroupNotFound",
        "DBParameterGroup not found: mine",
    ),
    (
        |i| i.db_parameter_group_name = text("default.mysql8.0"),
        "InvalidParameterCombination",
        "The Parameter Group default.mysql8.0",
    ),
    (
        |i| i.option_group_name = text("mine"),
        "OptionGroupNotFoundFault",
        "Specified OptionGroupName: mine not found.",
    ),
    (
        |i| i.publicly_accessible = Some(true),
        "InvalidVPCNetworkStateFault",
        "Cannot create a publicly accessible DBInstance.",
    ),
    (|i| i.network_type = text("DUAL"), "NetworkTypeNotSupported", ""),
    (
        |i| i.manage_master_user_password = Some(true),
        "InvalidParameterCombination",
        "There is no Secrets Manager",
    ),
    (
        |i| i.enable_iam_database_authentication = Some(true),
        "InvalidParameterCombination",
        "IAM database authentication",
    ),
    (|i| i.db_cluster_identifier = text("c"), "InvalidParameterCombination", "There are no DB clusters"),
    (|i| i.backup_target = text("outposts"), "InvalidParameterCombination", "There are no Outposts"),
    (
        |i| i.engine_lifecycle_support = text("none"),
        "InvalidParameterValue",
        "Invalid EngineLifecycleSupport",
    ),
    (
        |i| i.tag_specifications = vec![TagSpecification::default()],
        "InvalidParameterCombination",
        "There are no backups",
    ),
    (|i| i.kms_key_id = text("key"), "InvalidParameterCombination", "KmsKeyId"),
];

#[test]
fn what_a_db_instance_cannot_be() {
    let world = World::with_group();
    for (change, code, words) in REFUSED {
        let mut asked = input("db");
        change(&mut asked);
        refused(world.create(asked), code, words);
    }
    let elsewhere = world.make_vpc("10.9.0.0/16");
    let group = world.security_group(&elsewhere, "far");
    let asked = CreateDBInstanceMessage { vpc_security_group_ids: vec![group], ..input("db") };
    refused(
        world.create(asked),
        "InvalidParameterCombination",
        "The DB instance and EC2 security group are in",
    );
    // Nothing is left of what was refused.
    let describe = DescribeNetworkInterfacesRequest::default();
    let found = world.control.describe_network_interfaces(&caller(), describe).unwrap().network_interfaces;
    assert_eq!(found, []);
}

#[test]
fn names_are_the_accounts() {
    let world = World::with_group();
    world.create(input("db")).unwrap();
    refused(world.create(input("DB")), "DBInstanceAlreadyExists", "DB instance already exists");
    let by =
        |name: &str| DescribeDBInstancesMessage { db_instance_identifier: text(name), ..Default::default() };
    let missing = world.control.describe_db_instances(&stranger(), by("db")).unwrap_err();
    assert_eq!((missing.code.as_str(), missing.status), ("DBInstanceNotFound", 404));
    assert_eq!(missing.message, "DBInstance db not found.");
    let found = world.control.describe_db_instances(&caller(), by(&format!("{ARN}db:db"))).unwrap();
    assert_eq!(found.db_instances.len(), 1);
}

#[test]
fn filters_and_pages() {
    let world = World::with_group();
    for number in 0..25 {
        world.create(input(&format!("db-{number:02}"))).unwrap();
    }
    let mariadb = CreateDBInstanceMessage { engine: text("mariadb"), ..input("maria") };
    assert_eq!(world.create(mariadb).unwrap().engine_version.as_deref(), Some("10.11.14"));
    let by = |name: &str, values: &[&str]| {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        let filters = vec![Filter { name: text(name), values }];
        let input = DescribeDBInstancesMessage { filters, ..Default::default() };
        world.control.describe_db_instances(&caller(), input).map(|found| found.db_instances)
    };
    let resource = world.described("db-03").unwrap().dbi_resource_id.unwrap();
    assert_eq!(
        by("dbi-resource-id", &[&resource]).unwrap()[0].db_instance_identifier.as_deref(),
        Some("db-03")
    );
    assert_eq!(by("engine", &["mariadb"]).unwrap().len(), 1);
    assert_eq!(by("db-instance-id", &["db-01", &format!("{ARN}db:maria"), "db-99"]).unwrap().len(), 2);
    assert_eq!(by("db-cluster-id", &["any"]).unwrap().len(), 0);
    refused(by("colour", &["red"]), "InvalidParameterValue", "Unrecognized filter name: colour");

    let page = |max_records, marker| {
        let input =
            DescribeDBInstancesMessage { max_records: Some(max_records), marker, ..Default::default() };
        world.control.describe_db_instances(&caller(), input)
    };
    let first = page(20, None).unwrap();
    assert_eq!(first.db_instances.len(), 20);
    let second = page(20, first.marker).unwrap();
    assert_eq!((second.db_instances.len(), second.marker), (6, None));
    refused(
        page(19, None),
        "InvalidParameterValue",
        "Invalid value 19 for MaxRecords. Must be between 20 and 100",
    );
    refused(page(20, text("zz")), "InvalidParameterValue", "Invalid value zz for Marker.");
}

#[test]
fn an_account_has_forty_at_most() {
    let world = World::with_group();
    for number in 0..40 {
        world.create(input(&format!("db-{number}"))).unwrap();
    }
    refused(world.create(input("one-more")), "InstanceQuotaExceeded", "");
}

#[test]
fn full_subnets_are_passed_over() {
    let world = World::new();
    let small = world.subnet(&world.vpc, "10.0.2.0/28", 'c');
    world.subnet_group("main", &[world.subnets[0].clone(), small]).unwrap();
    let in_zone =
        |name: &str| CreateDBInstanceMessage { availability_zone: text("us-east-1c"), ..input(name) };
    for number in 0..11 {
        world.create(in_zone(&format!("db-{number}"))).unwrap();
    }
    refused(
        world.create(in_zone("more")),
        "InvalidVPCNetworkStateFault",
        "The subnets of the DB subnet group 'main'",
    );
    assert_eq!(world.create(input("more")).unwrap().availability_zone.as_deref(), Some("us-east-1a"));
}
