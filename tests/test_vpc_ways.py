"""What connects a VPC, by the AWS CLI and boto3: the calls that Terraform's provider makes for a stack with public and
private subnets, in its order, from nothing to nothing. And the VPC that every region begins with."""

import json

from harness.aws import refusal
from harness.wait import until


def one(found):
    [item] = found
    return item


def test_a_stack_with_public_and_private_subnets(aws):
    ec2 = aws.ec2
    vpc = aws.vpc()
    public, private = aws.subnet(vpc, "10.0.1.0/24"), aws.subnet(vpc, "10.0.2.0/24", "b")

    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    shown = one(ec2.describe_internet_gateways(InternetGatewayIds=[gateway])["InternetGateways"])
    assert shown["Attachments"] == [{"State": "available", "VpcId": vpc}]

    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    association = ec2.associate_route_table(RouteTableId=table, SubnetId=public)
    assert association["AssociationState"]["State"] == "associated"

    address = ec2.allocate_address(Domain="vpc")
    attribute = ec2.describe_addresses_attribute(AllocationIds=[address["AllocationId"]], Attribute="domain-name")
    assert [found["PublicIp"] for found in attribute["Addresses"]] == [address["PublicIp"]]
    nat = ec2.create_nat_gateway(SubnetId=public, AllocationId=address["AllocationId"], ClientToken="stack")["NatGateway"]
    assert nat["State"] == "pending"
    nat = nat["NatGatewayId"]
    ec2.get_waiter("nat_gateway_available").wait(NatGatewayIds=[nat], WaiterConfig={"Delay": 1, "MaxAttempts": 20})
    listed = ec2.describe_nat_gateways(Filter=[{"Name": "vpc-id", "Values": [vpc]}])["NatGateways"]
    assert [(found["NatGatewayId"], found["State"]) for found in listed] == [(nat, "available")]
    out = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=out, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=nat)
    ec2.associate_route_table(RouteTableId=out, SubnetId=private)

    routes = one(ec2.describe_route_tables(RouteTableIds=[out])["RouteTables"])["Routes"]
    assert routes == [
        {"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "Origin": "CreateRouteTable", "State": "active"},
        {"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": nat, "Origin": "CreateRoute", "State": "active"},
    ]

    # In the wrong order nothing goes.
    assert refusal(ec2.release_address, AllocationId=address["AllocationId"])[0] == "InvalidIPAddress.InUse"
    assert refusal(ec2.detach_internet_gateway, InternetGatewayId=gateway, VpcId=vpc)[0] == "DependencyViolation"
    assert refusal(ec2.delete_route_table, RouteTableId=out)[0] == "DependencyViolation"
    assert refusal(ec2.delete_subnet, SubnetId=public)[0] == "DependencyViolation"

    # In the right one, all of it.
    for found in ec2.describe_route_tables(RouteTableIds=[table, out])["RouteTables"]:
        for association in found["Associations"]:
            ec2.disassociate_route_table(AssociationId=association["RouteTableAssociationId"])
    ec2.delete_nat_gateway(NatGatewayId=nat)
    ec2.get_waiter("nat_gateway_deleted").wait(NatGatewayIds=[nat], WaiterConfig={"Delay": 1, "MaxAttempts": 20})
    route = one(ec2.describe_route_tables(RouteTableIds=[out])["RouteTables"])["Routes"][1]
    assert route["State"] == "blackhole"
    ec2.release_address(AllocationId=address["AllocationId"])
    ec2.delete_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0")
    ec2.delete_route_table(RouteTableId=table)
    ec2.delete_route_table(RouteTableId=out)
    ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    ec2.delete_internet_gateway(InternetGatewayId=gateway)
    for subnet in (public, private):
        ec2.delete_subnet(SubnetId=subnet)
    ec2.delete_vpc(VpcId=vpc)


def test_an_instances_public_address(aws, daemon):
    ec2 = aws.ec2
    vpc = aws.vpc()
    subnet = aws.subnet(vpc, "10.0.0.0/24")
    instance = daemon.run(subnet, "sleep", "infinity")
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    address = ec2.allocate_address()
    ec2.associate_address(AllocationId=address["AllocationId"], InstanceId=instance)

    def shown():
        return ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]

    assert shown()["PublicIpAddress"] == address["PublicIp"]
    assert shown()["NetworkInterfaces"][0]["Association"]["PublicIp"] == address["PublicIp"]
    listed = ec2.describe_addresses(Filters=[{"Name": "instance-id", "Values": [instance]}])["Addresses"]
    assert [found["PublicIp"] for found in listed] == [address["PublicIp"]]
    # The instance ends, and the address stays its owner's.
    daemon.linkway("terminate", instance)
    until(
        lambda: "AssociationId" not in ec2.describe_addresses(AllocationIds=[address["AllocationId"]])["Addresses"][0],
        "the address free",
    )
    ec2.release_address(AllocationId=address["AllocationId"])


def test_a_second_range_is_reached(aws, daemon):
    vpc = aws.vpc()
    group = aws.group(vpc, ("-1", None, "0.0.0.0/0"))
    first = daemon.run(aws.subnet(vpc, "10.0.0.0/24"), "sleep", "infinity", groups=[group])
    aws.ec2.associate_vpc_cidr_block(VpcId=vpc, CidrBlock="10.1.0.0/16")
    second = daemon.run(aws.subnet(vpc, "10.1.0.0/24"), "sleep", "infinity", groups=[group])
    for here, there in ((first, second), (second, first)):
        until(
            lambda: daemon.exec(here, "ping", "-c", "1", "-W", "1", aws.address(there)).returncode == 0,
            f"{there} answering {here}",
        )


def test_acls_by_the_command_line(aws):
    vpc = aws.vpc()
    subnet = aws.subnet(vpc, "10.0.0.0/24")

    def run(*arguments):
        done = aws.cli("ec2", *arguments)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout else None

    acl = run("create-network-acl", "--vpc-id", vpc)["NetworkAcl"]["NetworkAclId"]
    run("create-network-acl-entry", "--network-acl-id", acl, "--ingress", "--rule-number", "100", "--protocol", "tcp",
        "--port-range", "From=80,To=443", "--cidr-block", "0.0.0.0/0", "--rule-action", "allow")
    shown = run("describe-network-acls", "--filters", f"Name=association.subnet-id,Values={subnet}")["NetworkAcls"]
    association = shown[0]["Associations"][0]["NetworkAclAssociationId"]
    moved = run("replace-network-acl-association", "--association-id", association, "--network-acl-id", acl)
    [described] = run("describe-network-acls", "--network-acl-ids", acl)["NetworkAcls"]
    assert described["Associations"][0]["NetworkAclAssociationId"] == moved["NewAssociationId"]
    assert {"PortRange": {"From": 80, "To": 443}, "Protocol": "6", "RuleNumber": 100}.items() <= next(
        entry for entry in described["Entries"] if entry["RuleNumber"] == 100
    ).items()
    done = aws.cli("ec2", "delete-network-acl", "--network-acl-id", acl)
    assert "(DependencyViolation)" in done.stderr


def test_the_default_vpc(aws, other):
    ec2 = aws.ec2
    default = one(ec2.describe_vpcs(Filters=[{"Name": "isDefault", "Values": ["true"]}])["Vpcs"])
    assert default["CidrBlock"] == "172.31.0.0/16"
    assert one(other.ec2.describe_vpcs()["Vpcs"])["VpcId"] != default["VpcId"]
    attribute = ec2.describe_account_attributes(AttributeNames=["default-vpc"])["AccountAttributes"][0]
    assert attribute["AttributeValues"][0]["AttributeValue"] == default["VpcId"]
    assert refusal(ec2.create_default_vpc)[0] == "DefaultVpcAlreadyExists"
    assert refusal(ec2.create_default_subnet, AvailabilityZone="us-east-1a")[0] == (
        "DefaultSubnetAlreadyExistsInAvailabilityZone"
    )
    group = ec2.create_security_group(GroupName="web", Description="in the default VPC")["GroupId"]
    assert one(ec2.describe_security_groups(GroupNames=["web"])["SecurityGroups"])["VpcId"] == default["VpcId"]
    ec2.authorize_security_group_ingress(GroupName="web", IpProtocol="tcp", FromPort=80, ToPort=80, CidrIp="10.0.0.0/8")
    ec2.delete_security_group(GroupId=group)


def test_the_default_vpcs_instances_reach_each_other(aws, daemon):
    default = one(aws.ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"])["VpcId"]
    of_vpc = [{"Name": "vpc-id", "Values": [default]}]
    subnets = [found["SubnetId"] for found in aws.ec2.describe_subnets(Filters=of_vpc)["Subnets"]][:2]
    first, second = (daemon.run(subnet, "sleep", "infinity") for subnet in subnets)
    # Its default group lets members in.
    until(
        lambda: daemon.exec(first, "ping", "-c", "1", "-W", "1", aws.address(second)).returncode == 0,
        f"{second} answering {first}",
    )


def test_a_route_to_the_internet_leads_nowhere_and_says_so(aws, daemon):
    default = one(aws.ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"])["VpcId"]
    subnet = aws.ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [default]}])["Subnets"][0]["SubnetId"]
    instance = daemon.run(subnet, "sleep", "infinity")
    before = daemon.drops().get("NoUplink", 0)

    def dropped():
        assert daemon.exec(instance, "ping", "-c", "1", "-W", "1", "192.0.2.1").returncode != 0
        return daemon.drops().get("NoUplink", 0) > before

    until(dropped, "a packet to the internet counted as NoUplink")
