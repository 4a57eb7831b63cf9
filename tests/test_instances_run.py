"""Instances as they run: those that the API starts, what they are kept from, and what they read about themselves."""

import base64
import json
import subprocess
import tarfile

import pytest

from harness.wait import until

METADATA = "http://169.254.169.254"


@pytest.fixture
def subnet(aws):
    """A subnet of a VPC whose default group lets its members talk."""
    return aws.subnet(aws.vpc(), "10.0.0.0/24")


class Inside:
    """What is read from inside an instance."""

    def __init__(self, daemon, instance):
        self.daemon = daemon
        self.id = instance

    def run(self, command, check=True, **options):
        """What a shell's command prints."""
        return self.daemon.exec(self.id, "sh", "-c", command, check=check, **options).stdout.strip()

    def curl(self, path, *arguments):
        """Status and body of an answer of metadata's."""
        done = self.daemon.exec(
            self.id, "curl", "-s", "-m", "10", "-w", "\n%{http_code}", *arguments, f"{METADATA}{path}", check=True
        )
        body, _, status = done.stdout.rpartition("\n")
        return int(status), body

    def token(self, seconds=60):
        """A session's token."""
        status, token = self.curl(
            "/latest/api/token", "-X", "PUT", "-H", f"X-aws-ec2-metadata-token-ttl-seconds: {seconds}"
        )
        assert status == 200, token
        return token


def test_a_command_reads_its_metadata(daemon, aws, subnet):
    """What `linkway run` makes has metadata too, and security groups have no say."""
    group = aws.ec2.create_security_group(
        GroupName="closed", Description="nothing", VpcId=aws.ec2.describe_subnets(SubnetIds=[subnet])["Subnets"][0]["VpcId"]
    )["GroupId"]
    aws.ec2.revoke_security_group_egress(
        GroupId=group, IpPermissions=[{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    )
    instance = Inside(daemon, daemon.run(subnet, "sleep", "infinity", groups=[group], private_ip="10.0.0.9"))
    assert instance.curl("/latest/meta-data/instance-id") == (200, instance.id)
    assert instance.curl("/latest/meta-data/local-ipv4") == (200, "10.0.0.9")
    assert instance.curl("/latest/meta-data/local-hostname") == (200, "ip-10-0-0-9.ec2.internal")
    assert instance.curl("/latest/meta-data/placement/region") == (200, "us-east-1")
    assert instance.curl("/latest/meta-data/placement/") == (200, "availability-zone\navailability-zone-id\nregion")
    assert instance.curl("/latest/meta-data/security-groups") == (200, "closed")
    assert instance.curl("/latest") == (200, "dynamic\nmeta-data")
    status, mac = instance.curl("/latest/meta-data/mac")
    assert instance.curl(f"/2021-07-15/meta-data/network/interfaces/macs/{mac}/subnet-id") == (200, subnet)
    assert instance.curl(f"/latest/meta-data/network/interfaces/macs/{mac}/vpc-ipv4-cidr-blocks")[1] == "10.0.0.0/16"
    assert instance.curl("/latest/meta-data/no-such-thing")[0] == 404
    assert instance.curl("/latest/meta-data/ami-id")[0] == 404
    assert instance.curl("/latest/user-data")[0] == 404
    assert instance.curl("/no-such-version/meta-data/")[0] == 404
    assert instance.curl("/latest/meta-data/", "-X", "POST", "-d", "x")[0] == 405
    document = json.loads(instance.curl("/latest/dynamic/instance-identity/document")[1])
    assert document["instanceId"] == instance.id and document["privateIp"] == "10.0.0.9"
    # Another port of it is nobody's.
    refused = daemon.exec(instance.id, "curl", "-s", "-m", "1", "http://169.254.169.254:443/")
    assert refused.returncode != 0
    [interface] = aws.ec2.describe_network_interfaces(
        Filters=[{"Name": "attachment.instance-id", "Values": [instance.id]}]
    )["NetworkInterfaces"]
    assert daemon.drops(interface["NetworkInterfaceId"])["NoListener"] >= 1


def test_a_token_is_the_instances_own(daemon, subnet):
    one = Inside(daemon, daemon.run(subnet, "sleep", "infinity"))
    other = Inside(daemon, daemon.run(subnet, "sleep", "infinity"))
    token = one.token()

    def with_token(instance, token):
        return instance.curl("/latest/meta-data/instance-id", "-H", f"X-aws-ec2-metadata-token: {token}")

    assert with_token(one, token) == (200, one.id)
    assert with_token(other, token)[0] == 401
    assert with_token(one, "made-up")[0] == 401
    put = ("-X", "PUT", "-H")
    ttl = "X-aws-ec2-metadata-token-ttl-seconds: "
    assert one.curl("/latest/api/token", *put, f"{ttl}21600")[0] == 200
    for seconds in ("0", "21601", "-1", "many"):
        assert one.curl("/latest/api/token", *put, f"{ttl}{seconds}")[0] == 400
    assert one.curl("/latest/api/token", "-X", "PUT")[0] == 400
    assert one.curl("/latest/api/token", *put, f"{ttl}60", "-H", "X-Forwarded-For: 10.0.0.1")[0] == 403
    short = one.token(1)
    until(lambda: with_token(one, short)[0] == 401, "the token has expired")
