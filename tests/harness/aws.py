"""AWS's own clients, pointed at a daemon: boto3, and the AWS CLI."""

import os
import subprocess

import boto3
import botocore.config
import botocore.exceptions

from harness.daemon import ROOT
from harness.wait import PATIENCE, until

# An error is to be seen, not to be tried again.
CONFIG = botocore.config.Config(
    retries={"total_max_attempts": 1}, connect_timeout=5 * PATIENCE, read_timeout=60 * PATIENCE, max_pool_connections=20
)

# A key pair's; nobody has the private one.
PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti me@here"


class Account:
    """Clients that sign with one account's key."""

    def __init__(self, url, key, secret, region="us-east-1", number="123456789012"):
        self.url, self.key, self.secret, self.region, self.number = url, key, secret, region, number
        self.ec2 = self.client("ec2")
        self.elbv2 = self.client("elbv2")
        self.rds = self.client("rds")
        self.sts = self.client("sts")

    @classmethod
    def first(cls, daemon, region="us-east-1"):
        """The administrator that the daemon made on its first start."""
        known = daemon.environment("--region", region)
        return cls(known["AWS_ENDPOINT_URL"], known["AWS_ACCESS_KEY_ID"], known["AWS_SECRET_ACCESS_KEY"], region)

    @classmethod
    def new(cls, daemon, number, region="us-east-1"):
        """Another account, made for the purpose unless it is there."""
        if number not in {account["id"] for account in daemon.json("account", "list")}:
            daemon.linkway("account", "create", "--id", number)
        [key] = daemon.json("key", "create", "--account", number)
        return cls(daemon.url, key["id"], key["secret"], region, number)

    def client(self, service, **options):
        """A boto3 client."""
        options = {
            "endpoint_url": self.url,
            "region_name": self.region,
            "aws_access_key_id": self.key,
            "aws_secret_access_key": self.secret,
            "config": CONFIG,
        } | options
        return boto3.client(service, **options)

    def environment(self):
        """The environment of the AWS CLI: this account, and nothing that the user has set up."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return kept | {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": self.key,
            "AWS_SECRET_ACCESS_KEY": self.secret,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_PAGER": "",
        }

    def cli(self, *arguments, **environment):
        """Run the AWS CLI. Returns the finished process, whatever its status."""
        return subprocess.run(
            [ROOT / ".venv/bin/aws", *arguments],
            env=self.environment() | environment,
            capture_output=True,
            text=True,
            timeout=60,
        )

    # Things that most tests need

    def vpc(self, cidr="10.0.0.0/16", dns=True):
        """A VPC, with both of its DNS attributes on or off."""
        vpc = self.ec2.create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"]
        self.ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsSupport={"Value": dns})
        self.ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": dns})
        return vpc

    def vpcs(self):
        """The ids of all VPCs but the default one."""
        found = self.ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["false"]}])["Vpcs"]
        return [vpc["VpcId"] for vpc in found]

    def subnet(self, vpc, cidr, zone="a"):
        """A subnet in the zone of this letter."""
        created = self.ec2.create_subnet(VpcId=vpc, CidrBlock=cidr, AvailabilityZone=self.region + zone)
        return created["Subnet"]["SubnetId"]

    def group(self, vpc, *allowed, name=None):
        """A security group. Each of `allowed` is (protocol, port, CIDR or group) and lets that in."""
        name = name or f"group-{os.urandom(4).hex()}"
        created = self.ec2.create_security_group(VpcId=vpc, GroupName=name, Description="made by a test")
        for protocol, port, source in allowed:
            self.ec2.authorize_security_group_ingress(
                GroupId=created["GroupId"], IpPermissions=[permission(protocol, port, source)]
            )
        return created["GroupId"]

    def default_group(self, vpc):
        """The group that a VPC comes with."""
        filters = [{"Name": "vpc-id", "Values": [vpc]}, {"Name": "group-name", "Values": ["default"]}]
        return self.ec2.describe_security_groups(Filters=filters)["SecurityGroups"][0]["GroupId"]

    def address(self, instance):
        """An instance's private address."""
        found = self.ec2.describe_instances(InstanceIds=[instance])
        return found["Reservations"][0]["Instances"][0]["PrivateIpAddress"]

    def interface(self, instance):
        """The id of an instance's network interface."""
        found = self.ec2.describe_instances(InstanceIds=[instance])
        return found["Reservations"][0]["Instances"][0]["NetworkInterfaces"][0]["NetworkInterfaceId"]

    def endpoint(self, endpoint):
        """An endpoint as described."""
        return self.ec2.describe_vpc_endpoints(VpcEndpointIds=[endpoint])["VpcEndpoints"][0]

    def endpoint_addresses(self, endpoint):
        """An endpoint's private addresses, by the letter of their zone."""
        interfaces = self.ec2.describe_network_interfaces(
            NetworkInterfaceIds=self.endpoint(endpoint)["NetworkInterfaceIds"]
        )["NetworkInterfaces"]
        return {found["AvailabilityZone"][-1]: found["PrivateIpAddress"] for found in interfaces}

    def wait_for_endpoint(self, endpoint, state="available", within=20):
        """Wait until an endpoint is in this state, and return it."""

        def described():
            found = self.endpoint(endpoint)
            return found if found["State"] == state else None

        return until(described, f"{endpoint} {state}", within)

    def wait_for_targets(self, group, state="healthy", within=30):
        """Wait until all targets of a group are in this state."""

        def reached():
            described = self.elbv2.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
            return described and all(target["TargetHealth"]["State"] == state for target in described)

        until(reached, f"targets {state}", within)


def permission(protocol, port, source):
    """An IpPermission: `port` may be a pair, and `source` a CIDR or a group's id."""
    first, last = port if isinstance(port, tuple) else (port, port)
    rule = {"IpProtocol": protocol}
    if protocol != "-1":
        rule |= {"FromPort": first, "ToPort": last}
    if source.startswith("sg-"):
        return rule | {"UserIdGroupPairs": [{"GroupId": source}]}
    if ":" in source:
        return rule | {"Ipv6Ranges": [{"CidrIpv6": source}]}
    return rule | {"IpRanges": [{"CidrIp": source}]}


def refusal(call, **arguments):
    """Make a call that must be refused. Returns AWS's code and message."""
    try:
        answer = call(**arguments)
    except botocore.exceptions.ClientError as error:
        return error.response["Error"]["Code"], error.response["Error"]["Message"]
    raise AssertionError(f"not refused: {answer}")
