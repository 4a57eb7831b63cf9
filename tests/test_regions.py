"""An installation's own regions: made, used, kept, changed and forgotten."""

import pytest

from harness.aws import Account, refusal

REGION = "lab-west-1"
ZONES = [REGION + "b", REGION + "a"]
GIVEN = ("--region", f"{REGION}={','.join(ZONES)}")


def zones(account):
    found = account.ec2.describe_availability_zones()["AvailabilityZones"]
    return {zone["ZoneName"]: zone["ZoneId"] for zone in found}


def restart(daemon, *arguments):
    daemon.stop()
    upstream = daemon.arguments[-2:]
    daemon.arguments = [*arguments, *upstream]
    return daemon


def test_a_region_like_any_other(own_daemon, upstream):
    daemon = own_daemon(arguments=("--ephemeral", *GIVEN)).start()
    account = Account.first(daemon, REGION)
    regions = {found["RegionName"]: found for found in account.ec2.describe_regions()["Regions"]}
    assert {REGION, "us-east-1", "eu-west-1"} <= set(regions)
    assert regions[REGION]["Endpoint"] == f"ec2.{REGION}.amazonaws.com"
    assert zones(account) == {REGION + "a": f"{REGION}-az1", REGION + "b": f"{REGION}-az2"}
    described = account.ec2.describe_availability_zones(ZoneIds=[f"{REGION}-az2"])["AvailabilityZones"]
    assert [zone["ZoneName"] for zone in described] == [REGION + "b"]
    # A default VPC, as everywhere.
    subnets = account.ec2.describe_subnets()["Subnets"]
    assert {subnet["AvailabilityZone"] for subnet in subnets} == set(ZONES)

    vpc = account.vpc()
    subnet = account.subnet(vpc, "10.0.0.0/24", "b")
    assert refusal(
        account.ec2.create_subnet, VpcId=vpc, CidrBlock="10.0.1.0/24", AvailabilityZone="us-east-1a"
    )[0] == "InvalidParameterValue"
    group = account.group(vpc, ("tcp", 443, "0.0.0.0/0"))
    endpoint = account.ec2.create_vpc_endpoint(
        VpcEndpointType="Interface", VpcId=vpc, ServiceName=f"com.amazonaws.{REGION}.rds",
        SubnetIds=[subnet], SecurityGroupIds=[group], PrivateDnsEnabled=True,
    )["VpcEndpoint"]["VpcEndpointId"]
    names = [entry["DnsName"] for entry in account.wait_for_endpoint(endpoint)["DnsEntries"]]
    assert any(name.endswith(f"-{REGION}b.rds.{REGION}.vpce.amazonaws.com") for name in names), names
    [address] = account.endpoint_addresses(endpoint).values()
    instance = daemon.run(subnet, "sleep", "infinity")
    found = daemon.exec(instance, "getent", "ahostsv4", f"rds.{REGION}.amazonaws.com").stdout
    assert found.split()[0] == address
    # Nothing of it is in AWS's regions.
    assert Account.first(daemon).vpcs() == []
    daemon.reset()
    assert set(zones(account)) == set(ZONES)


def test_other_regions_are_none(own_daemon):
    daemon = own_daemon().start()
    code, message = refusal(Account.first(daemon, REGION).ec2.describe_vpcs)
    assert REGION in message and code in ("SignatureDoesNotMatch", "AuthFailure"), (code, message)


@pytest.mark.parametrize(
    "given, said",
    [
        ([REGION], "with its zones"),
        (["lab=laba"], "AWS's form"),
        (["us-east-1=us-east-1a"], "AWS's regions"),
        ([f"{REGION}=rack"], f"{REGION}a"),
        ([f"{REGION}={REGION}a,{REGION}a"], "twice"),
        ([f"{REGION}={REGION}a", f"{REGION}={REGION}b"], "twice"),
    ],
)
def test_what_is_no_region(own_daemon, given, said):
    options = [word for region in given for word in ("--region", region)]
    assert said in own_daemon(arguments=("--ephemeral", *options)).refused()


def test_regions_are_kept_and_go_when_nothing_is_there(own_daemon):
    daemon = own_daemon(arguments=GIVEN).start()
    account = Account.first(daemon, REGION)
    account.ec2.delete_vpc(VpcId=empty_default_vpc(account))
    vpc = account.vpc()
    subnet = account.subnet(vpc, "10.0.0.0/24", "b")
    restart(daemon).start()
    assert account.vpcs() == [vpc]

    said = restart(daemon, "--region", f"{REGION}={REGION}a").refused()
    assert f"{REGION}b cannot go" in said and subnet in said
    daemon.arguments[1] = f"{REGION}={REGION}b,{REGION}c"
    daemon.start()
    assert set(zones(account)) == {REGION + "b", REGION + "c"}

    said = restart(daemon, "--forget-region", REGION).refused()
    assert f"{REGION} cannot go" in said and "delete what is there first" in said
    daemon.arguments[:2] = []
    daemon.start()
    account.ec2.delete_subnet(SubnetId=subnet)
    account.ec2.delete_vpc(VpcId=vpc)
    restart(daemon, "--forget-region", REGION).start()
    assert REGION not in {found["RegionName"] for found in regions_of(daemon)}
    assert "no region" in restart(daemon, "--forget-region", REGION).refused()
    daemon.arguments[:2] = []
    daemon.start()


def regions_of(daemon):
    return Account.first(daemon).ec2.describe_regions()["Regions"]


def empty_default_vpc(account):
    """Delete what is in the default VPC. Returns its id."""
    ec2 = account.ec2
    for subnet in ec2.describe_subnets()["Subnets"]:
        ec2.delete_subnet(SubnetId=subnet["SubnetId"])
    [vpc] = ec2.describe_vpcs()["Vpcs"]
    for gateway in ec2.describe_internet_gateways()["InternetGateways"]:
        ec2.detach_internet_gateway(InternetGatewayId=gateway["InternetGatewayId"], VpcId=vpc["VpcId"])
        ec2.delete_internet_gateway(InternetGatewayId=gateway["InternetGatewayId"])
    return vpc["VpcId"]
