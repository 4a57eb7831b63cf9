"""Terraform's AWS provider: its sequences of calls, and the provider itself where it is installed.

The provider reads back what it wrote and compares letter by letter, and waits for states that it knows; it waits by the
clock (30 seconds before its first look at a load balancer), so most of it is played here by boto3. To run the real
one, install Terraform and name a directory of plugins (`terraform providers mirror`) in $TERRAFORM_PLUGINS.
"""

import os
import shutil
import subprocess
from types import SimpleNamespace

import pytest

from harness.aws import PUBLIC_KEY, refusal
from harness.wait import until

CONFIGURATION = """
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
variable "url" {}
variable "subnets" { type = map(string) }
variable "action" {}
provider "aws" {
  region                  = "us-east-1"
  skip_metadata_api_check = true
  endpoints {
    ec2   = var.url
    elbv2 = var.url
    sts   = var.url
  }
}
resource "aws_vpc" "main" {
  cidr_block = "10.0.0.0/16"
  tags       = { Name = "main" }
}
resource "aws_subnet" "main" {
  for_each          = var.subnets
  vpc_id            = aws_vpc.main.id
  cidr_block        = each.value
  availability_zone = "us-east-1${each.key}"
}
resource "aws_security_group" "door" {
  vpc_id = aws_vpc.main.id
  name   = "door"
}
resource "aws_vpc_security_group_ingress_rule" "https" {
  security_group_id = aws_security_group.door.id
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_ipv4         = aws_vpc.main.cidr_block
}
resource "aws_vpc_endpoint" "sts" {
  vpc_id             = aws_vpc.main.id
  service_name       = "com.amazonaws.us-east-1.sts"
  vpc_endpoint_type  = "Interface"
  subnet_ids         = [for subnet in aws_subnet.main : subnet.id]
  security_group_ids = [aws_security_group.door.id]
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = "*", Action = var.action, Resource = "*" }]
  })
}
resource "aws_lb_target_group" "main" {
  name                 = "main"
  port                 = 5432
  protocol             = "TCP"
  target_type          = "ip"
  vpc_id               = aws_vpc.main.id
  deregistration_delay = 10
  health_check {
    protocol = "TCP"
    interval = 10
  }
}
"""


INSTANCE = """
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
variable "url" {}
variable "type" {}
variable "size" {}
variable "data" {}
variable "tokens" {}
variable "profile" {}
variable "key" {}
provider "aws" {
  region                  = "us-east-1"
  skip_metadata_api_check = true
  endpoints {
    ec2 = var.url
    iam = var.url
    sts = var.url
  }
}
data "aws_ami" "host" {
  most_recent = true
  owners      = ["amazon"]
  filter {
    name   = "name"
    values = ["linkway/host-*"]
  }
  filter {
    name   = "virtualization-type"
    values = ["hvm"]
  }
}
data "aws_ec2_instance_type" "it" { instance_type = var.type }
resource "aws_vpc" "main" { cidr_block = "10.0.0.0/16" }
resource "aws_subnet" "main" {
  vpc_id     = aws_vpc.main.id
  cidr_block = "10.0.0.0/24"
}
resource "aws_security_group" "web" {
  vpc_id = aws_vpc.main.id
  name   = "web"
}
resource "aws_key_pair" "mine" {
  key_name   = "mine"
  public_key = var.key
}
resource "aws_iam_role" "web" {
  for_each = toset(["one", "two"])
  name     = each.key
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { Service = "ec2.amazonaws.com" }, Action = "sts:AssumeRole" }]
  })
}
resource "aws_iam_instance_profile" "web" {
  for_each = aws_iam_role.web
  name     = each.key
  role     = each.value.name
}
resource "aws_instance" "web" {
  ami                    = data.aws_ami.host.id
  instance_type          = data.aws_ec2_instance_type.it.instance_type
  subnet_id              = aws_subnet.main.id
  vpc_security_group_ids = [aws_security_group.web.id]
  key_name               = aws_key_pair.mine.key_name
  iam_instance_profile   = aws_iam_instance_profile.web[var.profile].name
  user_data              = var.data
  tags                   = { Name = var.data }
  root_block_device {
    volume_size = var.size
    tags        = { Name = "root" }
  }
  metadata_options {
    http_tokens                 = var.tokens
    http_put_response_hop_limit = 2
  }
}
resource "aws_instance" "plain" {
  ami           = data.aws_ami.host.id
  instance_type = "t3.micro"
}
resource "aws_network_interface" "own" {
  subnet_id = aws_subnet.main.id
}
resource "aws_instance" "own_interface" {
  ami           = data.aws_ami.host.id
  instance_type = "t3.micro"
  network_interface {
    network_interface_id = aws_network_interface.own.id
    device_index         = 0
  }
}
"""


@pytest.fixture
def terraform(aws, tmp_path):
    """Makes the real Terraform, with a configuration."""
    plugins = os.environ.get("TERRAFORM_PLUGINS")
    if not shutil.which("terraform") or not plugins:
        pytest.skip("Terraform is not installed, or $TERRAFORM_PLUGINS does not name its plugins")
    (tmp_path / "none.tfrc").write_text("")

    def run(*arguments, status=0, **variables):
        environment = aws.environment() | {
            "TF_VAR_url": aws.url,
            "TF_CLI_CONFIG_FILE": str(tmp_path / "none.tfrc"),
            "TF_IN_AUTOMATION": "1",
            "CHECKPOINT_DISABLE": "1",
        }
        environment |= {f"TF_VAR_{name}": value for name, value in variables.items()}
        done = subprocess.run(
            ["terraform", *arguments, "-no-color", "-input=false"],
            cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=240,
        )
        assert done.returncode == status, done.stdout + done.stderr

    def make(configuration):
        (tmp_path / "main.tf").write_text(configuration)
        run("init", f"-plugin-dir={plugins}")
        return run

    return make


def test_the_real_provider(terraform, aws):
    run = terraform(CONFIGURATION)
    run("apply", "-auto-approve", subnets='{ a = "10.0.0.0/24" }', action="sts:GetCallerIdentity")
    changed = {"subnets": '{ a = "10.0.0.0/24", b = "10.0.1.0/24" }', "action": "sts:*"}
    run("apply", "-auto-approve", **changed)
    run("plan", "-detailed-exitcode", **changed)
    [vpc] = aws.ec2.describe_vpcs(Filters=[{"Name": "tag:Name", "Values": ["main"]}])["Vpcs"]
    run("destroy", "-auto-approve", "-refresh=false", **changed)
    assert refusal(aws.ec2.describe_vpcs, VpcIds=[vpc["VpcId"]])[0] == "InvalidVpcID.NotFound"


def test_the_real_provider_with_instances(terraform, aws):
    run = terraform(INSTANCE)
    first = {"type": "t3.micro", "size": "8", "data": "one", "tokens": "optional", "profile": "one", "key": PUBLIC_KEY}
    run("apply", "-auto-approve", **first)
    run("plan", "-detailed-exitcode", **first)
    [web] = aws.ec2.describe_instances(Filters=[{"Name": "tag:Name", "Values": ["one"]}])["Reservations"]
    [before] = web["Instances"]
    # Another type and other user data need a stop, another profile is another association.
    changed = {"type": "m5.large", "size": "10", "data": "two", "tokens": "required", "profile": "two", "key": PUBLIC_KEY}
    run("apply", "-auto-approve", **changed)
    run("plan", "-detailed-exitcode", **changed)
    [web] = aws.ec2.describe_instances(InstanceIds=[before["InstanceId"]])["Reservations"]
    [after] = web["Instances"]
    assert (after["InstanceType"], after["State"]["Name"]) == ("m5.large", "running")
    assert after["PrivateIpAddress"] == before["PrivateIpAddress"]
    assert after["IamInstanceProfile"]["Arn"].endswith("/two")
    run("destroy", "-auto-approve", "-refresh=false", **changed)
    instances = [one for found in aws.ec2.describe_instances()["Reservations"] for one in found["Instances"]]
    assert {one["State"]["Name"] for one in instances} == {"terminated"}


@pytest.fixture
def network(aws):
    """A VPC with a subnet in each of three zones, and two security groups."""
    vpc = aws.vpc()
    subnets = [aws.subnet(vpc, f"10.0.{number}.0/24", zone) for number, zone in enumerate("abc")]
    return SimpleNamespace(vpc=vpc, subnets=subnets, groups=[aws.group(vpc), aws.group(vpc)])


def balancer(aws, network, **options):
    """What `aws_lb` creates, once it is active."""
    [made] = aws.elbv2.create_load_balancer(
        Name=f"tf-{os.urandom(4).hex()}", Type="network", Scheme="internal", IpAddressType="ipv4", **options
    )["LoadBalancers"]
    arn = made["LoadBalancerArn"]
    until(lambda: described(aws, arn)["State"]["Code"] == "active", "the balancer active")
    return arn


def described(aws, arn):
    """The balancer as it is described."""
    return aws.elbv2.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"][0]


def test_a_balancer_created_and_changed_in_place(aws, network):
    subnets, (one, two) = network.subnets, network.groups
    arn = balancer(aws, network, Subnets=subnets[:2], SecurityGroups=[one])
    enforce = "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic"
    assert described(aws, arn)[enforce] == "on"

    set_groups = aws.elbv2.set_security_groups
    assert set_groups(LoadBalancerArn=arn, SecurityGroups=[one], **{enforce: "off"})["SecurityGroupIds"] == [one]
    given = {
        "deletion_protection.enabled": "true",
        "load_balancing.cross_zone.enabled": "true",
        "dns_record.client_routing_policy": "any_availability_zone",
        "access_logs.s3.enabled": "false",
    }
    attributes = [{"Key": key, "Value": value} for key, value in given.items()]
    aws.elbv2.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=attributes)
    read = aws.elbv2.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
    assert given.items() <= {attribute["Key"]: attribute["Value"] for attribute in read}.items()

    set_groups(LoadBalancerArn=arn, SecurityGroups=[one, two])
    aws.elbv2.set_subnets(LoadBalancerArn=arn, Subnets=subnets)
    now = described(aws, arn)
    assert (now["SecurityGroups"], now[enforce], now["State"]["Code"]) == ([one, two], "off", "active")
    assert {zone["SubnetId"] for zone in now["AvailabilityZones"]} == set(subnets)
    assert aws.elbv2.set_ip_address_type(LoadBalancerArn=arn, IpAddressType="ipv4")["IpAddressType"] == "ipv4"

    assert refusal(aws.elbv2.delete_load_balancer, LoadBalancerArn=arn)[0] == "OperationNotPermitted"
    off = [{"Key": "deletion_protection.enabled", "Value": "false"}]
    aws.elbv2.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=off)
    aws.elbv2.delete_load_balancer(LoadBalancerArn=arn)
    interfaces = aws.ec2.describe_network_interfaces(
        Filters=[
            {"Name": "attachment.instance-owner-id", "Values": ["amazon-elb"]},
            {"Name": "description", "Values": ["ELB " + arn.split("loadbalancer/")[1]]},
        ]
    )
    assert interfaces["NetworkInterfaces"] == []


def test_a_balancer_without_groups_is_replaced_and_not_changed(aws, network):
    arn = balancer(aws, network, Subnets=network.subnets[:1])
    assert "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic" not in described(aws, arn)
    refused = refusal(aws.elbv2.set_security_groups, LoadBalancerArn=arn, SecurityGroups=network.groups[:1])
    assert refused[0] == "InvalidConfigurationRequest"


def test_addresses_of_subnet_mappings(aws, network):
    one, two, three = network.subnets
    mapped = [{"SubnetId": one, "PrivateIPv4Address": "10.0.0.77"}, {"SubnetId": two, "PrivateIPv4Address": "10.0.1.77"}]
    arn = balancer(aws, network, SubnetMappings=mapped[:1])
    aws.elbv2.set_subnets(LoadBalancerArn=arn, SubnetMappings=[*mapped, {"SubnetId": three}])

    def addresses():
        zones = described(aws, arn)["AvailabilityZones"]
        return {zone["SubnetId"]: zone["LoadBalancerAddresses"][0]["PrivateIPv4Address"] for zone in zones}

    before = addresses()
    assert (before[one], before[two]) == ("10.0.0.77", "10.0.1.77")
    aws.elbv2.set_subnets(LoadBalancerArn=arn, Subnets=[three, one])
    assert addresses() == {one: before[one], three: before[three]}


def test_limits(aws):
    limits = {limit["Name"]: limit["Max"] for limit in aws.elbv2.describe_account_limits()["Limits"]}
    assert limits["network-load-balancers"] == "50"
