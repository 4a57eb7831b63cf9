//! A control plane on a host that has database servers, and short ways to make what tests need.

use std::fmt::Debug;
use std::sync::Arc;

use linkway_control::{Caller, Control, Settings};
use linkway_model::database::{DbEngine, DbInstance, DbStatus, InstalledEngine};
use linkway_store::{Store, StoreError};
use linkway_wire::ApiError;
use linkway_wire::ec2::{CreateSecurityGroupRequest, CreateSubnetRequest, CreateVpcRequest, Ec2};
use linkway_wire::rds::*;

pub(crate) const REGION: &str = "us-east-1";

/// What the arns of the caller's resources begin with.
pub(crate) const ARN: &str = "arn:aws:rds:us-east-1:111111111111:";

pub(crate) struct World {
    pub(crate) control: Control,
    pub(crate) store: Arc<Store>,
    pub(crate) vpc: String,
    /// In zones a and b.
    pub(crate) subnets: Vec<String>,
}

impl World {
    /// A VPC with two subnets, and no DB subnet group.
    pub(crate) fn new() -> Self {
        let store = Arc::new(Store::ephemeral());
        let server = |engine, version: &str| InstalledEngine { engine, version: version.into() };
        let engines = Arc::new(move || {
            vec![
                server(DbEngine::Postgres, "15.9"),
                server(DbEngine::Postgres, "15.18"),
                server(DbEngine::Postgres, "13.21"),
                server(DbEngine::MariaDb, "10.11.14"),
            ]
        });
        let control = Control::new(Arc::clone(&store), Settings { engines, ..Settings::default() });
        let mut world = Self { control, store, vpc: String::new(), subnets: Vec::new() };
        world.vpc = world.make_vpc("10.0.0.0/16");
        let vpc = world.vpc.clone();
        world.subnets = vec![world.subnet(&vpc, "10.0.0.0/24", 'a'), world.subnet(&vpc, "10.0.1.0/24", 'b')];
        world
    }

    /// The same, with a DB subnet group `main` of both subnets.
    pub(crate) fn with_group() -> Self {
        let world = Self::new();
        world.subnet_group("main", &world.subnets).unwrap();
        world
    }

    pub(crate) fn make_vpc(&self, range: &str) -> String {
        let input = CreateVpcRequest { cidr_block: text(range), ..Default::default() };
        self.control.create_vpc(&caller(), input).unwrap().vpc.unwrap().vpc_id.unwrap()
    }

    pub(crate) fn subnet(&self, vpc: &str, range: &str, zone: char) -> String {
        let input = CreateSubnetRequest {
            vpc_id: text(vpc),
            cidr_block: text(range),
            availability_zone: Some(format!("{REGION}{zone}")),
            ..Default::default()
        };
        self.control.create_subnet(&caller(), input).unwrap().subnet.unwrap().subnet_id.unwrap()
    }

    pub(crate) fn security_group(&self, vpc: &str, name: &str) -> String {
        let input = CreateSecurityGroupRequest {
            vpc_id: text(vpc),
            group_name: text(name),
            description: text("a group"),
            ..Default::default()
        };
        self.control.create_security_group(&caller(), input).unwrap().group_id.unwrap()
    }

    pub(crate) fn subnet_group(&self, name: &str, subnets: &[String]) -> Result<DBSubnetGroup, ApiError> {
        let input = CreateDBSubnetGroupMessage {
            db_subnet_group_name: text(name),
            db_subnet_group_description: text("for tests"),
            subnet_ids: subnets.to_vec(),
            ..Default::default()
        };
        Ok(self.control.create_db_subnet_group(&caller(), input)?.db_subnet_group.unwrap())
    }

    pub(crate) fn create(&self, input: CreateDBInstanceMessage) -> Result<DBInstance, ApiError> {
        Ok(self.control.create_db_instance(&caller(), input)?.db_instance.unwrap())
    }

    /// A DB instance whose server runs.
    pub(crate) fn running(&self, name: &str) -> DBInstance {
        self.create(input(name)).unwrap();
        self.reach(name, DbStatus::Available);
        self.described(name).unwrap()
    }

    pub(crate) fn described(&self, name: &str) -> Result<DBInstance, ApiError> {
        let input = DescribeDBInstancesMessage { db_instance_identifier: text(name), ..Default::default() };
        Ok(self.control.describe_db_instances(&caller(), input)?.db_instances.remove(0))
    }

    pub(crate) fn status(&self, name: &str) -> String {
        self.described(name).unwrap().db_instance_status.unwrap()
    }

    /// Whoever runs the servers says that one has come so far.
    pub(crate) fn reach(&self, name: &str, status: DbStatus) {
        let arn = format!("{ARN}db:{name}");
        let known = self
            .store
            .transact(|tx| Ok::<_, StoreError>(tx.update::<DbInstance>(&arn, |found| found.status = status)));
        assert!(known.unwrap(), "{name}");
    }

    pub(crate) fn modify(&self, name: &str, change: ModifyDBInstanceMessage) -> Result<DBInstance, ApiError> {
        let input = ModifyDBInstanceMessage { db_instance_identifier: text(name), ..change };
        Ok(self.control.modify_db_instance(&caller(), input)?.db_instance.unwrap())
    }

    pub(crate) fn delete(&self, name: &str) -> Result<DBInstance, ApiError> {
        let input = DeleteDBInstanceMessage {
            db_instance_identifier: text(name),
            skip_final_snapshot: Some(true),
            ..Default::default()
        };
        Ok(self.control.delete_db_instance(&caller(), input)?.db_instance.unwrap())
    }
}

/// What a DB instance of PostgreSQL in the group `main` is asked for with.
pub(crate) fn input(name: &str) -> CreateDBInstanceMessage {
    CreateDBInstanceMessage {
        db_instance_identifier: text(name),
        db_instance_class: text("db.t3.micro"),
        engine: text("postgres"),
        allocated_storage: Some(20),
        master_username: text("app"),
        master_user_password: text("correct-horse"),
        db_subnet_group_name: text("main"),
        ..Default::default()
    }
}

pub(crate) fn caller() -> Caller {
    Caller::root("111111111111".parse().unwrap(), REGION.to_owned())
}

pub(crate) fn stranger() -> Caller {
    Caller::root("222222222222".parse().unwrap(), REGION.to_owned())
}

pub(crate) fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

/// Code and message of a refusal.
pub(crate) fn refusal<T: Debug>(answer: Result<T, ApiError>) -> (String, String) {
    let error = answer.unwrap_err();
    (error.code, error.message)
}

/// Assert that an answer is a refusal with this code, and words that begin so.
#[track_caller]
pub(crate) fn refused<T: Debug>(answer: Result<T, ApiError>, code: &str, words: &str) {
    let (is, message) = refusal(answer);
    assert_eq!(is, code, "{message}");
    assert!(message.starts_with(words), "{message}");
}
