"""Endpoint services and endpoints: life cycles, permissions, several accounts, and what must be refused."""

import pytest

from harness.aws import refusal
from harness.service import connect, publish
from harness.wait import until

CONSUMER = "arn:aws:iam::210987654321:root"


@pytest.fixture
def provider(aws):
    """A service of the first account in two zones, without targets; nobody is permitted."""
    vpc = aws.vpc()
    return publish(aws, [aws.subnet(vpc, "10.0.0.0/24", "a"), aws.subnet(vpc, "10.0.1.0/24", "b")], [], acceptance=True)


@pytest.fixture
def consumer(other):
    """A VPC of the other account, of the same range, with two subnets in zone a and one in each of b and c."""
    other.in_vpc = other.vpc()
    other.subnets = [
        other.subnet(other.in_vpc, f"10.0.{number}.0/24", zone) for number, zone in enumerate("abca")
    ]
    return other


def make(consumer, service, **options):
    """The arguments of CreateVpcEndpoint."""
    return {
        "VpcEndpointType": "Interface", "VpcId": consumer.in_vpc, "ServiceName": service.name,
        "SubnetIds": consumer.subnets[:2], "PrivateDnsEnabled": False,
    } | options


def test_accepted_rejected_and_deleted(provider, consumer):
    provider.permit(CONSUMER)
    endpoint = connect(consumer, provider, consumer.in_vpc, consumer.subnets[:2])
    described = consumer.endpoint(endpoint)
    assert described["State"] == "pendingAcceptance"
    assert len(described["NetworkInterfaceIds"]) == 2
    assert provider.connections() == {endpoint: "pendingAcceptance"}

    change = {"ServiceId": provider.id, "VpcEndpointIds": [endpoint]}
    assert provider.account.ec2.accept_vpc_endpoint_connections(**change)["Unsuccessful"] == []
    consumer.wait_for_endpoint(endpoint)
    assert provider.connections() == {endpoint: "available"}
    refused = provider.account.ec2.delete_vpc_endpoint_service_configurations(ServiceIds=[provider.id])
    assert refused["Unsuccessful"][0]["Error"] == {
        "Code": "ExistingVpcEndpointConnections", "Message": "Service has existing active VPC Endpoint connections!"
    }

    assert provider.account.ec2.reject_vpc_endpoint_connections(**change)["Unsuccessful"] == []
    consumer.wait_for_endpoint(endpoint, "rejected")
    assert consumer.ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])["Unsuccessful"] == []
    until(lambda: is_gone(consumer, endpoint), "the endpoint gone")
    deleted = provider.account.ec2.delete_vpc_endpoint_service_configurations(ServiceIds=[provider.id])
    assert deleted["Unsuccessful"] == []


def is_gone(consumer, endpoint):
    """Whether the endpoint is deleted, and its interfaces with it."""
    found = consumer.ec2.describe_vpc_endpoints(
        Filters=[{"Name": "vpc-endpoint-id", "Values": [endpoint]}]
    )["VpcEndpoints"]
    interfaces = consumer.ec2.describe_network_interfaces(
        Filters=[{"Name": "interface-type", "Values": ["vpc_endpoint"]}]
    )["NetworkInterfaces"]
    return not interfaces and all(endpoint["State"] == "deleted" for endpoint in found)


def test_without_acceptance_it_becomes_available_by_itself(provider, consumer):
    provider.permit(CONSUMER)
    provider.account.ec2.modify_vpc_endpoint_service_configuration(ServiceId=provider.id, AcceptanceRequired=False)
    endpoint = connect(consumer, provider, consumer.in_vpc, consumer.subnets[:1])
    found = consumer.wait_for_endpoint(endpoint)
    assert [group["GroupName"] for group in found["Groups"]] == ["default"]
    regional, zonal = (entry["DnsName"] for entry in found["DnsEntries"])
    suffix = f".{provider.id}.us-east-1.vpce.amazonaws.com"
    assert regional.startswith(endpoint) and regional.endswith(suffix)
    assert zonal == regional.removesuffix(suffix) + "-us-east-1a" + suffix


def test_its_interfaces_are_managed_by_the_requester(provider, consumer):
    provider.permit(CONSUMER)
    endpoint = connect(consumer, provider, consumer.in_vpc, consumer.subnets[:1])
    [interface] = consumer.endpoint(endpoint)["NetworkInterfaceIds"]
    [found] = consumer.ec2.describe_network_interfaces(NetworkInterfaceIds=[interface])["NetworkInterfaces"]
    assert found["RequesterManaged"] and found["InterfaceType"] == "vpc_endpoint"
    assert found["Description"] == f"VPC Endpoint Interface {endpoint}"
    code, message = refusal(consumer.ec2.delete_network_interface, NetworkInterfaceId=interface)
    assert code in ("OperationNotPermitted", "InvalidNetworkInterface.InUse", "InvalidParameterValue"), message
    code, _ = refusal(consumer.ec2.delete_subnet, SubnetId=consumer.subnets[0])
    assert code == "DependencyViolation"


def test_subnets_and_groups_are_changed(provider, consumer):
    provider.permit(CONSUMER)
    provider.account.ec2.modify_vpc_endpoint_service_configuration(ServiceId=provider.id, AcceptanceRequired=False)
    endpoint = connect(consumer, provider, consumer.in_vpc, consumer.subnets[:1])
    consumer.wait_for_endpoint(endpoint)
    group = consumer.group(consumer.in_vpc)
    consumer.ec2.modify_vpc_endpoint(
        VpcEndpointId=endpoint, AddSubnetIds=[consumer.subnets[1]], AddSecurityGroupIds=[group],
        RemoveSecurityGroupIds=[consumer.default_group(consumer.in_vpc)],
    )
    found = consumer.wait_for_endpoint(endpoint)
    assert set(found["SubnetIds"]) == set(consumer.subnets[:2])
    assert [found["GroupId"] for found in found["Groups"]] == [group]
    assert set(consumer.endpoint_addresses(endpoint)) == {"a", "b"}


def test_a_service_is_hidden_until_permitted(provider, consumer):
    create = make(consumer, provider)
    hidden = ("InvalidServiceName", f"The Vpc Endpoint Service '{provider.name}' does not exist")
    assert refusal(consumer.ec2.create_vpc_endpoint, **create) == hidden
    assert refusal(consumer.ec2.describe_vpc_endpoint_services, ServiceNames=[provider.name])[0] == hidden[0]
    assert provider.name not in consumer.ec2.describe_vpc_endpoint_services()["ServiceNames"]
    provider.permit(CONSUMER)
    assert provider.name in consumer.ec2.describe_vpc_endpoint_services()["ServiceNames"]
    [principal] = provider.account.ec2.describe_vpc_endpoint_service_permissions(ServiceId=provider.id)[
        "AllowedPrincipals"
    ]
    assert principal["Principal"] == CONSUMER
    endpoint = consumer.ec2.create_vpc_endpoint(**create)["VpcEndpoint"]["VpcEndpointId"]
    # A permission that is taken back does not touch what was made under it.
    provider.account.ec2.modify_vpc_endpoint_service_permissions(
        ServiceId=provider.id, RemoveAllowedPrincipals=[CONSUMER]
    )
    assert consumer.endpoint(endpoint)["State"] == "pendingAcceptance"
    assert refusal(consumer.ec2.create_vpc_endpoint, **create) == hidden


def test_each_side_sees_its_own(provider, consumer):
    provider.permit("*")
    endpoint = connect(consumer, provider, consumer.in_vpc, consumer.subnets[:1])
    assert provider.account.ec2.describe_vpc_endpoints()["VpcEndpoints"] == []
    assert consumer.ec2.describe_vpc_endpoint_connections()["VpcEndpointConnections"] == []
    code, _ = refusal(
        consumer.ec2.accept_vpc_endpoint_connections, ServiceId=provider.id, VpcEndpointIds=[endpoint]
    )
    assert code == "InvalidVpcEndpointServiceId.NotFound"


@pytest.mark.parametrize(
    ("service", "wrong"),
    [
        ("com.amazonaws.vpce.us-east-1.vpce-svc-0123456789abcdef0", None),
        ("com.amazonaws.us-east-1.nothing", None),
    ],
)
def test_services_that_do_not_exist(consumer, service, wrong):
    code, message = refusal(
        consumer.ec2.create_vpc_endpoint, VpcEndpointType="Interface", VpcId=consumer.in_vpc, ServiceName=service
    )
    assert (code, message) == ("InvalidServiceName", f"The Vpc Endpoint Service '{service}' does not exist"), wrong


def test_subnets_that_do_not_fit(provider, consumer):
    provider.permit("*")
    first, second, elsewhere, doubled = consumer.subnets
    for subnets, code, named in [
        ([first, doubled], "DuplicateSubnetsInSameZone", first),
        ([elsewhere], "InvalidParameter", elsewhere),
        (["subnet-0123456789abcdef0"], "InvalidSubnetID.NotFound", "subnet-0123456789abcdef0"),
    ]:
        refused, message = refusal(consumer.ec2.create_vpc_endpoint, **make(consumer, provider, SubnetIds=subnets))
        assert refused == code and named in message, message
    foreign = consumer.subnet(consumer.vpc(), "10.0.9.0/24")
    refused, message = refusal(consumer.ec2.create_vpc_endpoint, **make(consumer, provider, SubnetIds=[foreign]))
    assert refused == "InvalidParameter" and foreign in message
    assert consumer.ec2.describe_vpc_endpoints()["VpcEndpoints"] == []
    assert consumer.ec2.describe_network_interfaces()["NetworkInterfaces"] == []


def test_groups_that_do_not_fit(provider, consumer):
    provider.permit("*")
    foreign = consumer.group(consumer.vpc())
    refused, message = refusal(
        consumer.ec2.create_vpc_endpoint, **make(consumer, provider, SecurityGroupIds=[foreign])
    )
    assert refused == "InvalidParameter" and foreign in message
    refused, _ = refusal(
        consumer.ec2.create_vpc_endpoint, **make(consumer, provider, SecurityGroupIds=["sg-0123456789abcdef0"])
    )
    assert refused == "InvalidGroup.NotFound"


def test_the_same_token_makes_one_endpoint(provider, consumer):
    provider.permit("*")
    create = make(consumer, provider, ClientToken="once")
    first = consumer.ec2.create_vpc_endpoint(**create)["VpcEndpoint"]["VpcEndpointId"]
    assert consumer.ec2.create_vpc_endpoint(**create)["VpcEndpoint"]["VpcEndpointId"] == first
    refused, _ = refusal(consumer.ec2.create_vpc_endpoint, **create | {"SubnetIds": consumer.subnets[:1]})
    assert refused == "IdempotentParameterMismatch"


def test_deleting_what_is_not_there_is_told_per_item(consumer, provider):
    provider.permit("*")
    endpoint = connect(consumer, provider, consumer.in_vpc, consumer.subnets[:1])
    missing = "vpce-0123456789abcdef0"
    [failed] = consumer.ec2.delete_vpc_endpoints(VpcEndpointIds=[missing, endpoint])["Unsuccessful"]
    assert failed["ResourceId"] == missing
    assert failed["Error"]["Code"] == "InvalidVpcEndpoint.NotFound"
    until(lambda: is_gone(consumer, endpoint), "the endpoint gone")
    assert refusal(consumer.ec2.modify_vpc_endpoint, VpcEndpointId=missing)[0] == "InvalidVpcEndpointId.NotFound"


def test_a_balancer_in_use_stays(provider):
    code, message = refusal(provider.account.elbv2.delete_load_balancer, LoadBalancerArn=provider.balancer)
    assert code == "ResourceInUse" and "associated with another service" in message
    code, message = refusal(provider.account.elbv2.delete_target_group, TargetGroupArn=provider.target_group)
    assert code == "ResourceInUse" and "currently in use by a listener or a rule" in message


def test_filters_and_pages_find_the_same(consumer):
    """Whichever of the filters the index goes by, all of them hold; and pages together are the whole."""
    tag = {"ResourceType": "vpc-endpoint", "Tags": [{"Key": "Name", "Value": "odd"}]}
    made = []
    for number in range(7):
        made.append(consumer.ec2.create_vpc_endpoint(
            VpcEndpointType="Interface", VpcId=consumer.in_vpc, PrivateDnsEnabled=False,
            ServiceName="com.amazonaws.us-east-1." + ("rds" if number < 4 else "sts"),
            SubnetIds=consumer.subnets[:1], TagSpecifications=[tag] if number % 2 else [],
        )["VpcEndpoint"]["VpcEndpointId"])
    for endpoint in made:
        consumer.wait_for_endpoint(endpoint)

    def found(paged=False, **filters):
        named = [{"Name": name.replace("_", "-"), "Values": values} for name, values in filters.items()]
        paging = {"PageSize": 2} if paged else {}
        pages = consumer.ec2.get_paginator("describe_vpc_endpoints").paginate(Filters=named, PaginationConfig=paging)
        return [endpoint["VpcEndpointId"] for page in pages for endpoint in page["VpcEndpoints"]]

    rds = ["com.amazonaws.us-east-1.rds"]
    for filters, wanted in (
        ({"vpc_id": [consumer.in_vpc]}, made),
        ({"vpc_id": [consumer.in_vpc], "service_name": rds}, made[:4]),
        ({"service_name": rds, "tag:Name": ["odd"]}, made[1:4:2]),
        ({"tag:Name": ["odd", "even"], "vpc_id": [consumer.in_vpc]}, made[1::2]),
        ({"tag:Name": ["o*"], "vpc_endpoint_state": ["available", "pending"]}, made[1::2]),
        ({"vpc_endpoint_state": ["pending"], "vpc_id": [consumer.in_vpc]}, []),
        ({"vpc_id": ["vpc-0123456789abcdef0"]}, []),
    ):
        assert found(**filters) == sorted(wanted), filters
        assert found(paged=True, **filters) == sorted(wanted), filters
    gone = made.pop()
    consumer.ec2.delete_vpc_endpoints(VpcEndpointIds=[gone])
    assert gone not in found(vpc_endpoint_state=["available"])


def test_an_operator_raises_quotas(provider, consumer, daemon):
    provider.permit(CONSUMER)

    def quota(**quotas):
        options = [word for name, value in quotas.items() for word in (f"--{name.replace('_', '-')}", value)]
        return daemon.json("account", "quota", "--id", consumer.number, *options)

    create = make(consumer, provider, SubnetIds=consumer.subnets[:1])
    try:
        [account] = quota(endpoints_per_vpc=1)
        assert account["quotas"] == {"endpoints_per_vpc": 1, "interfaces_per_region": 5000}
        consumer.ec2.create_vpc_endpoint(**create)
        assert refusal(consumer.ec2.create_vpc_endpoint, **create)[0] == "VpcEndpointLimitExceeded"
        quota(endpoints_per_vpc=3, interfaces_per_region=1)
        assert refusal(consumer.ec2.create_vpc_endpoint, **create)[0] == "NetworkInterfaceLimitExceeded"
        quota(interfaces_per_region=5000)
        consumer.ec2.create_vpc_endpoint(**create)
    finally:
        quota(endpoints_per_vpc=50, interfaces_per_region=5000)


def test_fifty_endpoints_a_vpc(provider, consumer):
    provider.permit("*")
    for _ in range(50):
        connect(consumer, provider, consumer.in_vpc, [])
    assert refusal(consumer.ec2.create_vpc_endpoint, **make(consumer, provider, SubnetIds=[]))[0] == (
        "VpcEndpointLimitExceeded"
    )
