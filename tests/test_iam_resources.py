"""What policies say about the resources of a request: by their tags, and by what else AWS lets conditions name."""

import pytest

from harness.aws import refusal
from harness.wait import until
from test_gateway import Place, allow, policy
from test_iam import account, document, iam, may, signing, trusting, user  # noqa: F401

DENIED = "UnauthorizedOperation"
REGION = "us-east-1"


def when(statement, **conditions):
    """The statement with conditions: `StringEquals={key: value}`."""
    return statement | {"Condition": conditions}


def tags(**tags):
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def tagged(kind, **given):
    return [{"ResourceType": kind, "Tags": tags(**given)}]


def test_a_role_deletes_only_what_is_tagged_for_it(account, iam):
    iam.create_role(RoleName="cleaner", AssumeRolePolicyDocument=trusting(AWS=account.number))
    dev = when(may("ec2:Delete*", "ec2:ModifySubnetAttribute"), StringEquals={"aws:ResourceTag/env": "dev"})
    iam.put_role_policy(RoleName="cleaner", PolicyName="p", PolicyDocument=document(dev, may("ec2:Describe*")))
    role = f"arn:aws:iam::{account.number}:role/cleaner"
    made = account.sts.assume_role(RoleArn=role, RoleSessionName="me")["Credentials"]
    cleaner = signing(account, made).ec2
    ec2 = account.ec2
    vpc = account.vpc("10.0.0.0/16")
    subnets = {}
    for number, env in enumerate(("dev", "prod")):
        made = ec2.create_subnet(
            VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", TagSpecifications=tagged("subnet", env=env)
        )
        subnets[env] = made["Subnet"]["SubnetId"]
    code, message = refusal(cleaner.delete_subnet, SubnetId=subnets["prod"])
    assert code == DENIED and f"subnet/{subnets['prod']} because no identity-based policy allows" in message
    assert refusal(cleaner.delete_subnet, SubnetId=subnets["dev"], DryRun=True)[0] == "DryRunOperation"
    # The tags count that are there when it is asked.
    ec2.delete_tags(Resources=[subnets["dev"]], Tags=[{"Key": "env"}])
    assert refusal(cleaner.delete_subnet, SubnetId=subnets["dev"])[0] == DENIED
    ec2.create_tags(Resources=[subnets["dev"]], Tags=tags(env="dev"))
    cleaner.delete_subnet(SubnetId=subnets["dev"])
    # Of several resources, each counts.
    endpoints = [
        ec2.create_vpc_endpoint(
            VpcEndpointType="Gateway", VpcId=vpc, ServiceName=f"com.amazonaws.{REGION}.s3",
            TagSpecifications=tagged("vpc-endpoint", env=env),
        )["VpcEndpoint"]["VpcEndpointId"]
        for env in ("dev", "prod")
    ]
    assert refusal(cleaner.delete_vpc_endpoints, VpcEndpointIds=endpoints)[0] == DENIED
    assert cleaner.delete_vpc_endpoints(VpcEndpointIds=endpoints[:1])["Unsuccessful"] == []


def test_a_deny_by_tag_holds_whatever_way_the_resource_is_named(account, iam):
    kept = when(may("*", effect="Deny"), StringEquals={"ec2:ResourceTag/keep": "yes"})
    ops = user(account, iam, "ops", may("*"), kept).ec2
    ec2 = account.ec2
    vpc = account.vpc("10.0.0.0/16")
    subnet = account.subnet(vpc, "10.0.1.0/24")
    table = ec2.create_route_table(VpcId=vpc, TagSpecifications=tagged("route-table", keep="yes"))
    table = table["RouteTable"]["RouteTableId"]
    association = ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)["AssociationId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    pair = ec2.create_key_pair(KeyName="door", TagSpecifications=tagged("key-pair", keep="yes"))
    address = ec2.allocate_address(TagSpecifications=tagged("elastic-ip", keep="yes"))
    interface = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    held = ec2.associate_address(AllocationId=address["AllocationId"], NetworkInterfaceId=interface)
    for call, arguments in (
        (ops.delete_route_table, {"RouteTableId": table}),
        (ops.disassociate_route_table, {"AssociationId": association}),
        (ops.create_tags, {"Resources": [table], "Tags": tags(keep="no")}),
        (ops.delete_tags, {"Resources": [table]}),
        (ops.delete_key_pair, {"KeyName": "door"}),
        (ops.delete_key_pair, {"KeyPairId": pair["KeyPairId"]}),
        (ops.disassociate_address, {"AssociationId": held["AssociationId"]}),
        (ops.disassociate_address, {"PublicIp": address["PublicIp"]}),
        (ops.release_address, {"AllocationId": address["AllocationId"]}),
    ):
        code, message = refusal(call, **arguments)
        assert code == DENIED and message.endswith("with an explicit deny in an identity-based policy"), message
    # What has no such tag is not meant.
    ops.delete_subnet(SubnetId=account.subnet(vpc, "10.0.2.0/24"))
    ec2.delete_tags(Resources=[table], Tags=[{"Key": "keep"}])
    ops.disassociate_route_table(AssociationId=association)
    ops.delete_route_table(RouteTableId=table)


def test_a_group_may_work_in_one_vpc(account, iam):
    inside, outside = account.vpc("10.0.0.0/16"), account.vpc("10.1.0.0/16")
    arn = f"arn:aws:ec2:{REGION}:{account.number}:vpc/{inside}"
    work = when(may("ec2:*"), ArnEquals={"ec2:Vpc": arn})
    own = when(may("ec2:Create*"), StringEquals={"ec2:VpcID": inside})
    net = user(account, iam, "net", work, own, may("ec2:Describe*")).ec2
    ids = {}
    for vpc, cidr in ((inside, "10.0.1.0/24"), (outside, "10.1.1.0/24")):
        group = account.ec2.create_security_group(GroupName="g", Description="d", VpcId=vpc)["GroupId"]
        acl = account.ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
        subnet = account.subnet(vpc, cidr)
        made = account.ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]
        ids[vpc] = (group, acl, made["NetworkInterfaceId"], subnet)
    for vpc, (group, acl, interface, subnet) in ids.items():
        for call, arguments in (
            (net.delete_security_group, {"GroupId": group}),
            (net.delete_network_acl, {"NetworkAclId": acl}),
            (net.delete_network_interface, {"NetworkInterfaceId": interface}),
            (net.delete_subnet, {"SubnetId": subnet}),
            (net.create_security_group, {"GroupName": "new", "Description": "d", "VpcId": vpc}),
        ):
            # A subnet that is in use is another refusal.
            code = refusal(call, DryRun=True, **arguments)[0]
            expected = ("DryRunOperation", "DependencyViolation") if vpc == inside else (DENIED,)
            assert code in expected, (vpc, call)


def test_endpoints_are_made_to_services_that_are_allowed(account, iam):
    vpc = account.vpc("10.0.0.0/16")
    names = [f"com.amazonaws.{REGION}.{service}" for service in ("s3", "dynamodb")]
    only = when(
        may("ec2:CreateVpcEndpoint", resource="arn:aws:ec2:*:*:vpc-endpoint/*"),
        StringEquals={"ec2:VpceServiceName": names[0], "ec2:VpceServiceOwner": "amazon"},
    )
    there = may("ec2:CreateVpcEndpoint", resource="arn:aws:ec2:*:*:vpc/*")
    maker = user(account, iam, "maker", only, there).ec2
    asked = {"VpcEndpointType": "Gateway", "VpcId": vpc, "DryRun": True}
    assert refusal(maker.create_vpc_endpoint, ServiceName=names[0], **asked)[0] == "DryRunOperation"
    assert refusal(maker.create_vpc_endpoint, ServiceName=names[1], **asked)[0] == DENIED


def test_launches_are_held_to_what_they_come_to(account, iam):
    vpc = account.vpc("10.0.0.0/16")
    subnet = account.subnet(vpc, "10.0.1.0/24")
    image = account.ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    arn = f"arn:aws:ec2:{REGION}:{account.number}:vpc/{vpc}"
    run = "ec2:RunInstances"
    anywhere = [may(run, resource=f"arn:aws:ec2:*:*:{kind}/*") for kind in ("image", "volume", "security-group")]
    statements = [
        *anywhere,
        when(may(run, resource="arn:aws:ec2:*:*:subnet/*"), ArnEquals={"ec2:Vpc": arn}),
        when(may(run, resource="arn:aws:ec2:*:*:network-interface/*"), ArnEquals={"ec2:Vpc": arn}),
        when(
            may(run, resource="arn:aws:ec2:*:*:instance/*"),
            StringEquals={"ec2:MetadataHttpTokens": "required", "aws:RequestTag/env": "dev"},
            StringLike={"ec2:InstanceType": "t3.*"},
        ),
        when(may("ec2:CreateTags"), StringEquals={"ec2:CreateAction": "RunInstances"}),
    ]
    launcher = user(account, iam, "launcher", *statements).ec2
    good = {
        "ImageId": image, "MinCount": 1, "MaxCount": 1, "InstanceType": "t3.nano", "SubnetId": subnet,
        "MetadataOptions": {"HttpTokens": "required"}, "TagSpecifications": tagged("instance", env="dev"),
        "DryRun": True,
    }
    answer = lambda **other: refusal(launcher.run_instances, **{**good, **other})
    assert answer()[0] == "DryRunOperation"
    for other in (
        {"MetadataOptions": {}}, {"InstanceType": "m5.large"}, {"TagSpecifications": tagged("instance", env="prod")},
        {"SubnetId": account.subnet(account.vpc("10.1.0.0/16"), "10.1.1.0/24")},
        {"KeyName": "door"},
    ):
        code, message = answer(**other)
        assert code == DENIED and f"not authorized to perform: {run} on resource" in message, (other, message)
    # Without a subnet it is the default VPC's, which is another.
    default = {key: value for key, value in good.items() if key != "SubnetId"}
    assert refusal(launcher.run_instances, **default)[0] == DENIED


@pytest.mark.parametrize("service", ["rds", "elbv2"])
def test_other_services_have_tags_of_their_own(account, iam, service):
    prefix, key = {
        "rds": ("rds", "rds:pg-tag/env"),
        "elbv2": ("elasticloadbalancing", "elasticloadbalancing:ResourceTag/env"),
    }[service]
    ops = user(account, iam, "ops", when(may(f"{prefix}:*"), StringEquals={key: "dev"}))
    for env, expected in (("dev", None), ("prod", "AccessDenied")):
        if service == "rds":
            account.rds.create_db_parameter_group(
                DBParameterGroupName=env, DBParameterGroupFamily="postgres15", Description="d", Tags=tags(env=env)
            )
            call, arguments = ops.rds.delete_db_parameter_group, {"DBParameterGroupName": env}
        else:
            vpc = account.vpc("10.0.0.0/16")
            made = account.elbv2.create_target_group(
                Name=env, Protocol="TCP", Port=80, VpcId=vpc, TargetType="ip", Tags=tags(env=env)
            )
            call = ops.elbv2.delete_target_group
            arguments = {"TargetGroupArn": made["TargetGroups"][0]["TargetGroupArn"]}
        if expected:
            assert refusal(call, **arguments)[0] == expected
        else:
            call(**arguments)


def test_roles_are_assumed_by_their_tags(account, iam):
    alice = user(account, iam, "alice", when(may("sts:AssumeRole"), StringEquals={"iam:ResourceTag/team": "blue"}))
    for team in ("blue", "red"):
        iam.create_role(RoleName=team, AssumeRolePolicyDocument=trusting(AWS=account.number), Tags=tags(team=team))
    arn = f"arn:aws:iam::{account.number}:role"
    alice.sts.assume_role(RoleArn=f"{arn}/blue", RoleSessionName="me")
    assert refusal(alice.sts.assume_role, RoleArn=f"{arn}/red", RoleSessionName="me")[0] == "AccessDenied"


def test_an_endpoints_policy_knows_the_resources_too(daemon, account):
    place = Place(daemon, account)
    guarded = allow("*", Effect="Deny", Condition={"StringEquals": {"aws:ResourceTag/keep": "yes"}})
    place.endpoint("ec2", policy=policy(allow("*"), guarded))
    table = account.ec2.create_route_table(VpcId=place.vpc, TagSpecifications=tagged("route-table", keep="yes"))
    table = table["RouteTable"]["RouteTableId"]
    until(lambda: place.aws("ec2", "describe-vpcs").returncode == 0, "an answer", 30)
    done = place.aws("ec2", "delete-route-table", "--route-table-id", table)
    assert done.returncode != 0 and "explicit deny in a VPC endpoint policy" in done.stderr, done.stderr
    account.ec2.delete_tags(Resources=[table], Tags=[{"Key": "keep"}])
    done = place.aws("ec2", "delete-route-table", "--route-table-id", table)
    assert done.returncode == 0, done.stderr
