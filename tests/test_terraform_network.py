"""Terraform's AWS provider on networks: what it calls, reads and waits for, as played by boto3; and the provider itself,
where it is installed: planned without a difference, changed, imported, destroyed.
"""

import json

import pytest

from harness.aws import refusal
from harness.terraform import gone, reaches, specification, tags
from test_terraform_provider import terraform  # noqa: F401 (a fixture)

NETWORK = """
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
variable "url" {}
variable "hostnames" { type = bool }
variable "ports" { type = list(number) }
provider "aws" {
  region                  = "us-east-1"
  skip_metadata_api_check = true
  endpoints {
    ec2 = var.url
    sts = var.url
  }
}
data "aws_availability_zones" "all" { state = "available" }
data "aws_vpc_endpoint_service" "s3" {
  service      = "s3"
  service_type = "Gateway"
}
data "aws_prefix_list" "s3" { name = data.aws_vpc_endpoint_service.s3.service_name }
data "aws_ec2_managed_prefix_list" "s3" { name = data.aws_vpc_endpoint_service.s3.service_name }
resource "aws_vpc" "main" {
  cidr_block           = "10.0.0.0/16"
  enable_dns_hostnames = var.hostnames
  tags                 = { Name = "main" }
}
resource "aws_vpc_ipv4_cidr_block_association" "second" {
  vpc_id     = aws_vpc.main.id
  cidr_block = "10.1.0.0/16"
}
resource "aws_subnet" "public" {
  vpc_id                  = aws_vpc.main.id
  cidr_block              = "10.0.0.0/24"
  availability_zone       = data.aws_availability_zones.all.names[0]
  map_public_ip_on_launch = true
}
resource "aws_subnet" "private" {
  vpc_id            = aws_vpc.main.id
  cidr_block        = "10.0.1.0/24"
  availability_zone = data.aws_availability_zones.all.names[1]
}
resource "aws_internet_gateway" "main" { vpc_id = aws_vpc.main.id }
resource "aws_eip" "nat" { domain = "vpc" }
resource "aws_nat_gateway" "main" {
  allocation_id = aws_eip.nat.id
  subnet_id     = aws_subnet.public.id
  depends_on    = [aws_internet_gateway.main]
}
resource "aws_route_table" "public" {
  vpc_id = aws_vpc.main.id
  route {
    cidr_block = "0.0.0.0/0"
    gateway_id = aws_internet_gateway.main.id
  }
}
resource "aws_route_table" "private" { vpc_id = aws_vpc.main.id }
resource "aws_route" "out" {
  route_table_id         = aws_route_table.private.id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.main.id
}
resource "aws_route_table_association" "public" {
  route_table_id = aws_route_table.public.id
  subnet_id      = aws_subnet.public.id
}
resource "aws_route_table_association" "private" {
  route_table_id = aws_route_table.private.id
  subnet_id      = aws_subnet.private.id
}
resource "aws_vpc_endpoint" "s3" {
  vpc_id       = aws_vpc.main.id
  service_name = data.aws_vpc_endpoint_service.s3.service_name
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = "*", Action = "s3:GetObject", Resource = "*" }]
  })
}
resource "aws_vpc_endpoint_route_table_association" "s3" {
  route_table_id  = aws_route_table.private.id
  vpc_endpoint_id = aws_vpc_endpoint.s3.id
}
resource "aws_vpc_endpoint" "dynamodb" {
  vpc_id          = aws_vpc.main.id
  service_name    = "com.amazonaws.us-east-1.dynamodb"
  route_table_ids = [aws_route_table.public.id]
}
resource "aws_network_acl" "private" {
  vpc_id     = aws_vpc.main.id
  subnet_ids = [aws_subnet.private.id]
  dynamic "ingress" {
    for_each = var.ports
    content {
      rule_no    = 100 + ingress.key
      protocol   = "tcp"
      action     = "allow"
      cidr_block = "10.0.0.0/16"
      from_port  = ingress.value
      to_port    = ingress.value
    }
  }
}
resource "aws_vpc_dhcp_options" "main" {
  domain_name         = "shop.example.com"
  domain_name_servers = ["AmazonProvidedDNS"]
}
resource "aws_vpc_dhcp_options_association" "main" {
  vpc_id          = aws_vpc.main.id
  dhcp_options_id = aws_vpc_dhcp_options.main.id
}
resource "aws_ec2_managed_prefix_list" "offices" {
  name           = "offices"
  address_family = "IPv4"
  max_entries    = 5
  dynamic "entry" {
    for_each = var.ports
    content {
      cidr        = "10.${entry.key}.0.0/16"
      description = "for ${entry.value}"
    }
  }
}
resource "aws_security_group" "web" {
  name   = "web"
  vpc_id = aws_vpc.main.id
  ingress {
    protocol        = "tcp"
    from_port       = 443
    to_port         = 443
    prefix_list_ids = [aws_ec2_managed_prefix_list.offices.id]
  }
  egress {
    protocol        = "tcp"
    from_port       = 443
    to_port         = 443
    prefix_list_ids = [data.aws_prefix_list.s3.id]
  }
}
resource "aws_default_security_group" "none" { vpc_id = aws_vpc.main.id }
resource "aws_network_interface" "node" {
  subnet_id       = aws_subnet.private.id
  private_ips     = ["10.0.1.50"]
  security_groups = [aws_security_group.web.id]
}
output "lists_agree" { value = data.aws_ec2_managed_prefix_list.s3.id == data.aws_prefix_list.s3.id }
"""

# What the provider takes for the id of what it imports, where that is not what it calls `id`.
IMPORTED = {
    "aws_route": "{route_table_id}_{destination_cidr_block}",
    "aws_route_table_association": "{subnet_id}/{route_table_id}",
    "aws_vpc_endpoint_route_table_association": "{vpc_endpoint_id}/{route_table_id}",
    "aws_vpc_dhcp_options_association": "{vpc_id}",
}


def resources(directory):
    """The attributes of each resource in Terraform's state, by its kind and address."""
    state = json.loads((directory / "terraform.tfstate").read_text())
    managed = [found for found in state["resources"] if found["mode"] == "managed"]
    return {(found["type"], found["name"]): found["instances"][0]["attributes"] for found in managed}


def test_the_real_provider_on_a_network(terraform, aws, tmp_path):  # noqa: F811
    run = terraform(NETWORK)
    run("apply", "-auto-approve", hostnames="true", ports="[443]")
    variables = {"hostnames": "false", "ports": "[443, 8443]"}
    run("apply", "-auto-approve", **variables)
    run("plan", "-detailed-exitcode", **variables)

    # Forgotten, and found again by the ids alone.
    before = resources(tmp_path)
    imports = [
        f'import {{\n  to = {kind}.{name}\n  id = "{IMPORTED.get(kind, "{id}").format(**attributes)}"\n}}\n'
        for (kind, name), attributes in before.items()
    ]
    (tmp_path / "imports.tf").write_text("".join(imports))
    (tmp_path / "terraform.tfstate").unlink()
    run("apply", "-auto-approve", **variables)
    run("plan", "-detailed-exitcode", **variables)
    after = resources(tmp_path)
    assert {key: attributes["id"] for key, attributes in after.items()} == {
        key: attributes["id"] for key, attributes in before.items()
    }

    run("destroy", "-auto-approve", **variables)
    assert aws.vpcs() == []
    mine = [{"Name": "owner-id", "Values": [aws.number]}]
    lists = aws.ec2.describe_managed_prefix_lists(Filters=mine)["PrefixLists"]
    assert {found["State"] for found in lists} <= {"delete-complete"}, "deleted ones are shown for a while"
    assert aws.ec2.describe_addresses()["Addresses"] == []


@pytest.fixture
def vpc(aws):
    """A VPC, as aws_vpc makes it."""
    made = aws.ec2.create_vpc(
        CidrBlock="10.0.0.0/16", AmazonProvidedIpv6CidrBlock=False, InstanceTenancy="default",
        TagSpecifications=specification("vpc", Name="main"),
    )["Vpc"]["VpcId"]
    reaches(lambda: only(aws.ec2.describe_vpcs(VpcIds=[made])["Vpcs"])["State"], "available", ["pending"])
    return made


def only(found):
    """The one that there must be."""
    [item] = found
    return item


def named(**values):
    """Filters of one value each."""
    return [{"Name": name, "Values": [value]} for name, value in values.items()]


def test_aws_vpc_and_data_aws_vpc(aws, vpc):
    ec2 = aws.ec2
    for attribute, wanted in (
        ("EnableDnsHostnames", True), ("EnableDnsSupport", False), ("EnableNetworkAddressUsageMetrics", True),
    ):
        ec2.modify_vpc_attribute(VpcId=vpc, **{attribute: {"Value": wanted}})
        asked = attribute[0].lower() + attribute[1:]
        assert ec2.describe_vpc_attribute(VpcId=vpc, Attribute=asked)[attribute]["Value"] is wanted
    found = only(ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"])
    assert (found["InstanceTenancy"], found["OwnerId"], found["Tags"]) == ("default", aws.number, tags(Name="main"))
    of_vpc = named(**{"vpc-id": vpc})
    only(ec2.describe_network_acls(Filters=[*named(default="true"), *of_vpc])["NetworkAcls"])
    only(ec2.describe_route_tables(Filters=[*named(**{"association.main": "true"}), *of_vpc])["RouteTables"])
    only(ec2.describe_security_groups(Filters=[*named(**{"group-name": "default"}), *of_vpc])["SecurityGroups"])
    # The data source asks by names of filters of its own.
    by = {"cidr": "10.0.0.0/16", "dhcp-options-id": found["DhcpOptionsId"], "isDefault": "false", "state": "available",
          "tag:Name": "main"}
    assert only(ec2.describe_vpcs(Filters=named(**by))["Vpcs"])["VpcId"] == vpc

    association = ec2.associate_vpc_cidr_block(VpcId=vpc, CidrBlock="10.1.0.0/16")["CidrBlockAssociation"]
    by_association = named(**{"cidr-block-association.association-id": association["AssociationId"]})

    def state():
        blocks = only(ec2.describe_vpcs(Filters=by_association)["Vpcs"])["CidrBlockAssociationSet"]
        return {block["AssociationId"]: block["CidrBlockState"]["State"] for block in blocks}[
            association["AssociationId"]
        ]

    reaches(state, "associated", ["associating"])
    ec2.disassociate_vpc_cidr_block(AssociationId=association["AssociationId"])
    ec2.delete_vpc(VpcId=vpc)
    gone(lambda: ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"], "InvalidVpcID.NotFound")
    assert refusal(ec2.delete_vpc, VpcId=vpc)[0] == "InvalidVpcID.NotFound"


def test_aws_subnet_and_its_data_sources(aws, vpc):
    ec2 = aws.ec2
    made = ec2.create_subnet(
        VpcId=vpc, CidrBlock="10.0.0.0/24", AvailabilityZone="us-east-1a",
        TagSpecifications=specification("subnet", Name="a"),
    )["Subnet"]["SubnetId"]

    def read():
        return only(ec2.describe_subnets(SubnetIds=[made])["Subnets"])

    reaches(lambda: read()["State"], "available", ["pending"])
    changes = {
        "MapPublicIpOnLaunch": {"Value": True}, "EnableResourceNameDnsARecordOnLaunch": {"Value": True},
        "PrivateDnsHostnameTypeOnLaunch": "resource-name",
    }
    before = read()
    assert before["PrivateDnsNameOptionsOnLaunch"] == {
        "HostnameType": "ip-name", "EnableResourceNameDnsARecord": False, "EnableResourceNameDnsAAAARecord": False,
    }
    for name, value in changes.items():
        ec2.modify_subnet_attribute(SubnetId=made, **{name: value})
    found = read()
    assert found["MapPublicIpOnLaunch"] and found["PrivateDnsNameOptionsOnLaunch"] == {
        "HostnameType": "resource-name", "EnableResourceNameDnsARecord": True,
        "EnableResourceNameDnsAAAARecord": False,
    }
    wanted = {"SubnetArn", "AssignIpv6AddressOnCreation", "AvailabilityZoneId", "EnableDns64", "Ipv6Native",
              "OwnerId", "Ipv6CidrBlockAssociationSet", "Tags"}
    assert wanted <= set(found)
    by = {"availabilityZone": "us-east-1a", "availabilityZoneId": found["AvailabilityZoneId"], "vpc-id": vpc,
          "defaultForAz": "false", "state": "available", "cidrBlock": "10.0.0.0/24"}
    assert only(ec2.describe_subnets(Filters=named(**by))["Subnets"])["SubnetId"] == made
    assert ec2.describe_network_interfaces(Filters=named(**{"subnet-id": made}))["NetworkInterfaces"] == []
    ec2.delete_subnet(SubnetId=made)
    gone(lambda: ec2.describe_subnets(SubnetIds=[made])["Subnets"], "InvalidSubnetID.NotFound")


def test_aws_route_table_routes_and_associations(aws, vpc):
    ec2 = aws.ec2
    subnet = aws.subnet(vpc, "10.0.0.0/24")
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)

    def attachment():
        found = only(ec2.describe_internet_gateways(InternetGatewayIds=[gateway])["InternetGateways"])
        return only(found["Attachments"])["State"]

    reaches(attachment, "available", ["attaching"])
    table = ec2.create_route_table(VpcId=vpc, ClientToken="terraform-1")["RouteTable"]["RouteTableId"]

    def read():
        return only(ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"])

    # aws_route
    out = {"RouteTableId": table, "DestinationCidrBlock": "0.0.0.0/0"}
    ec2.create_route(**out, GatewayId=gateway)
    assert [route["State"] for route in read()["Routes"]] == ["active", "active"]
    interface = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    assert refusal(ec2.create_route, **out, NetworkInterfaceId=interface)[0] == "RouteAlreadyExists"
    ec2.replace_route(**out, NetworkInterfaceId=interface)
    assert read()["Routes"][1]["NetworkInterfaceId"] == interface
    ec2.delete_route(**out)
    assert refusal(ec2.delete_route, **out)[0] == "InvalidRoute.NotFound"

    # aws_route_table_association
    association = ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)["AssociationId"]
    by_association = named(**{"association.route-table-association-id": association})

    def state():
        found = only(ec2.describe_route_tables(Filters=by_association)["RouteTables"])
        return only(found["Associations"])["AssociationState"]["State"]

    reaches(state, "associated", ["associating"])
    assert refusal(ec2.delete_route_table, RouteTableId=table)[0] == "DependencyViolation"
    ec2.disassociate_route_table(AssociationId=association)
    assert refusal(ec2.disassociate_route_table, AssociationId=association)[0] == "InvalidAssociationID.NotFound"
    ec2.delete_route_table(RouteTableId=table)
    gone(lambda: [read()], "InvalidRouteTableID.NotFound")

    ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    assert refusal(ec2.detach_internet_gateway, InternetGatewayId=gateway, VpcId=vpc)[0] == "Gateway.NotAttached"
    ec2.delete_internet_gateway(InternetGatewayId=gateway)
    gone(
        lambda: ec2.describe_internet_gateways(InternetGatewayIds=[gateway])["InternetGateways"],
        "InvalidInternetGatewayID.NotFound",
    )


def test_aws_vpc_endpoint_of_type_gateway_and_its_route_tables(aws, vpc):
    ec2 = aws.ec2
    # data.aws_vpc_endpoint_service, where one name is offered for two types.
    name = "com.amazonaws.us-east-1.s3"
    offered = ec2.describe_vpc_endpoint_services(ServiceNames=[name], Filters=named(**{"service-type": "Gateway"}))
    assert only(offered["ServiceDetails"])["ServiceType"] == [{"ServiceType": "Gateway"}]
    # data.aws_prefix_list and data.aws_ec2_managed_prefix_list
    listed = only(ec2.describe_prefix_lists(Filters=named(**{"prefix-list-name": name}))["PrefixLists"])
    managed = only(ec2.describe_managed_prefix_lists(Filters=named(**{"prefix-list-name": name}))["PrefixLists"])
    assert managed["PrefixListId"] == listed["PrefixListId"] and managed["OwnerId"] == "AWS"
    entries = ec2.get_managed_prefix_list_entries(PrefixListId=listed["PrefixListId"])["Entries"]
    assert {entry["Cidr"] for entry in entries} == set(listed["Cidrs"])

    made = ec2.create_vpc_endpoint(
        ClientToken="terraform-1", PrivateDnsEnabled=False, VpcEndpointType="Gateway", VpcId=vpc, ServiceName=name,
        TagSpecifications=specification("vpc-endpoint", Name="s3"),
    )["VpcEndpoint"]["VpcEndpointId"]
    reaches(lambda: aws.endpoint(made)["State"], ("available", "pendingAcceptance"), ["pending"])
    found = aws.endpoint(made)
    assert found["RouteTableIds"] == found["SubnetIds"] == [] and json.loads(found["PolicyDocument"])["Statement"]

    # aws_vpc_endpoint_route_table_association
    table = only(ec2.describe_route_tables(Filters=named(**{"vpc-id": vpc}))["RouteTables"])["RouteTableId"]
    ec2.modify_vpc_endpoint(VpcEndpointId=made, AddRouteTableIds=[table])
    assert aws.endpoint(made)["RouteTableIds"] == [table]
    routes = only(ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"])["Routes"]
    assert {"DestinationPrefixListId": listed["PrefixListId"], "GatewayId": made}.items() <= routes[-1].items()
    ec2.modify_vpc_endpoint(VpcEndpointId=made, RemoveRouteTableIds=[table])
    assert aws.endpoint(made)["RouteTableIds"] == []
    code, _ = refusal(ec2.modify_vpc_endpoint, VpcEndpointId=made, RemoveRouteTableIds=[table])
    assert code in ("InvalidRouteTableId.NotFound", "InvalidParameter")
    # aws_vpc_endpoint_policy takes it back by a reset.
    policy = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}]}
    ec2.modify_vpc_endpoint(VpcEndpointId=made, PolicyDocument=json.dumps(policy))
    assert json.loads(aws.endpoint(made)["PolicyDocument"]) == policy
    ec2.modify_vpc_endpoint(VpcEndpointId=made, ResetPolicy=True)
    assert json.loads(aws.endpoint(made)["PolicyDocument"])["Statement"][0]["Effect"] == "Allow"

    assert ec2.delete_vpc_endpoints(VpcEndpointIds=[made])["Unsuccessful"] == []

    def left():
        described = ec2.describe_vpc_endpoints(VpcEndpointIds=[made])["VpcEndpoints"]
        assert {one["State"] for one in described} <= {"deleting", "deleted"}
        return [one for one in described if one["State"] == "deleting"]

    gone(left, "InvalidVpcEndpointId.NotFound")
