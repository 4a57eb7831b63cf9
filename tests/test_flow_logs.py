"""Flow logs, as far as they are kept; and permissions to interfaces."""

import json

import pytest

from harness.aws import Account, refusal

BUCKET = "arn:aws:s3:::flow-logs/shop"
ROLE = "arn:aws:iam::123456789012:role/flow-logs"
TO_BUCKET = {"LogDestinationType": "s3", "LogDestination": BUCKET}


@pytest.fixture
def place(aws):
    """A VPC with a subnet and an interface."""
    aws.in_vpc = aws.vpc()
    aws.in_subnet = aws.subnet(aws.in_vpc, "10.0.0.0/24")
    made = aws.ec2.create_network_interface(SubnetId=aws.in_subnet)
    aws.eni = made["NetworkInterface"]["NetworkInterfaceId"]
    return aws


def asked(kind, *resources, **options):
    return {"ResourceType": kind, "ResourceIds": list(resources), "TrafficType": "ALL"} | (options or TO_BUCKET)


def test_flow_logs_from_nothing_to_nothing(place):
    ec2 = place.ec2
    tags = [{"ResourceType": "vpc-flow-log", "Tags": [{"Key": "team", "Value": "shop"}]}]
    made = ec2.create_flow_logs(
        **asked("VPC", place.in_vpc, "vpc-00000000000000000"), TagSpecifications=tags, ClientToken="once",
    )
    [log] = made["FlowLogIds"]
    assert log.startswith("fl-") and made["ClientToken"] == "once"
    [refused] = made["Unsuccessful"]
    assert refused["ResourceId"] == "vpc-00000000000000000" and refused["Error"]["Code"] == "InvalidVpcID.NotFound"

    [found] = ec2.describe_flow_logs(FlowLogIds=[log])["FlowLogs"]
    assert (found["ResourceId"], found["TrafficType"], found["FlowLogStatus"]) == (place.in_vpc, "ALL", "ACTIVE")
    assert (found["LogDestinationType"], found["LogDestination"]) == ("s3", BUCKET)
    assert found["MaxAggregationInterval"] == 600 and found["LogFormat"].startswith("${version} ${account-id} ")
    assert found["DeliverLogsStatus"] == "FAILED" and "not delivered yet" in found["DeliverLogsErrorMessage"]
    assert found["Tags"] == [{"Key": "team", "Value": "shop"}]

    # Asked once more, with the token and without.
    again = asked("VPC", place.in_vpc, "vpc-00000000000000000")
    assert ec2.create_flow_logs(**again, TagSpecifications=tags, ClientToken="once")["FlowLogIds"] == [log]
    assert refusal(ec2.create_flow_logs, **asked("VPC", place.in_vpc), ClientToken="once")[0] == (
        "IdempotentParameterMismatch"
    )
    twice = ec2.create_flow_logs(**asked("VPC", place.in_vpc))
    assert twice["FlowLogIds"] == [] and twice["Unsuccessful"][0]["Error"] == {
        "Code": "FlowLogAlreadyExists",
        "Message": "Error. There is an existing Flow Log with the same configuration and log destination.",
    }

    group = {"LogGroupName": "shop", "DeliverLogsPermissionArn": ROLE, "MaxAggregationInterval": 60}
    [other] = ec2.create_flow_logs(**asked("NetworkInterface", place.eni, **group))["FlowLogIds"]
    [subnets] = ec2.create_flow_logs(
        **asked("Subnet", place.in_subnet, **TO_BUCKET, LogFormat="${srcaddr} ${flow-direction}")
    )["FlowLogIds"]

    def ids(*filters):
        page = ec2.describe_flow_logs(Filters=[{"Name": name, "Values": [value]} for name, value in filters])
        return {found["FlowLogId"] for found in page["FlowLogs"]}

    assert ids() == {log, other, subnets}
    assert ids(("resource-id", place.eni)) == ids(("log-group-name", "shop")) == {other}
    assert ids(("log-destination-type", "s3"), ("tag:team", "shop")) == {log}
    assert ids(("traffic-type", "REJECT")) == set() and ids(("deliver-log-status", "FAILED")) == ids()
    pages = ec2.get_paginator("describe_flow_logs").paginate(PaginationConfig={"PageSize": 2})
    assert sum(len(page["FlowLogs"]) for page in pages) == 3
    ec2.create_tags(Resources=[other], Tags=[{"Key": "env", "Value": "test"}])
    assert ids(("tag-key", "env")) == {other}

    gone = ec2.delete_flow_logs(FlowLogIds=[log, "fl-00000000000000000"])["Unsuccessful"]
    assert gone == [{
        "ResourceId": "fl-00000000000000000",
        "Error": {"Code": "InvalidFlowLogId.NotFound", "Message": "The flow log ID 'fl-00000000000000000' does not exist"},
    }]
    assert ids() == {other, subnets}
    assert refusal(ec2.describe_flow_logs, FlowLogIds=[log])[0] == "InvalidFlowLogId.NotFound"


@pytest.mark.parametrize(
    "options, said",
    [
        ({"LogDestinationType": "s3"}, "LogDestination can't be empty if LogGroupName is not provided."),
        (TO_BUCKET | {"LogGroupName": "a"}, "Please only provide LogGroupName or only provide LogDestination."),
        (
            {"LogDestinationType": "s3", "LogGroupName": "a"},
            "LogDestination type must be cloud-watch-logs if LogGroupName is provided.",
        ),
        (
            {"LogGroupName": "a"},
            "DeliverLogsPermissionArn can't be empty if LogDestinationType is cloud-watch-logs.",
        ),
        (TO_BUCKET | {"MaxAggregationInterval": 30}, "Invalid Flow Log Max Aggregation Interval"),
        (TO_BUCKET | {"LogFormat": "${version} ${nothing}"}, "Unknown fields provided: ${nothing}"),
        (TO_BUCKET | {"LogDestinationType": "kinesis-data-firehose"}, f"LogDestination: {BUCKET} is not the ARN"),
    ],
)
def test_what_cannot_be_logged(place, options, said):
    code, message = refusal(place.ec2.create_flow_logs, **asked("VPC", place.in_vpc, **options))
    assert code == "InvalidParameter" and message.startswith(said), (code, message)
    assert place.ec2.describe_flow_logs()["FlowLogs"] == []


def test_permissions_to_an_interface(place, other):
    ec2 = place.ec2
    asked = {"NetworkInterfaceId": place.eni, "Permission": "INSTANCE-ATTACH"}
    given = ec2.create_network_interface_permission(**asked, AwsAccountId="210987654321")["InterfacePermission"]
    permission = given["NetworkInterfacePermissionId"]
    assert permission.startswith("eni-perm-") and given["PermissionState"] == {"State": "granted"}
    again = ec2.create_network_interface_permission(**asked, AwsAccountId="210987654321")
    assert again["InterfacePermission"] == given
    assert refusal(ec2.create_network_interface_permission, **asked)[0] == "MissingParameter"
    assert refusal(ec2.create_network_interface_permission, **asked, AwsAccountId="1")[0] == "InvalidParameterValue"
    assert refusal(
        other.ec2.create_network_interface_permission, **asked, AwsAccountId="123456789012"
    )[0] == "InvalidNetworkInterfaceID.NotFound"

    filters = [{"Name": "network-interface-permission.aws-account-id", "Values": ["210987654321"]}]
    assert ec2.describe_network_interface_permissions(Filters=filters)["NetworkInterfacePermissions"] == [given]
    assert other.ec2.describe_network_interface_permissions()["NetworkInterfacePermissions"] == []
    assert ec2.delete_network_interface_permission(NetworkInterfacePermissionId=permission)["Return"] is True
    assert refusal(ec2.delete_network_interface_permission, NetworkInterfacePermissionId=permission) == (
        "InvalidNetworkInterfacePermissionID.NotFound",
        f"The network interface permission ID '{permission}' does not exist",
    )


def test_a_role_is_passed_by_who_may(place):
    iam = place.client("iam")
    iam.create_user(UserName="logger")
    allowed = [{"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}]

    def allow():
        document = {"Version": "2012-10-17", "Statement": allowed}
        iam.put_user_policy(UserName="logger", PolicyName="logs", PolicyDocument=json.dumps(document))

    allow()
    key = iam.create_access_key(UserName="logger")["AccessKey"]
    logger = Account(place.url, key["AccessKeyId"], key["SecretAccessKey"]).ec2
    group = asked("VPC", place.in_vpc, LogGroupName="shop", DeliverLogsPermissionArn=ROLE)
    code, message = refusal(logger.create_flow_logs, **group)
    assert code == "UnauthorizedOperation" and f"iam:PassRole on resource: {ROLE}" in message
    assert logger.create_flow_logs(**asked("VPC", place.in_vpc))["Unsuccessful"] == [], "no role is passed"
    to_logs = {"StringEquals": {"iam:PassedToService": "vpc-flow-logs.amazonaws.com"}}
    allowed.append({"Effect": "Allow", "Action": "iam:PassRole", "Resource": ROLE, "Condition": to_logs})
    allow()
    assert logger.create_flow_logs(**group)["Unsuccessful"] == []
