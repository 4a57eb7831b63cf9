"""VPCs, subnets, groups, interfaces and tags, by boto3, with the input that must be refused."""

import concurrent.futures

import pytest

from harness.aws import Account, permission, refusal


def test_a_vpc_comes_with_its_own_group_table_and_acl(aws):
    vpc = aws.vpc("10.0.0.0/16")
    of_vpc = [{"Name": "vpc-id", "Values": [vpc]}]
    [group] = aws.ec2.describe_security_groups(Filters=of_vpc)["SecurityGroups"]
    assert group["GroupName"] == "default"
    [table] = aws.ec2.describe_route_tables(Filters=of_vpc)["RouteTables"]
    assert table["Routes"][0]["DestinationCidrBlock"] == "10.0.0.0/16" and table["Associations"][0]["Main"]
    [acl] = aws.ec2.describe_network_acls(Filters=of_vpc)["NetworkAcls"]
    assert acl["IsDefault"]
    aws.ec2.delete_vpc(VpcId=vpc)
    assert refusal(aws.ec2.describe_vpcs, VpcIds=[vpc])[0] == "InvalidVpcID.NotFound"


def test_attributes(aws):
    vpc = aws.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]

    def attribute(name):
        key = name[0].upper() + name[1:]
        return aws.ec2.describe_vpc_attribute(VpcId=vpc, Attribute=name)[key]["Value"]

    assert attribute("enableDnsSupport") and not attribute("enableDnsHostnames")
    aws.ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    assert attribute("enableDnsHostnames")


def test_two_vpcs_may_have_the_same_range(aws):
    first, second = aws.vpc("10.0.0.0/16"), aws.vpc("10.0.0.0/16")
    subnets = {aws.subnet(first, "10.0.1.0/24"), aws.subnet(second, "10.0.1.0/24")}
    assert len(subnets) == 2


@pytest.mark.parametrize(
    ("cidr", "code"),
    [
        ("10.0.0.0/8", "InvalidVpc.Range"),
        ("10.0.0.0/29", "InvalidVpc.Range"),
        ("10.0.0.0", "InvalidParameterValue"),
        ("300.0.0.0/16", "InvalidParameterValue"),
        ("not a range", "InvalidParameterValue"),
    ],
)
def test_ranges_that_no_vpc_can_have(aws, cidr, code):
    assert refusal(aws.ec2.create_vpc, CidrBlock=cidr)[0] == code


@pytest.mark.parametrize(
    ("cidr", "code"),
    [
        ("10.0.1.0/24", "InvalidSubnet.Conflict"),
        ("10.0.0.0/23", "InvalidSubnet.Conflict"),
        ("10.0.1.128/25", "InvalidSubnet.Conflict"),
        ("10.1.0.0/24", "InvalidSubnet.Range"),
        ("10.0.0.0/8", "InvalidSubnet.Range"),
        ("10.0.9.0/29", "InvalidSubnet.Range"),
    ],
)
def test_ranges_that_no_other_subnet_can_have(aws, cidr, code):
    vpc = aws.vpc("10.0.0.0/16")
    aws.subnet(vpc, "10.0.1.0/24")
    refused, message = refusal(aws.ec2.create_subnet, VpcId=vpc, CidrBlock=cidr)
    assert (refused, cidr in message) == (code, True), message


def test_a_zone_that_is_not_there(aws):
    vpc = aws.vpc()
    code, _ = refusal(
        aws.ec2.create_subnet, VpcId=vpc, CidrBlock="10.0.0.0/24", AvailabilityZone="eu-west-1a"
    )
    assert code == "InvalidParameterValue"


def test_regions_are_apart(aws, daemon):
    vpc = aws.vpc()
    elsewhere = Account.first(daemon, "eu-central-1")
    assert elsewhere.vpcs() == []
    assert refusal(elsewhere.ec2.describe_vpcs, VpcIds=[vpc])[0] == "InvalidVpcID.NotFound"
    zones = elsewhere.ec2.describe_availability_zones()["AvailabilityZones"]
    assert {zone["ZoneName"] for zone in zones} == {"eu-central-1a", "eu-central-1b", "eu-central-1c"}
    assert "eu-central-1" in {region["RegionName"] for region in aws.ec2.describe_regions()["Regions"]}


def test_accounts_do_not_see_each_others(aws, other):
    vpc = aws.vpc()
    assert other.vpcs() == []
    assert refusal(other.ec2.delete_vpc, VpcId=vpc)[0] == "InvalidVpcID.NotFound"
    assert refusal(other.ec2.create_subnet, VpcId=vpc, CidrBlock="10.0.0.0/24")[0] == "InvalidVpcID.NotFound"


def test_what_is_in_use_stays(aws):
    vpc = aws.vpc()
    subnet = aws.subnet(vpc, "10.0.0.0/24")
    group = aws.group(vpc)
    interface = aws.ec2.create_network_interface(SubnetId=subnet, Groups=[group])["NetworkInterface"]
    for refused, message in (
        (refusal(aws.ec2.delete_vpc, VpcId=vpc), f"The vpc '{vpc}' has dependencies and cannot be deleted."),
        (
            refusal(aws.ec2.delete_subnet, SubnetId=subnet),
            f"The subnet '{subnet}' has dependencies and cannot be deleted.",
        ),
        (refusal(aws.ec2.delete_security_group, GroupId=group), f"resource {group} has a dependent object"),
    ):
        assert refused == ("DependencyViolation", message)
    assert refusal(aws.ec2.delete_security_group, GroupId=aws.default_group(vpc))[0] == "CannotDelete"
    aws.ec2.delete_network_interface(NetworkInterfaceId=interface["NetworkInterfaceId"])
    aws.ec2.delete_security_group(GroupId=group)
    aws.ec2.delete_subnet(SubnetId=subnet)
    aws.ec2.delete_vpc(VpcId=vpc)


def test_rules_are_made_found_and_taken_back(aws):
    vpc = aws.vpc()
    group = aws.group(vpc, ("tcp", 80, "10.0.0.0/8"))
    rule = permission("tcp", 80, "10.0.0.0/8")
    assert refusal(aws.ec2.authorize_security_group_ingress, GroupId=group, IpPermissions=[rule])[0] == (
        "InvalidPermission.Duplicate"
    )
    rules = aws.ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])
    ingress = [rule for rule in rules["SecurityGroupRules"] if not rule["IsEgress"]]
    assert [(rule["FromPort"], rule["CidrIpv4"]) for rule in ingress] == [(80, "10.0.0.0/8")]
    aws.ec2.revoke_security_group_ingress(GroupId=group, SecurityGroupRuleIds=[ingress[0]["SecurityGroupRuleId"]])
    [described] = aws.ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    assert described["IpPermissions"] == []
    assert refusal(aws.ec2.revoke_security_group_ingress, GroupId=group, IpPermissions=[rule])[0] == (
        "InvalidPermission.NotFound"
    )


def test_a_foreign_group_is_refused(aws):
    here, there = aws.vpc(), aws.vpc()
    subnet = aws.subnet(here, "10.0.0.0/24")
    foreign = aws.group(there)
    code, message = refusal(aws.ec2.create_network_interface, SubnetId=subnet, Groups=[foreign])
    assert code in ("InvalidParameter", "InvalidGroup.NotFound") and foreign in message
    missing = "sg-0123456789abcdef0"
    assert refusal(aws.ec2.create_network_interface, SubnetId=subnet, Groups=[missing]) == (
        "InvalidGroup.NotFound", f"The security group '{missing}' does not exist"
    )


def test_addresses_that_cannot_be_had(aws):
    vpc = aws.vpc()
    subnet = aws.subnet(vpc, "10.0.0.0/24")
    aws.ec2.create_network_interface(SubnetId=subnet, PrivateIpAddress="10.0.0.9")
    for address, code in [
        ("10.0.0.9", "InvalidIPAddress.InUse"),
        ("10.0.0.1", "InvalidParameterValue"),
        ("10.0.0.255", "InvalidParameterValue"),
        ("10.0.1.9", "InvalidParameterValue"),
    ]:
        assert refusal(aws.ec2.create_network_interface, SubnetId=subnet, PrivateIpAddress=address)[0] == code


def test_tags(aws):
    vpc = aws.vpc()
    subnet = aws.subnet(vpc, "10.0.0.0/24")
    aws.ec2.create_tags(Resources=[vpc, subnet], Tags=[{"Key": "team", "Value": "shop"}])
    tagged = aws.ec2.describe_tags(Filters=[{"Name": "key", "Values": ["team"]}])["Tags"]
    assert {(tag["ResourceId"], tag["ResourceType"]) for tag in tagged} == {(vpc, "vpc"), (subnet, "subnet")}
    aws.ec2.delete_tags(Resources=[vpc], Tags=[{"Key": "team"}])
    found = aws.ec2.describe_subnets(Filters=[{"Name": "tag:team", "Values": ["shop"]}])["Subnets"]
    assert [subnet_found["SubnetId"] for subnet_found in found] == [subnet]


def test_requests_that_make_no_sense(aws):
    assert refusal(aws.ec2.describe_vpcs, Filters=[{"Name": "colour", "Values": ["red"]}])[0] == (
        "InvalidParameterValue"
    )
    assert refusal(aws.ec2.describe_vpcs, VpcIds=["subnet-1"])[0] == "InvalidVpcID.Malformed"
    assert refusal(aws.ec2.describe_vpcs, MaxResults=5, NextToken="made-up")[0] in (
        "InvalidParameterValue", "InvalidNextToken"
    )
    # A filter without values is none that anything matches.
    assert aws.ec2.describe_vpcs(Filters=[{"Name": "vpc-id", "Values": []}])["Vpcs"] == []
    for call in (aws.ec2.create_tags, aws.ec2.delete_tags):
        assert refusal(call, Resources=[], Tags=[{"Key": "team", "Value": ""}]) == (
            "MissingParameter", "The request must contain the parameter resourceIdSet"
        )
    for unknown in ("ami-blah", "vpc-blah", "blah"):
        tag = {"Resources": [unknown], "Tags": [{"Key": "team", "Value": "blue"}]}
        assert refusal(aws.ec2.create_tags, **tag) == ("InvalidID", f"The ID '{unknown}' is not valid"), unknown
    code, message = refusal(aws.ec2.describe_fleets)
    assert code == "InvalidAction" and "DescribeFleets" in message


def test_at_once_no_two_get_the_same_address(aws):
    subnet = aws.subnet(aws.vpc(), "10.0.0.0/24")

    def create(_):
        made = aws.ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]
        return made["PrivateIpAddress"], made["MacAddress"], made["NetworkInterfaceId"]

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        made = list(pool.map(create, range(120)))
    for values in zip(*made):
        assert len(set(values)) == 120
    [described] = aws.ec2.describe_subnets(SubnetIds=[subnet])["Subnets"]
    assert described["AvailableIpAddressCount"] == 251 - 120


def test_a_full_subnet(aws):
    subnet = aws.subnet(aws.vpc(), "10.0.0.0/28")
    for _ in range(11):
        aws.ec2.create_network_interface(SubnetId=subnet)
    assert refusal(aws.ec2.create_network_interface, SubnetId=subnet)[0] in (
        "InsufficientFreeAddressesInSubnet", "NetworkInterfaceLimitExceeded"
    )


def test_what_was_written_is_read_at_once(aws):
    """From another connection too: an answer says that everybody sees it."""
    elsewhere = aws.client("ec2")
    for _ in range(20):
        vpc = aws.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        assert elsewhere.describe_vpcs(VpcIds=[vpc])["Vpcs"]
        aws.ec2.delete_vpc(VpcId=vpc)
        assert refusal(elsewhere.describe_vpcs, VpcIds=[vpc])[0] == "InvalidVpcID.NotFound"


def test_classic_link_is_nowhere(aws):
    for call in (aws.ec2.describe_vpc_classic_link, aws.ec2.describe_vpc_classic_link_dns_support):
        assert refusal(call) == (
            "UnsupportedOperation", "The functionality you requested is not available in this region."
        )
