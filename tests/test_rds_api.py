"""RDS's API by boto3 and the AWS CLI: what works without a database server, and what is refused."""

import json

import botocore.exceptions
import pytest

from harness.aws import refusal

ARN = "arn:aws:rds:us-east-1:123456789012:"


@pytest.fixture
def group(aws):
    """A DB subnet group `main` with subnets in two zones."""
    vpc = aws.vpc()
    subnets = [aws.subnet(vpc, "10.0.1.0/24", "a"), aws.subnet(vpc, "10.0.2.0/24", "b")]
    made = aws.rds.create_db_subnet_group(
        DBSubnetGroupName="Main",
        DBSubnetGroupDescription="for tests",
        SubnetIds=subnets,
        Tags=[{"Key": "team", "Value": "shop & till"}],
    )
    return made["DBSubnetGroup"]


def run_cli(aws, *arguments):
    """Run `aws rds`. For this service in us-east-1, version 1 of the AWS CLI does not look at AWS_ENDPOINT_URL."""
    return aws.cli("--endpoint-url", aws.url, "rds", *arguments, "--output", "json")


def cli(aws, *arguments):
    """What a command of `aws rds` prints."""
    done = run_cli(aws, *arguments)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) if done.stdout else None


def asked(**changes):
    """What `create_db_instance` is asked for with."""
    return {
        "DBInstanceIdentifier": "db",
        "DBInstanceClass": "db.t3.micro",
        "Engine": "postgres",
        "AllocatedStorage": 20,
        "MasterUsername": "app",
        "MasterUserPassword": "correct-horse",
        "DBSubnetGroupName": "main",
    } | changes


def test_a_subnet_group_by_boto3(aws, group):
    assert group["DBSubnetGroupName"] == "main"
    assert group["DBSubnetGroupArn"] == f"{ARN}subgrp:main"
    zones = {subnet["SubnetAvailabilityZone"]["Name"] for subnet in group["Subnets"]}
    assert zones == {"us-east-1a", "us-east-1b"}
    third = aws.subnet(group["VpcId"], "10.0.3.0/24", "c")
    subnets = [subnet["SubnetIdentifier"] for subnet in group["Subnets"]] + [third]
    changed = aws.rds.modify_db_subnet_group(DBSubnetGroupName="main", SubnetIds=subnets)["DBSubnetGroup"]
    assert len(changed["Subnets"]) == 3
    [shown] = aws.rds.describe_db_subnet_groups(DBSubnetGroupName="main")["DBSubnetGroups"]
    assert shown == changed
    aws.rds.delete_db_subnet_group(DBSubnetGroupName="main")
    with pytest.raises(botocore.exceptions.ClientError) as error:
        aws.rds.describe_db_subnet_groups(DBSubnetGroupName="main")
    assert error.value.response["Error"] == {
        "Type": "Sender",
        "Code": "DBSubnetGroupNotFoundFault",
        "Message": "DB subnet group 'main' does not exist.",
    }
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404
    # boto3 has a class for it.
    assert isinstance(error.value, aws.rds.exceptions.DBSubnetGroupNotFoundFault)


def test_a_subnet_group_by_the_aws_cli(aws):
    vpc = aws.vpc()
    subnets = [aws.subnet(vpc, "10.0.1.0/24", "a"), aws.subnet(vpc, "10.0.2.0/24", "b")]
    words = ["--db-subnet-group-name", "by-cli", "--db-subnet-group-description", "for tests"]
    made = cli(aws, "create-db-subnet-group", *words, "--subnet-ids", *subnets)
    assert made["DBSubnetGroup"]["SubnetGroupStatus"] == "Complete"
    assert cli(aws, "describe-db-subnet-groups")["DBSubnetGroups"] == [made["DBSubnetGroup"]]
    done = run_cli(aws, "create-db-subnet-group", *words, "--subnet-ids", subnets[0])
    assert "(DBSubnetGroupAlreadyExists)" in done.stderr
    cli(aws, "delete-db-subnet-group", "--db-subnet-group-name", "by-cli")
    assert cli(aws, "describe-db-subnet-groups")["DBSubnetGroups"] == []


def test_a_parameter_group_by_boto3(aws):
    aws.rds.create_db_parameter_group(
        DBParameterGroupName="mine", DBParameterGroupFamily="postgres15", Description="for tests"
    )
    aws.rds.modify_db_parameter_group(
        DBParameterGroupName="mine",
        Parameters=[
            {"ParameterName": "max_connections", "ParameterValue": "50", "ApplyMethod": "pending-reboot"},
            {"ParameterName": "log_statement", "ParameterValue": "ddl", "ApplyMethod": "immediate"},
        ],
    )

    def own():
        pages = aws.rds.get_paginator("describe_db_parameters").paginate(
            DBParameterGroupName="mine", Source="user", PaginationConfig={"PageSize": 20}
        )
        return {found["ParameterName"]: found["ParameterValue"] for page in pages for found in page["Parameters"]}

    assert own() == {"log_statement": "ddl", "max_connections": "50"}
    names = [
        found["ParameterName"]
        for page in aws.rds.get_paginator("describe_db_parameters").paginate(
            DBParameterGroupName="mine", PaginationConfig={"PageSize": 20}
        )
        for found in page["Parameters"]
    ]
    assert len(names) == len(set(names)) > 20
    aws.rds.reset_db_parameter_group(DBParameterGroupName="mine", ResetAllParameters=True)
    assert own() == {}
    refused = refusal(
        aws.rds.modify_db_parameter_group,
        DBParameterGroupName="mine",
        Parameters=[{"ParameterName": "archive_command", "ParameterValue": "id", "ApplyMethod": "immediate"}],
    )
    assert refused == ("InvalidParameterValue", "Could not find parameter with name: archive_command")
    aws.rds.delete_db_parameter_group(DBParameterGroupName="mine")
    assert refusal(aws.rds.describe_db_parameters, DBParameterGroupName="mine")[0] == "DBParameterGroupNotFound"


def test_a_parameter_group_by_the_aws_cli(aws):
    name = ["--db-parameter-group-name", "by-cli"]
    family = ["--db-parameter-group-family", "mariadb10.11", "--description", "for tests"]
    made = cli(aws, "create-db-parameter-group", *name, *family)
    assert made["DBParameterGroup"]["DBParameterGroupFamily"] == "mariadb10.11"
    change = "ParameterName=max_connections,ParameterValue=77,ApplyMethod=immediate"
    assert cli(aws, "modify-db-parameter-group", *name, "--parameters", change) == {"DBParameterGroupName": "by-cli"}
    [set_] = cli(aws, "describe-db-parameters", *name, "--source", "user")["Parameters"]
    assert (set_["ParameterName"], set_["ParameterValue"], set_["ApplyType"]) == ("max_connections", "77", "dynamic")
    defaults = cli(aws, "describe-engine-default-parameters", "--db-parameter-group-family", "postgres15")
    [force] = [p for p in defaults["EngineDefaults"]["Parameters"] if p["ParameterName"] == "rds.force_ssl"]
    assert force["ParameterValue"] == "1"


def test_tags(aws, group):
    name = group["DBSubnetGroupArn"]

    def tags():
        found = aws.rds.list_tags_for_resource(ResourceName=name)["TagList"]
        return {tag["Key"]: tag["Value"] for tag in found}

    assert tags() == {"team": "shop & till"}
    aws.rds.add_tags_to_resource(ResourceName=name, Tags=[{"Key": "stage", "Value": "test"}])
    aws.rds.remove_tags_from_resource(ResourceName=name, TagKeys=["team"])
    assert tags() == {"stage": "test"}
    assert refusal(aws.rds.list_tags_for_resource, ResourceName="arn:aws:s3:::bucket")[0] == "InvalidParameterValue"


def test_engine_versions_are_the_hosts(aws):
    found = aws.rds.describe_db_engine_versions()["DBEngineVersions"]
    assert {version["Engine"] for version in found} <= {"postgres", "mysql", "mariadb"}
    for version in found:
        again = cli(
            aws,
            "describe-db-engine-versions",
            "--engine",
            version["Engine"],
            "--engine-version",
            version["EngineVersion"],
        )
        assert again["DBEngineVersions"] == [version]
    code, message = refusal(aws.rds.describe_db_engine_versions, Engine="db3")
    assert (code, message) == ("InvalidParameterValue", "Unrecognized engine name: db3")


def test_a_db_instance_needs_a_server(aws, group):
    code, message = refusal(aws.rds.create_db_instance, **asked(Engine="oracle-ee"))
    assert code == "InvalidParameterValue" and message.startswith("Invalid DB engine: oracle-ee")
    # No distribution has it.
    code, message = refusal(aws.rds.create_db_instance, **asked(EngineVersion="9.6"))
    assert code == "InvalidParameterCombination"
    assert message.startswith("Cannot find version 9.6 for postgres") or "package postgresql" in message
    assert aws.rds.describe_db_instances()["DBInstances"] == []


@pytest.mark.parametrize(
    "call",
    [
        lambda rds: refusal(rds.describe_db_instances, DBInstanceIdentifier="db"),
        lambda rds: refusal(rds.modify_db_instance, DBInstanceIdentifier="db", AllocatedStorage=30),
        lambda rds: refusal(rds.delete_db_instance, DBInstanceIdentifier="db", SkipFinalSnapshot=True),
        lambda rds: refusal(rds.start_db_instance, DBInstanceIdentifier="db"),
        lambda rds: refusal(rds.stop_db_instance, DBInstanceIdentifier="db"),
        lambda rds: refusal(rds.reboot_db_instance, DBInstanceIdentifier="db"),
    ],
)
def test_a_db_instance_that_is_not_there(aws, call):
    assert call(aws.rds) == ("DBInstanceNotFound", "DBInstance db not found.")


def test_the_waiter_for_deletion_is_content(aws):
    aws.rds.get_waiter("db_instance_deleted").wait(
        DBInstanceIdentifier="db", WaiterConfig={"Delay": 1, "MaxAttempts": 1}
    )


def test_accounts_do_not_see_each_others_groups(aws, other, group):
    assert other.rds.describe_db_subnet_groups()["DBSubnetGroups"] == []
    code, _ = refusal(other.rds.delete_db_subnet_group, DBSubnetGroupName="main")
    assert code == "DBSubnetGroupNotFoundFault"
    name = group["DBSubnetGroupArn"]
    assert refusal(other.rds.list_tags_for_resource, ResourceName=name)[0] == "InvalidParameterValue"


def test_pages(aws, group):
    subnets = [subnet["SubnetIdentifier"] for subnet in group["Subnets"]]
    for number in range(24):
        aws.rds.create_db_subnet_group(
            DBSubnetGroupName=f"g{number}", DBSubnetGroupDescription="for tests", SubnetIds=subnets
        )
    pages = aws.rds.get_paginator("describe_db_subnet_groups").paginate(PaginationConfig={"PageSize": 20})
    assert [len(page["DBSubnetGroups"]) for page in pages] == [20, 5]
    code, message = refusal(aws.rds.describe_db_subnet_groups, MaxRecords=19)
    assert (code, message) == ("InvalidParameterValue", "Invalid value 19 for MaxRecords. Must be between 20 and 100")


def test_what_does_not_exist_is_none(aws):
    assert aws.rds.describe_db_clusters()["DBClusters"] == []
    assert aws.rds.describe_db_snapshots()["DBSnapshots"] == []
    assert aws.rds.describe_pending_maintenance_actions()["PendingMaintenanceActions"] == []
    with pytest.raises(botocore.exceptions.ClientError) as error:
        aws.rds.describe_events()
    assert error.value.response["Error"]["Code"] == "InvalidAction"
