"""IPv6 in AWS's API, as boto3 and Terraform's provider call it: ranges of VPCs and subnets, addresses of interfaces and
instances, endpoints and balancers of both families."""

import ipaddress

import pytest

from harness.aws import refusal
from harness.service import connect, publish
from harness.terraform import reaches

EVERYWHERE = {"IpProtocol": "-1", "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}


def one(found):
    [item] = found
    return item


class Network:
    """A VPC of an account with an IPv6 range, and a subnet in each of zones a and b with a part of it."""

    def __init__(self, account):
        self.account, self.ec2 = account, account.ec2
        made = self.ec2.create_vpc(CidrBlock="10.0.0.0/16", AmazonProvidedIpv6CidrBlock=True)["Vpc"]
        self.vpc = made["VpcId"]
        self.association = one(made["Ipv6CidrBlockAssociationSet"])
        self.range = ipaddress.ip_network(self.association["Ipv6CidrBlock"])
        self.parts = [str(part) for part, _ in zip(self.range.subnets(new_prefix=64), range(3))]
        for attribute in ("EnableDnsSupport", "EnableDnsHostnames"):
            self.ec2.modify_vpc_attribute(VpcId=self.vpc, **{attribute: {"Value": True}})
        self.subnets = [
            self.ec2.create_subnet(
                VpcId=self.vpc, CidrBlock=f"10.0.{number}.0/24", Ipv6CidrBlock=self.parts[number],
                AvailabilityZone=f"us-east-1{zone}",
            )["Subnet"]["SubnetId"]
            for number, zone in enumerate("ab")
        ]

    def shown(self):
        return one(self.ec2.describe_vpcs(VpcIds=[self.vpc])["Vpcs"])

    def address(self, number, subnet=0):
        """An address of a subnet."""
        return str(ipaddress.ip_network(self.parts[subnet])[number])


@pytest.fixture
def network(aws):
    return Network(aws)


def subnet(network, number=0):
    return one(network.ec2.describe_subnets(SubnetIds=[network.subnets[number]])["Subnets"])


def test_a_vpc_with_ipv6_as_terraform_makes_it(aws, network):
    assert network.association["Ipv6CidrBlockState"] == {"State": "associating"}
    assert network.range.subnet_of(ipaddress.ip_network("2001:db8::/32")) and network.range.prefixlen == 56
    filters = [{"Name": "ipv6-cidr-block-association.association-id", "Values": [network.association["AssociationId"]]}]
    reaches(lambda: one(one(aws.ec2.describe_vpcs(Filters=filters)["Vpcs"])["Ipv6CidrBlockAssociationSet"])[
        "Ipv6CidrBlockState"]["State"], "associated", pending=("associating",))
    routes = one(aws.ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [network.vpc]}])["RouteTables"])
    local = {"GatewayId": "local", "Origin": "CreateRouteTable", "State": "active"}
    assert routes["Routes"] == [
        {"DestinationCidrBlock": "10.0.0.0/16"} | local, {"DestinationIpv6CidrBlock": str(network.range)} | local,
    ]
    # Terraform takes the default rules of a new group away, that of IPv6 too.
    group = aws.group(network.vpc)
    aws.ec2.revoke_security_group_egress(GroupId=group, IpPermissions=[EVERYWHERE | {"FromPort": 0, "ToPort": 0}])

    gateway = aws.ec2.create_egress_only_internet_gateway(VpcId=network.vpc)["EgressOnlyInternetGateway"]
    route = {"RouteTableId": routes["RouteTableId"], "DestinationIpv6CidrBlock": "::/0"}
    egress = gateway["EgressOnlyInternetGatewayId"]
    aws.ec2.create_route(**route, EgressOnlyInternetGatewayId=egress)
    shown = one(aws.ec2.describe_route_tables(RouteTableIds=[routes["RouteTableId"]])["RouteTables"])["Routes"][-1]
    assert (shown["DestinationIpv6CidrBlock"], shown["EgressOnlyInternetGatewayId"]) == ("::/0", egress)
    aws.ec2.delete_route(**route)

    # A second range comes and goes; the first cannot while subnets have parts of it.
    more = aws.ec2.associate_vpc_cidr_block(VpcId=network.vpc, AmazonProvidedIpv6CidrBlock=True)
    assert "CidrBlockAssociation" not in more
    more = more["Ipv6CidrBlockAssociation"]["AssociationId"]
    gone = aws.ec2.disassociate_vpc_cidr_block(AssociationId=more)["Ipv6CidrBlockAssociation"]
    assert gone["Ipv6CidrBlockState"]["State"] == "disassociating"
    assert refusal(aws.ec2.disassociate_vpc_cidr_block, AssociationId=network.association["AssociationId"]) == (
        "InvalidCidrBlock.InUse", f"The vpc {network.vpc} currently has a subnet within CIDR block {network.range}"
    )


def test_a_subnet_gets_and_loses_its_range(aws, network):
    kept = one(subnet(network)["Ipv6CidrBlockAssociationSet"])
    assert (kept["Ipv6CidrBlock"], kept["Ipv6CidrBlockState"]) == (network.parts[0], {"State": "associated"})
    plain = aws.subnet(network.vpc, "10.0.9.0/24", "c")
    asked = {"SubnetId": plain, "Ipv6CidrBlock": network.parts[1]}
    assert refusal(aws.ec2.associate_subnet_cidr_block, **asked) == (
        "InvalidSubnet.Conflict", f"The IPv6 CIDR '{network.parts[1]}' conflicts with another subnet"
    )
    outside = {"SubnetId": plain, "Ipv6CidrBlock": "2600:1f18:1:100::/64"}
    assert refusal(aws.ec2.associate_subnet_cidr_block, **outside) == (
        "InvalidSubnet.Range", "The IPv6 CIDR '2600:1f18:1:100::/64' is invalid."
    )
    assert refusal(aws.ec2.associate_subnet_cidr_block, SubnetId=plain)[0] == "MissingParameter"
    asked["Ipv6CidrBlock"] = network.parts[2]
    made = aws.ec2.associate_subnet_cidr_block(**asked)["Ipv6CidrBlockAssociation"]
    assert made["Ipv6CidrBlockState"] == {"State": "associating"}
    found = aws.ec2.describe_subnets(
        Filters=[{"Name": "ipv6-cidr-block-association.association-id", "Values": [made["AssociationId"]]}]
    )
    assert one(found["Subnets"])["SubnetId"] == plain

    def assign(value):
        aws.ec2.modify_subnet_attribute(SubnetId=plain, AssignIpv6AddressOnCreation={"Value": value})

    assign(True)
    code, message = refusal(aws.ec2.disassociate_subnet_cidr_block, AssociationId=made["AssociationId"])
    assert code == "InvalidCidrBlock.InUse" and "assign-ipv6-address-on-creation set to true" in message
    assign(False)
    aws.ec2.disassociate_subnet_cidr_block(AssociationId=made["AssociationId"])
    code, message = refusal(
        aws.ec2.modify_subnet_attribute, SubnetId=plain, AssignIpv6AddressOnCreation={"Value": True}
    )
    assert code == "InvalidParameterValue" and "Cannot set assign-ipv6-address-on-creation to true" in message
    assert refusal(
        aws.ec2.disassociate_subnet_cidr_block, AssociationId="subnet-cidr-assoc-00000000000000000"
    )[0] == "InvalidSubnetCidrBlockAssociationID.NotFound"
    assert refusal(aws.ec2.create_subnet, VpcId=network.vpc, Ipv6Native=True, Ipv6CidrBlock=network.parts[2])[0] == (
        "UnsupportedOperation"
    )


def test_interfaces_and_instances_have_addresses(aws, network):
    ec2 = aws.ec2
    made = ec2.create_network_interface(
        SubnetId=network.subnets[0], Ipv6Addresses=[{"Ipv6Address": network.address(10)}]
    )["NetworkInterface"]
    assert made["Ipv6Addresses"] == [{"Ipv6Address": network.address(10), "IsPrimaryIpv6": False}]
    interface = made["NetworkInterfaceId"]
    more = ec2.assign_ipv6_addresses(NetworkInterfaceId=interface, Ipv6AddressCount=2)["AssignedIpv6Addresses"]
    assert len(more) == 2 and all(ipaddress.ip_address(its) in network.range for its in more)
    taken = refusal(ec2.assign_ipv6_addresses, NetworkInterfaceId=interface, Ipv6Addresses=["fd00::1"])
    assert taken == ("InvalidParameterValue", "Address fd00::1 does not fall within the subnet's address range")
    gone = ec2.unassign_ipv6_addresses(NetworkInterfaceId=interface, Ipv6Addresses=more)
    assert gone["UnassignedIpv6Addresses"] == more
    filters = [{"Name": "ipv6-addresses.ipv6-address", "Values": [network.address(10)]}]
    assert one(ec2.describe_network_interfaces(Filters=filters)["NetworkInterfaces"])["NetworkInterfaceId"] == interface

    ec2.modify_subnet_attribute(SubnetId=network.subnets[0], AssignIpv6AddressOnCreation={"Value": True})
    [image] = ec2.describe_images(Owners=["amazon"])["Images"]
    asked = {"ImageId": image["ImageId"], "MinCount": 1, "MaxCount": 1, "SubnetId": network.subnets[0]}
    instances = {
        "given by the subnet": asked,
        "chosen": asked | {"Ipv6Addresses": [{"Ipv6Address": network.address(20)}]},
        "none": asked | {"Ipv6AddressCount": 0},
    }
    counts = {}
    for what, options in instances.items():
        launched = one(ec2.run_instances(**options)["Instances"])
        counts[what] = len(one(launched["NetworkInterfaces"])["Ipv6Addresses"])
    assert counts == {"given by the subnet": 1, "chosen": 1, "none": 0}
    filters = [{"Name": "ipv6-address", "Values": [network.address(20)]}]
    found = one(one(ec2.describe_instances(Filters=filters)["Reservations"])["Instances"])
    assert found["Ipv6Address"] == network.address(20)


def test_an_endpoint_of_both_families(aws, other):
    provided, consumed = Network(aws), Network(other)
    service = publish(aws, provided.subnets, [])
    balancer = one(aws.elbv2.describe_load_balancers()["LoadBalancers"])["LoadBalancerArn"]
    change = {"ServiceId": service.id, "AddSupportedIpAddressTypes": ["ipv6"]}
    assert refusal(aws.ec2.modify_vpc_endpoint_service_configuration, **change)[0] == "InvalidParameter"
    answer = aws.elbv2.set_ip_address_type(LoadBalancerArn=balancer, IpAddressType="dualstack")
    assert answer["IpAddressType"] == "dualstack"
    zones = one(aws.elbv2.describe_load_balancers()["LoadBalancers"])["AvailabilityZones"]
    assert all(ipaddress.ip_address(one(zone["LoadBalancerAddresses"])["IPv6Address"]) in provided.range for zone in zones)
    aws.ec2.modify_vpc_endpoint_service_configuration(**change)
    service.permit(f"arn:aws:iam::{other.number}:root")
    offered = one(other.ec2.describe_vpc_endpoint_services(ServiceNames=[service.name])["ServiceDetails"])
    assert offered["SupportedIpAddressTypes"] == ["ipv4", "ipv6"]

    endpoint = connect(
        other, service, consumed.vpc, consumed.subnets, IpAddressType="dualstack",
        DnsOptions={"DnsRecordIpType": "service-defined"},
        SubnetConfigurations=[{"SubnetId": consumed.subnets[0], "Ipv4": "10.0.0.50", "Ipv6": consumed.address(80)}],
    )
    other.wait_for_endpoint(endpoint)
    shown = other.endpoint(endpoint)
    assert (shown["IpAddressType"], shown["DnsOptions"]["DnsRecordIpType"]) == ("dualstack", "service-defined")
    found = other.ec2.describe_network_interfaces(NetworkInterfaceIds=shown["NetworkInterfaceIds"])["NetworkInterfaces"]
    by_subnet = {its["SubnetId"]: (its["PrivateIpAddress"], one(its["Ipv6Addresses"])["Ipv6Address"]) for its in found}
    assert by_subnet[consumed.subnets[0]] == ("10.0.0.50", consumed.address(80))
    assert ipaddress.ip_address(by_subnet[consumed.subnets[1]][1]) in ipaddress.ip_network(consumed.parts[1])
    connection = one(aws.ec2.describe_vpc_endpoint_connections()["VpcEndpointConnections"])
    assert connection["IpAddressType"] == "dualstack"

    other.ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, DnsOptions={"DnsRecordIpType": "ipv6"})
    other.wait_for_endpoint(endpoint)
    assert other.endpoint(endpoint)["DnsOptions"]["DnsRecordIpType"] == "ipv6"
    assert refusal(
        other.ec2.modify_vpc_endpoint, VpcEndpointId=endpoint, IpAddressType="ipv4",
        DnsOptions={"DnsRecordIpType": "dualstack"},
    ) == ("InvalidParameter", "The DNS record IP type dualstack is not valid for the IP address type ipv4.")
    refused = {"ServiceId": service.id, "RemoveSupportedIpAddressTypes": ["ipv6"]}
    assert refusal(aws.ec2.modify_vpc_endpoint_service_configuration, **refused)[0] == "ExistingVpcEndpointConnections"


def test_a_target_group_of_ipv6_behind_a_dualstack_balancer(aws, network):
    elbv2 = aws.elbv2
    made = elbv2.create_load_balancer(
        Name="six", Type="network", Scheme="internal", IpAddressType="dualstack",
        SubnetMappings=[{"SubnetId": network.subnets[0], "IPv6Address": network.address(30)}],
    )
    balancer = one(made["LoadBalancers"])
    address = one(one(balancer["AvailabilityZones"])["LoadBalancerAddresses"])
    assert (balancer["IpAddressType"], address["IPv6Address"]) == ("dualstack", network.address(30))
    group = one(elbv2.create_target_group(
        Name="six", Protocol="TCP", Port=7000, VpcId=network.vpc, TargetType="ip", IpAddressType="ipv6",
    )["TargetGroups"])
    assert group["IpAddressType"] == "ipv6"
    arn = group["TargetGroupArn"]
    elbv2.register_targets(TargetGroupArn=arn, Targets=[{"Id": network.address(40)}])
    assert refusal(elbv2.register_targets, TargetGroupArn=arn, Targets=[{"Id": "10.0.0.40"}])[1] == (
        "The IP address '10.0.0.40' is not a valid IPv6 address"
    )
    target = one(elbv2.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"])["Target"]
    assert (target["Id"], target["AvailabilityZone"]) == (network.address(40), "us-east-1a")
    elbv2.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"], Protocol="TCP", Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": arn, "Order": 7}],
    )
    listener = one(elbv2.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"])
    assert one(listener["DefaultActions"])["Order"] == 7
    code, message = refusal(
        elbv2.set_ip_address_type, LoadBalancerArn=balancer["LoadBalancerArn"], IpAddressType="ipv4"
    )
    assert code == "InvalidConfigurationRequest" and arn in message
