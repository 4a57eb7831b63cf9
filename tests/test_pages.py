"""boto3's paginators and waiters: the pages of each list are the list, and each waiter ends.

The services' lists are taken from what the wire speaks, so that a new operation with a paginator is asked, too.
"""

import re

import botocore.waiter
import pytest
from botocore import xform_name

from harness.aws import Account
from harness.daemon import ROOT

# Fewest items that a page of a service's may have.
SMALLEST = {"ec2": 5, "elbv2": 1, "iam": 1, "rds": 20}
# More than one page of EC2's.
SEVERAL = 6
TRUST = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"},'
    ' "Action": "sts:AssumeRole"}]}'
)
POLICY = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}]}'
# Lists that nothing here fills, as it takes a running instance, a peering connection, a snapshot or the like.
LEFT_EMPTY = {
    "describe_instance_status", "describe_instances", "describe_instance_credit_specifications",
    "describe_iam_instance_profile_associations", "describe_volumes", "describe_volumes_modifications",
    "describe_flow_logs", "describe_network_interface_permissions", "describe_stale_security_groups", "describe_vpc_endpoint_connections",
    "describe_db_clusters", "describe_db_instances", "describe_db_snapshots", "describe_pending_maintenance_actions",
    "describe_db_subnet_groups", "describe_listener_certificates", "list_mfa_devices", "list_signing_certificates", "list_ssh_public_keys",
}
# What there is to ask for that is refused always, as on AWS.
REFUSED = {"describe_vpc_classic_link_dns_support"}


def operations(service):
    """The operations of a service that the wire speaks."""
    text = (ROOT / "crates/wire/operations.txt").read_text()
    [section] = re.findall(rf"^\[{service}/[^]]*\]\n((?:[^\[]*\n)*)", text, re.MULTILINE)
    return [xform_name(line.strip()) for line in section.splitlines() if line.strip() and not line.startswith("#")]


def ec2_world(aws):
    """Several of everything, and what lists of parts of something need to be told."""
    ec2, elbv2 = aws.ec2, aws.elbv2
    several = range(SEVERAL)
    vpcs = [aws.vpc(f"10.{number}.0.0/16") for number in several]
    subnets = [aws.subnet(vpcs[0], f"10.0.{number}.0/24", "ab"[number % 2]) for number in several]
    groups = [aws.group(vpcs[0], ("tcp", 443, "10.0.0.0/8")) for _ in several]
    for vpc in vpcs[1:]:
        for group in groups[:2]:
            ec2.associate_security_group_vpc(GroupId=group, VpcId=vpc)
    for vpc in vpcs:
        ec2.create_dhcp_options(DhcpConfigurations=[{"Key": "domain-name", "Values": [f"{vpc}.example.com"]}])
        gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
        ec2.create_egress_only_internet_gateway(VpcId=vpc)
        ec2.create_tags(Resources=[vpc], Tags=[{"Key": "Name", "Value": "paged"}])
    entries = [{"Cidr": f"192.0.2.{number}/32"} for number in several]
    for number in several:
        data = {"LaunchTemplateData": {"InstanceType": "t3.micro"}}
        ec2.create_launch_template(LaunchTemplateName=f"template-{number}", **data)
        if number:
            ec2.create_launch_template_version(LaunchTemplateName="template-0", **data)
    for subnet in subnets:
        ec2.create_network_interface(SubnetId=subnet)
        address = ec2.allocate_address(Domain="vpc")["AllocationId"]
        ec2.create_nat_gateway(SubnetId=subnet, AllocationId=address)
        lists = ec2.create_managed_prefix_list(
            PrefixListName=subnet, AddressFamily="IPv4", MaxEntries=8, Entries=entries
        )
    prefix_list = lists["PrefixList"]["PrefixListId"]
    for group in groups:
        rule = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "PrefixListIds": [{"PrefixListId": prefix_list}]}
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
    services = []
    for number, subnet in enumerate(subnets):
        balancer = elbv2.create_load_balancer(Name=f"nlb-{number}", Type="network", Scheme="internal", Subnets=[subnet])
        arn = balancer["LoadBalancers"][0]["LoadBalancerArn"]
        made = ec2.create_vpc_endpoint_service_configuration(
            NetworkLoadBalancerArns=[arn], AcceptanceRequired=False
        )["ServiceConfiguration"]
        services.append(made["ServiceId"])
        topic = f"arn:aws:sns:us-east-1:123456789012:topic-{number}"
        ec2.create_vpc_endpoint_connection_notification(
            ServiceId=made["ServiceId"], ConnectionNotificationArn=topic, ConnectionEvents=["Accept"]
        )
        ec2.create_vpc_endpoint(
            VpcEndpointType="Interface", VpcId=vpcs[0], ServiceName="com.amazonaws.us-east-1.ec2", SubnetIds=[subnet],
            PrivateDnsEnabled=False,
        )
    principals = [f"arn:aws:iam::{number}11111111111:root" for number in range(1, SEVERAL + 1)]
    ec2.modify_vpc_endpoint_service_permissions(ServiceId=services[0], AddAllowedPrincipals=principals)
    return {
        "describe_addresses_attribute": {"Attribute": "domain-name"},
        "describe_launch_template_versions": {"LaunchTemplateName": "template-0"},
        "describe_stale_security_groups": {"VpcId": vpcs[0]},
        "describe_vpc_endpoint_service_permissions": {"ServiceId": services[0]},
        "get_managed_prefix_list_associations": {"PrefixListId": prefix_list},
        "get_managed_prefix_list_entries": {"PrefixListId": prefix_list},
        "get_security_groups_for_vpc": {"VpcId": vpcs[0]},
    }


def elbv2_world(aws):
    """Two of everything."""
    vpc = aws.vpc()
    subnet = aws.subnet(vpc, "10.0.0.0/24")
    for number in range(2):
        balancer = aws.elbv2.create_load_balancer(
            Name=f"nlb-{number}", Type="network", Scheme="internal", Subnets=[subnet]
        )
        arn = balancer["LoadBalancers"][0]["LoadBalancerArn"]
        for port in (80, 81):
            group = aws.elbv2.create_target_group(
                Name=f"group-{number}-{port}", Protocol="TCP", Port=port, VpcId=vpc, TargetType="ip"
            )["TargetGroups"][0]["TargetGroupArn"]
            forward = [{"Type": "forward", "TargetGroupArn": group}]
            listener = aws.elbv2.create_listener(
                LoadBalancerArn=arn, Protocol="TCP", Port=port, DefaultActions=forward
            )["Listeners"][0]["ListenerArn"]
    return {
        "describe_listeners": {"LoadBalancerArn": arn},
        "describe_listener_certificates": {"ListenerArn": listener},
    }


def iam_world(aws):
    """Two of everything."""
    iam = aws.client("iam")
    tags = [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]
    arns = []
    iam.create_account_alias(AccountAlias="shop")
    for name in ("one", "two"):
        arn = iam.create_policy(PolicyName=name, PolicyDocument=POLICY, Tags=tags)["Policy"]["Arn"]
        arns.append(arn)
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=POLICY)
        iam.create_user(UserName=name, Tags=tags)
        iam.create_group(GroupName=name)
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST, Tags=tags)
        iam.create_instance_profile(InstanceProfileName=name, Tags=tags)
    for name, arn in zip(("one", "two"), arns, strict=True):
        iam.create_access_key(UserName="one")
        iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName="one")
        iam.add_user_to_group(GroupName=name, UserName="one")
        iam.put_user_policy(UserName="one", PolicyName=name, PolicyDocument=POLICY)
        iam.put_group_policy(GroupName="one", PolicyName=name, PolicyDocument=POLICY)
        iam.put_role_policy(RoleName="one", PolicyName=name, PolicyDocument=POLICY)
        iam.attach_user_policy(UserName="one", PolicyArn=arn)
        iam.attach_group_policy(GroupName="one", PolicyArn=arn)
        iam.attach_role_policy(RoleName="one", PolicyArn=arn)
    iam.add_user_to_group(GroupName="one", UserName="two")
    user, group, role, policy = {"UserName": "one"}, {"GroupName": "one"}, {"RoleName": "one"}, {"PolicyArn": arns[0]}
    return {
        "list_user_tags": user, "list_access_keys": user, "list_groups_for_user": user, "list_user_policies": user,
        "list_attached_user_policies": user, "get_group": group, "list_group_policies": group,
        "list_attached_group_policies": group, "list_role_tags": role, "list_instance_profiles_for_role": role,
        "list_role_policies": role, "list_attached_role_policies": role,
        "list_instance_profile_tags": {"InstanceProfileName": "one"}, "list_policies": {"Scope": "Local"},
        "list_policy_versions": policy, "list_policy_tags": policy, "list_entities_for_policy": policy,
    }


def rds_world(aws):
    """Parameter groups; engines are there."""
    engine = aws.rds.describe_db_engine_versions(Engine="postgres")["DBEngineVersions"][0]
    family = engine["DBParameterGroupFamily"]
    for number in range(21):
        aws.rds.create_db_parameter_group(
            DBParameterGroupName=f"group-{number}", DBParameterGroupFamily=family, Description="paged"
        )
    return {
        "describe_db_parameters": {"DBParameterGroupName": "group-0"},
        "describe_engine_default_parameters": {"DBParameterGroupFamily": family},
        "describe_orderable_db_instance_options": {"Engine": "postgres"},
    }


# Lists that are shorter than two of the smallest pages, whatever one makes.
SHORT = {"describe_images", "describe_prefix_lists", "describe_db_engine_versions", "describe_orderable_db_instance_options",
         "list_account_aliases"}


@pytest.mark.parametrize(("service", "world"), [
    ("ec2", ec2_world), ("elbv2", elbv2_world), ("iam", iam_world), ("rds", rds_world),
])
def test_the_pages_of_each_list_are_the_list(daemon, service, world):
    aws = Account.first(daemon)
    client = aws.client(service)
    arguments = world(aws)
    paged = [name for name in operations(service) if client.can_paginate(name) and name not in REFUSED]
    assert paged
    for name in paged:
        given = arguments.get(name, {})
        whole = getattr(client, name)(**given)
        paginator = client.get_paginator(name)
        pages = list(paginator.paginate(**given, PaginationConfig={"PageSize": SMALLEST[service]}))
        if name not in LEFT_EMPTY | SHORT:
            assert len(pages) > 1, f"{name}: one page"
        for key in paginator.result_keys:
            found = [item for page in pages for item in key.search(page) or []]
            assert found == (key.search(whole) or []), f"{name}: {key.expression}"


def test_each_waiter_ends(daemon):
    aws = Account.first(daemon)
    ec2, elbv2, iam = aws.ec2, aws.elbv2, aws.client("iam")

    def wait(client, waiter, **arguments):
        # A second apart instead of the usual 15 or more, with the bound that a test has.
        client.get_waiter(waiter).wait(**arguments, WaiterConfig={"Delay": 1, "MaxAttempts": 30})

    vpc, other = aws.vpc("10.0.0.0/16"), aws.vpc("10.1.0.0/16")
    wait(ec2, "vpc_exists", VpcIds=[vpc])
    wait(ec2, "vpc_available", VpcIds=[vpc])
    subnet = aws.subnet(vpc, "10.0.0.0/24")
    wait(ec2, "subnet_available", SubnetIds=[subnet])
    group = aws.group(vpc)
    wait(ec2, "security_group_exists", GroupIds=[group])
    ec2.associate_security_group_vpc(GroupId=group, VpcId=other)
    wait(ec2, "security_group_vpc_association_associated", Filters=[{"Name": "group-id", "Values": [group]}])
    ec2.disassociate_security_group_vpc(GroupId=group, VpcId=other)
    wait(ec2, "security_group_vpc_association_disassociated", Filters=[{"Name": "group-id", "Values": [group]}])
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    wait(ec2, "internet_gateway_exists", InternetGatewayIds=[gateway])
    interface = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    wait(ec2, "network_interface_available", NetworkInterfaceIds=[interface])
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    nat = ec2.create_nat_gateway(SubnetId=subnet, AllocationId=address)["NatGateway"]["NatGatewayId"]
    wait(ec2, "nat_gateway_available", NatGatewayIds=[nat])
    ec2.delete_nat_gateway(NatGatewayId=nat)
    wait(ec2, "nat_gateway_deleted", NatGatewayIds=[nat])
    # Without a gateway to the internet, AWS's waiter ends by saying that it failed.
    alone = aws.subnet(other, "10.1.0.0/24")
    failed = ec2.create_nat_gateway(SubnetId=alone, AllocationId=address)["NatGateway"]["NatGatewayId"]
    with pytest.raises(botocore.exceptions.WaiterError, match="terminal failure"):
        wait(ec2, "nat_gateway_available", NatGatewayIds=[failed])

    balancer = elbv2.create_load_balancer(Name="nlb", Type="network", Scheme="internal", Subnets=[subnet])
    arns = [balancer["LoadBalancers"][0]["LoadBalancerArn"]]
    wait(elbv2, "load_balancer_exists", LoadBalancerArns=arns)
    wait(elbv2, "load_balancer_available", LoadBalancerArns=arns)
    targets = elbv2.create_target_group(Name="targets", Protocol="TCP", Port=80, VpcId=vpc, TargetType="ip")
    targets = targets["TargetGroups"][0]["TargetGroupArn"]
    no_delay = [{"Key": "deregistration_delay.timeout_seconds", "Value": "0"}]
    elbv2.modify_target_group_attributes(TargetGroupArn=targets, Attributes=no_delay)
    at = [{"Id": "10.0.0.200", "Port": 80}]
    elbv2.register_targets(TargetGroupArn=targets, Targets=at)
    elbv2.deregister_targets(TargetGroupArn=targets, Targets=at)
    wait(elbv2, "target_deregistered", TargetGroupArn=targets, Targets=at)
    elbv2.delete_load_balancer(LoadBalancerArn=arns[0])
    wait(elbv2, "load_balancers_deleted", LoadBalancerArns=arns)

    iam.create_user(UserName="one")
    wait(iam, "user_exists", UserName="one")
    iam.create_role(RoleName="one", AssumeRolePolicyDocument=TRUST)
    wait(iam, "role_exists", RoleName="one")
    iam.create_instance_profile(InstanceProfileName="one")
    wait(iam, "instance_profile_exists", InstanceProfileName="one")
    policy = iam.create_policy(PolicyName="one", PolicyDocument=POLICY)["Policy"]["Arn"]
    wait(iam, "policy_exists", PolicyArn=policy)
