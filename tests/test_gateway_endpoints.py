"""Gateway endpoints: route tables lead to S3 and DynamoDB, under their public names, through the gateway."""

import json

import pytest

from harness.aws import refusal
from harness.wait import until
from test_gateway import REGION, allow, backend, place, policy, records  # noqa: F401 (fixtures)

S3 = f"com.amazonaws.{REGION}.s3"
DYNAMODB = f"com.amazonaws.{REGION}.dynamodb"


def main_table(account, vpc):
    """The id of a VPC's main route table."""
    filters = [{"Name": "vpc-id", "Values": [vpc]}, {"Name": "association.main", "Values": ["true"]}]
    return account.ec2.describe_route_tables(Filters=filters)["RouteTables"][0]["RouteTableId"]


def gateway_endpoint(account, vpc, *tables, service=S3, **options):
    """An available gateway endpoint. AWS's default type is this one."""
    made = account.ec2.create_vpc_endpoint(VpcId=vpc, ServiceName=service, RouteTableIds=list(tables), **options)
    endpoint = made["VpcEndpoint"]["VpcEndpointId"]
    account.wait_for_endpoint(endpoint)
    return endpoint


def routes_to(account, table):
    """The prefix lists and endpoints that a route table has routes to."""
    [found] = account.ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"]
    assert all(route["State"] == "active" for route in found["Routes"])
    return {
        route["DestinationPrefixListId"]: route["GatewayId"]
        for route in found["Routes"] if "DestinationPrefixListId" in route
    }


def test_both_types_are_offered(aws):
    found = aws.ec2.describe_vpc_endpoint_services(ServiceNames=[S3, DYNAMODB])
    assert found["ServiceNames"] == sorted([S3, DYNAMODB])
    offers = {(one["ServiceName"], one["ServiceType"][0]["ServiceType"]): one for one in found["ServiceDetails"]}
    assert set(offers) == {(name, kind) for name in (S3, DYNAMODB) for kind in ("Gateway", "Interface")}
    gateway = offers[DYNAMODB, "Gateway"]
    assert gateway["BaseEndpointDnsNames"] == [f"dynamodb.{REGION}.amazonaws.com"]
    assert "PrivateDnsName" not in gateway and gateway["VpcEndpointPolicySupported"] is True
    assert gateway["ServiceId"] != offers[DYNAMODB, "Interface"]["ServiceId"]
    only = aws.ec2.describe_vpc_endpoint_services(Filters=[{"Name": "service-type", "Values": ["Gateway"]}])
    assert {one["ServiceName"] for one in only["ServiceDetails"]} >= {S3, DYNAMODB}
    assert all(one["ServiceType"] == [{"ServiceType": "Gateway"}] for one in only["ServiceDetails"])


def test_created_read_changed_and_deleted(aws):
    vpc = aws.vpc()
    table = main_table(aws, vpc)
    endpoint = gateway_endpoint(aws, vpc, table)
    found = aws.endpoint(endpoint)
    assert found["VpcEndpointType"] == "Gateway" and found["RouteTableIds"] == [table]
    assert json.loads(found["PolicyDocument"])["Version"] == "2008-10-17"
    assert [found[name] for name in ("SubnetIds", "Groups", "NetworkInterfaceIds", "DnsEntries")] == [[]] * 4
    assert found["PrivateDnsEnabled"] is False
    [listed] = aws.ec2.describe_prefix_lists(Filters=[{"Name": "prefix-list-name", "Values": [S3]}])["PrefixLists"]
    assert routes_to(aws, table) == {listed["PrefixListId"]: endpoint}
    by_list = [{"Name": "route.destination-prefix-list-id", "Values": [listed["PrefixListId"]]}]
    [by_route] = aws.ec2.describe_route_tables(Filters=by_list)["RouteTables"]
    assert by_route["RouteTableId"] == table
    of_type = [{"Name": "vpc-endpoint-type", "Values": ["Gateway"]}, {"Name": "vpc-id", "Values": [vpc]}]
    assert len(aws.ec2.describe_vpc_endpoints(Filters=of_type)["VpcEndpoints"]) == 1

    other = aws.ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    aws.ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, AddRouteTableIds=[other], RemoveRouteTableIds=[table])
    assert aws.wait_for_endpoint(endpoint)["RouteTableIds"] == [other]
    assert routes_to(aws, table) == {} and routes_to(aws, other)
    code, message = refusal(
        aws.ec2.delete_route, RouteTableId=other, DestinationPrefixListId=listed["PrefixListId"]
    )
    assert (code, "cannot remove VPC endpoint route" in message) == ("InvalidParameterValue", True)
    assert refusal(aws.ec2.delete_vpc, VpcId=vpc)[0] == "DependencyViolation"
    # Terraform destroys a route table that an endpoint is routed from.
    aws.ec2.delete_route_table(RouteTableId=other)
    assert aws.endpoint(endpoint)["RouteTableIds"] == []
    aws.ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])
    until(lambda: aws.endpoint(endpoint)["State"] == "deleted", "deleted")


@pytest.mark.parametrize(("options", "code", "words"), [
    ({"SubnetIds": ["subnet"]}, "InvalidParameter", "Subnet IDs are only supported for Interface and GatewayLoadBalancer"),
    ({"SecurityGroupIds": ["group"]}, "InvalidParameter", "only supported for Interface type VPC Endpoint"),
    ({"PrivateDnsEnabled": True}, "InvalidParameter", "only supported for Interface type VPC Endpoint"),
    ({"RouteTableIds": ["rtb-0123456789abcdef0"]}, "InvalidRouteTableId.NotFound", "rtb-0123456789abcdef0"),
    ({"RouteTableIds": ["stranger"]}, "InvalidParameter", "does not belong to the VPC"),
    ({"RouteTableIds": ["table"]}, "RouteAlreadyExists", "already has a route with destination-prefix-list-id pl-"),
    ({"ServiceName": f"com.amazonaws.{REGION}.sts"}, "InvalidServiceName", "does not support the endpoint type 'Gateway'"),
    ({"DnsOptions": {"PrivateDnsOnlyForInboundResolverEndpoint": True}}, "InvalidParameter", "only to Interface"),
    ({"VpcEndpointType": "Interface", "RouteTableIds": ["table"]}, "InvalidParameter", "only supported for Gateway type"),
])
def test_what_is_refused(aws, options, code, words):
    vpc, elsewhere = aws.vpc(), aws.vpc()
    names = {
        "subnet": aws.subnet(vpc, "10.0.0.0/24"), "group": aws.default_group(vpc), "table": main_table(aws, vpc),
        "stranger": main_table(aws, elsewhere),
    }
    gateway_endpoint(aws, vpc, names["table"])
    given = {
        name: [names.get(one, one) for one in value] if isinstance(value, list) else value
        for name, value in options.items()
    }
    before = routes_to(aws, names["table"])
    found, message = refusal(aws.ec2.create_vpc_endpoint, **{"VpcId": vpc, "ServiceName": S3} | given)
    assert (found, words in message) == (code, True), message
    assert routes_to(aws, names["table"]) == before


def through_nat(place, endpoint, prefix_list, table):
    """Where only the subnet of a NAT gateway has the route, what goes through that one goes on to the endpoint, as its."""
    account = place.account
    nats = account.subnet(place.vpc, "10.0.200.0/24")
    own = account.ec2.create_route_table(VpcId=place.vpc)["RouteTable"]["RouteTableId"]
    account.ec2.associate_route_table(RouteTableId=own, SubnetId=nats)
    nat = account.ec2.create_nat_gateway(SubnetId=nats, ConnectivityType="private")["NatGateway"]
    account.ec2.get_waiter("nat_gateway_available").wait(
        NatGatewayIds=[nat["NatGatewayId"]], WaiterConfig={"Delay": 1, "MaxAttempts": 20}
    )
    account.ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, AddRouteTableIds=[own], RemoveRouteTableIds=[table])
    account.wait_for_endpoint(endpoint)
    account.ec2.create_route(
        RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=nat["NatGatewayId"]
    )
    until(lambda: place.aws("s3api", "list-buckets", "--cli-connect-timeout", "2").returncode == 0, "S3 through NAT")
    [its] = [address["PrivateIp"] for address in nat["NatGatewayAddresses"]]
    assert records(place.daemon, endpoint=endpoint, wanted=4)[-1]["sourceIPAddress"] == its
    account.ec2.delete_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0")
    account.ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, AddRouteTableIds=[table], RemoveRouteTableIds=[own])
    account.wait_for_endpoint(endpoint)


def test_a_bucket_through_the_gateway(place, backend):  # noqa: F811
    account, daemon = place.account, place.daemon
    daemon.linkway("service", "set", S3, "--backend", backend.url)
    # Its groups let it out to S3 only, which its prefix list names.
    prefix_list = account.ec2.describe_prefix_lists(
        Filters=[{"Name": "prefix-list-name", "Values": [S3]}]
    )["PrefixLists"][0]["PrefixListId"]
    everything = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    account.ec2.revoke_security_group_egress(GroupId=place.members, IpPermissions=everything)
    to_s3 = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "PrefixListIds": [{"PrefixListId": prefix_list}]}
    account.ec2.authorize_security_group_egress(GroupId=place.members, IpPermissions=[to_s3])

    table = main_table(account, place.vpc)
    endpoint = gateway_endpoint(account, place.vpc, table, PolicyDocument=policy(allow("s3:ListAllMyBuckets")))
    # The global name, which boto3 and the AWS CLI use here unless they are told otherwise, is S3's as well.
    for preference in ("regional", "legacy"):
        done = place.aws("s3api", "list-buckets", AWS_S3_US_EAST_1_REGIONAL_ENDPOINT=preference)
        assert done.returncode == 0, done.stderr
    assert {host for _, host, _, _ in backend.asked} == {f"s3.{REGION}.amazonaws.com", "s3.amazonaws.com"}
    assert place.resolved(f"shop.s3.{REGION}.amazonaws.com") == place.resolved(f"s3.{REGION}.amazonaws.com") != []
    done = place.aws("s3api", "get-object", "--bucket", "shop", "--key", "a", "/dev/null")
    assert "no VPC endpoint policy allows the s3:GetObject action" in done.stderr, done.stderr
    record = records(daemon, endpoint=endpoint, wanted=3)[-1]
    assert record["sourceIPAddress"] == account.address(place.instance) and record["errorCode"] == "VpceAccessDenied"

    through_nat(place, endpoint, prefix_list, table)
    account.ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, RemoveRouteTableIds=[table])
    account.wait_for_endpoint(endpoint)
    advice = daemon.linkway("advise", endpoint, check=False)
    assert advice.returncode == 1 and "no-route-table" in advice.stdout and table in advice.stdout, advice.stdout
    assert place.aws("s3api", "list-buckets", "--cli-connect-timeout", "2").returncode != 0
    assert daemon.drops(account.interface(place.instance)).get("NoRoute", 0) >= 1
    daemon.linkway("service", "unset", S3)
