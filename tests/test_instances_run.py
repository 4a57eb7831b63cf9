"""Instances as they run: those that the API starts, what they are kept from, and what they read about themselves."""

import io
import json
import os
import signal
import subprocess
import tarfile
from pathlib import Path

import boto3
import pytest

from harness.aws import Account
from harness.daemon import binary
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


# Instances that the API starts


@pytest.fixture
def image(aws):
    """The image that stands for the host's own file system."""
    [image] = aws.ec2.describe_images(
        Owners=["amazon"], Filters=[{"Name": "name", "Values": ["linkway/host-*"]}]
    )["Images"]
    return image["ImageId"]


@pytest.fixture
def launch(daemon, aws, subnet, image):
    """Launches an instance with user data, and waits until it runs."""

    def launched(user_data="", **options):
        options = {"ImageId": image, "InstanceType": "t3.micro", "SubnetId": subnet, "UserData": user_data} | options
        [made] = aws.ec2.run_instances(MinCount=1, MaxCount=1, **options)["Instances"]
        instance = Inside(daemon, made["InstanceId"])
        wait(aws, instance.id, "running")
        return instance

    return launched


def wait(aws, instance, wanted):
    """Wait until an instance is in a state. Returns how it is described then."""

    def state():
        [reservation] = aws.ec2.describe_instances(InstanceIds=[instance])["Reservations"]
        [found] = reservation["Instances"]
        if found["State"]["Name"] == "terminated" != wanted:
            raise AssertionError(f"{instance} is terminated: {found.get('StateReason')}")
        return found["State"]["Name"] == wanted and found

    return until(state, f"{instance} {wanted}")


def console(aws, instance):
    """What an instance has written to its console."""
    return aws.ec2.get_console_output(InstanceId=instance).get("Output", "")


SERVES = """#!/bin/sh
echo "user data, as $(id -un)"
mkdir -p /srv/www && echo served > /srv/www/index.html
cd /srv/www && exec python3 -m http.server 80
"""


def test_user_data_serves_and_security_groups_decide(daemon, aws, launch, subnet):
    vpc = aws.ec2.describe_subnets(SubnetIds=[subnet])["Subnets"][0]["VpcId"]
    clients = aws.group(vpc)
    web = aws.group(vpc, ("tcp", 80, clients))
    server = launch(SERVES, SecurityGroupIds=[web], PrivateIpAddress="10.0.0.7")
    client = launch(SecurityGroupIds=[clients])
    stranger = launch()

    def get(instance, name="10.0.0.7"):
        return daemon.exec(instance.id, "curl", "-s", "-m", "2", f"http://{name}/index.html")

    until(lambda: get(client).stdout == "served\n", "the page")
    assert get(client, "ip-10-0-0-7.ec2.internal").stdout == "served\n"
    assert get(stranger).returncode == 28
    assert "user data, as root" in console(aws, server.id)
    assert server.run("hostname") == "ip-10-0-0-7"
    # Who is root inside ends the instance; by default it is stopped then.
    server.run("poweroff", check=False)
    wait(aws, server.id, "stopped")


def test_root_inside_is_kept_from_the_host(daemon, launch):
    instance = launch()
    first = daemon.status()["pid"]

    def refused(command):
        done = daemon.exec(instance.id, "sh", "-c", command)
        assert done.returncode != 0, f"{command}: {done.stdout}"

    assert instance.run("id -u") == "0"
    # Files
    for path in (daemon.state_dir, "/root/.bashrc", "/etc/ssh/ssh_host_ed25519_key", "/run/netns"):
        refused(f"ls {path}")
    with open("/etc/shadow") as shadow:
        assert instance.run("cat /etc/shadow") != shadow.read().strip()
    assert all(line.split(":")[1] == "*" for line in instance.run("cat /etc/shadow").splitlines())
    assert instance.run("ls /home /root /opt /var/lib | wc -l").isdigit()
    assert "daemon" not in instance.run("ls /var/lib")
    # Devices and mounts
    refused("mknod /tmp/disk b 254 0")
    refused("mount -t tmpfs none /mnt")
    refused("umount /proc/sys")
    assert set(instance.run("ls /dev").split()) == {
        "fd", "full", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin", "stdout", "tty", "urandom", "zero"
    }
    # Processes
    processes = instance.run("ls /proc | grep '^[0-9]'").split()
    assert "1" in processes and str(first) not in processes and len(processes) < 10
    refused(f"kill -0 {first}")
    refused("ls /proc/1/root/")
    refused("cat /proc/1/environ")
    # The network, the kernel, other namespaces
    refused("ip address add 10.0.0.250/24 dev eth0")
    refused("ip link set eth0 down")
    refused("ip route add 192.0.2.0/24 via 10.0.0.1")
    refused("echo 1 > /proc/sys/net/ipv4/ip_forward")
    refused("echo b > /proc/sysrq-trigger && false")
    refused("unshare --user true")
    refused("unshare --mount true")
    refused("dmesg")
    # What is its own it may change, and nobody else sees it.
    instance.run("echo mine > /usr/local/mine && echo mine > /etc/mine && chown 33:33 /etc/mine && chmod 4755 /etc/mine")
    other = launch()
    refused_there = daemon.exec(other.id, "cat", "/usr/local/mine", "/etc/mine")
    assert refused_there.returncode != 0
    assert subprocess.run(["ls", "/usr/local/mine", "/etc/mine"], capture_output=True).returncode != 0
    # On the host its root is nobody, of a range that no other instance has.
    ranges = [int(of.run("cat /proc/self/uid_map").split()[1]) for of in (instance, other)]
    assert ranges[0] != ranges[1] and all(first >= 0x70000000 for first in ranges)
    status = instance.run("cat /proc/self/status")
    assert "NoNewPrivs:\t1" in status and "Seccomp:\t2" in status
    kept = int(next(line for line in status.splitlines() if line.startswith("CapBnd")).split()[1], 16)
    assert kept & (1 << 21) == 0, "CAP_SYS_ADMIN"


def test_an_instance_outlives_the_daemon_and_keeps_its_files(own_daemon):
    daemon = own_daemon(arguments=()).start()
    aws = Account.first(daemon)
    subnet = aws.subnet(aws.vpc(), "10.0.0.0/24")
    [image] = aws.ec2.describe_images(Filters=[{"Name": "name", "Values": ["linkway/host-*"]}])["Images"]
    [made] = aws.ec2.run_instances(
        ImageId=image["ImageId"], InstanceType="t3.micro", SubnetId=subnet, MinCount=1, MaxCount=1,
        UserData="#!/bin/sh\necho once >> /var/log/boots\n",
    )["Instances"]
    instance = Inside(daemon, made["InstanceId"])
    wait(aws, instance.id, "running")
    until(lambda: instance.run("cat /var/log/boots", check=False) == "once", "user data")
    booted = instance.run("stat -c %Y /proc/1")

    daemon.kill()
    daemon.start()
    assert wait(aws, instance.id, "running")
    assert instance.run("stat -c %Y /proc/1") == booted
    assert instance.curl("/latest/meta-data/instance-id") == (200, instance.id)

    instance.run("echo kept > /etc/kept && echo kept > /usr/local/kept && sleep 1000 > /dev/null 2>&1 &")
    aws.ec2.stop_instances(InstanceIds=[instance.id])
    wait(aws, instance.id, "stopped")
    assert daemon.exec(instance.id, "true").returncode == 125
    until(lambda: not netns_of(daemon, instance.id).exists(), "its namespace is gone")
    aws.ec2.start_instances(InstanceIds=[instance.id])
    wait(aws, instance.id, "running")
    assert instance.run("cat /etc/kept /usr/local/kept /var/log/boots").split() == ["kept", "kept", "once"]
    assert instance.curl("/latest/meta-data/instance-id") == (200, instance.id)

    before = instance.run("readlink /proc/self/ns/pid")
    aws.ec2.reboot_instances(InstanceIds=[instance.id])
    until(lambda: instance.run("readlink /proc/self/ns/pid", check=False) not in ("", before), "another boot")
    wait(aws, instance.id, "running")
    assert instance.run("cat /etc/kept") == "kept"

    # What ended by itself while no daemon ran is stopped; what went down with all else is booted again.
    daemon.kill()
    os.kill(first_process(daemon, instance.id), signal.SIGTERM)
    daemon.start()
    wait(aws, instance.id, "stopped")
    aws.ec2.start_instances(InstanceIds=[instance.id])
    wait(aws, instance.id, "running")
    daemon.linkway("down", "--name", daemon.name)
    daemon.wait()
    daemon.start()
    until(lambda: instance.run("cat /etc/kept", check=False) == "kept", "the instance after another start of all")

    aws.ec2.terminate_instances(InstanceIds=[instance.id])
    wait(aws, instance.id, "terminated")
    assert not list((daemon.state_dir / "machines").glob("i-*"))
    until(lambda: not netns_of(daemon, instance.id).exists(), "its namespace is gone")
    assert not (Path("/run") / daemon.name / "instances" / instance.id).exists()


def test_what_ends_by_itself_may_be_terminated_by_that(daemon, aws, launch):
    instance = launch(InstanceInitiatedShutdownBehavior="terminate")
    instance.run("poweroff", check=False)
    found = wait(aws, instance.id, "terminated")
    assert found["StateReason"]["Code"] == "Client.InstanceInitiatedShutdown"
    until(lambda: not (daemon.state_dir / "machines-ephemeral" / instance.id).exists(), "its files are gone")


def test_an_ephemeral_daemon_leaves_nothing(own_daemon):
    daemon = own_daemon().start()
    aws = Account.first(daemon)
    subnet = aws.subnet(aws.vpc(), "10.0.0.0/24")
    [image] = aws.ec2.describe_images(Filters=[{"Name": "name", "Values": ["linkway/host-*"]}])["Images"]
    [made] = aws.ec2.run_instances(
        ImageId=image["ImageId"], InstanceType="t3.micro", SubnetId=subnet, MinCount=1, MaxCount=1
    )["Instances"]
    wait(aws, made["InstanceId"], "running")
    process = first_process(daemon, made["InstanceId"])
    assert daemon.stop() == 0
    assert not Path(f"/proc/{process}/exe").exists()
    assert not (daemon.state_dir / "machines-ephemeral").exists()


def test_metadata_of_a_launch(daemon, aws, launch, image):
    pair = aws.ec2.create_key_pair(KeyName=f"key-{daemon.name}", KeyType="ed25519")
    data = "#cloud-config\nhostname: other\n"
    instance = launch(
        data,
        KeyName=pair["KeyName"],
        MetadataOptions={"HttpTokens": "required", "InstanceMetadataTags": "enabled"},
        TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "web"}]}],
    )
    session = ("-H", f"X-aws-ec2-metadata-token: {instance.token()}")

    def read(path):
        return instance.curl(f"/latest/{path}", *session)

    assert instance.curl("/latest/meta-data/instance-id")[0] == 401
    assert read("meta-data/instance-id") == (200, instance.id)
    assert read("") == (200, "dynamic\nmeta-data\nuser-data")
    assert read("user-data") == (200, data)
    assert "not run" in console(aws, instance.id)
    assert read("meta-data/ami-id") == (200, image)
    assert read("meta-data/instance-type") == (200, "t3.micro")
    assert read("meta-data/ami-launch-index") == (200, "0")
    assert read("meta-data/public-keys/") == (200, f"0={pair['KeyName']}")
    assert read("meta-data/public-keys/0/openssh-key")[1].startswith("ssh-ed25519 ")
    assert read("meta-data/tags/instance/Name") == (200, "web")
    assert read("meta-data/iam/")[0] == 404
    assert json.loads(read("dynamic/instance-identity/document")[1])["imageId"] == image
    aws.ec2.modify_instance_metadata_options(InstanceId=instance.id, HttpEndpoint="disabled")
    assert read("meta-data/instance-id")[0] == 403
    assert instance.curl("/latest/api/token", "-X", "PUT")[0] == 403


ASKS = """
import boto3
print(boto3.client("sts").get_caller_identity()["Arn"])
print(len(boto3.client("ec2").describe_instances()["Reservations"]))
try:
    boto3.client("ec2").create_vpc(CidrBlock="10.9.0.0/16")
except Exception as error:
    print(error.response["Error"]["Code"])
"""


def sdk():
    """An archive of boto3 and what it needs, without the services that nobody asks here."""
    site = Path(boto3.__file__).parents[1]
    wanted = {"ec2", "sts"}

    def chosen(member):
        path = Path(member.name)
        service = path.parts[2] if path.parts[:2] == ("botocore", "data") and len(path.parts) > 3 else None
        return member if service is None or service in wanted else None

    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as writer:
        for package in ("boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six.py", "urllib3"):
            writer.add(site / package, package, filter=chosen)
    return archive.getvalue()


def test_sdks_inside_have_the_roles_credentials(daemon, aws):
    vpc = aws.vpc()
    subnet = aws.subnet(vpc, "10.0.0.0/24")
    door = aws.group(vpc, ("tcp", 443, "10.0.0.0/16"))
    for service in ("ec2", "sts"):
        aws.ec2.create_vpc_endpoint(
            VpcEndpointType="Interface", VpcId=vpc, ServiceName=f"com.amazonaws.us-east-1.{service}",
            SubnetIds=[subnet], SecurityGroupIds=[door], PrivateDnsEnabled=True,
        )
    iam = aws.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    trust = {"Version": "2012-10-17", "Statement": [trust]}
    iam.create_role(RoleName="app", AssumeRolePolicyDocument=json.dumps(trust))
    allowed = {"Effect": "Allow", "Action": "ec2:Describe*", "Resource": "*"}
    allowed = {"Version": "2012-10-17", "Statement": [allowed]}
    iam.put_role_policy(RoleName="app", PolicyName="p", PolicyDocument=json.dumps(allowed))
    profile = iam.create_instance_profile(InstanceProfileName="app")["InstanceProfile"]
    iam.add_role_to_instance_profile(InstanceProfileName="app", RoleName="app")
    [image] = aws.ec2.describe_images(Filters=[{"Name": "name", "Values": ["linkway/host-*"]}])["Images"]
    [made] = aws.ec2.run_instances(
        ImageId=image["ImageId"], InstanceType="t3.micro", SubnetId=subnet, MinCount=1, MaxCount=1,
        IamInstanceProfile={"Name": "app"},
    )["Instances"]
    instance = Inside(daemon, made["InstanceId"])
    wait(aws, instance.id, "running")

    assert instance.curl("/latest/meta-data/iam/security-credentials/") == (200, "app")
    assert json.loads(instance.curl("/latest/meta-data/iam/info")[1])["InstanceProfileArn"] == profile["Arn"]

    def credentials():
        return json.loads(instance.curl("/latest/meta-data/iam/security-credentials/app")[1])

    found = credentials()
    assert found["Code"] == "Success" and credentials()["AccessKeyId"] == found["AccessKeyId"]
    sts = aws.client(
        "sts", aws_access_key_id=found["AccessKeyId"], aws_secret_access_key=found["SecretAccessKey"],
        aws_session_token=found["Token"],
    )
    arn = f"arn:aws:sts::{aws.number}:assumed-role/app/{instance.id}"
    assert sts.get_caller_identity()["Arn"] == arn

    # The host's python, and boto3 as somebody would install it.
    directory = instance.run("python3 -c 'import sys; print([p for p in sys.path if \"local\" in p][0])'")
    command = ["exec", instance.id, "--", "tar", "-C", directory, "-x", "--no-same-owner"]
    subprocess.run([binary(), "--state-dir", daemon.state_dir, *command], input=sdk(), check=True, timeout=120)
    available = [{"Name": "vpc-endpoint-state", "Values": ["available"]}]
    until(lambda: len(aws.ec2.describe_vpc_endpoints(Filters=available)["VpcEndpoints"]) == 2, "the endpoints")
    done = daemon.exec(instance.id, "python3", "-c", ASKS)
    assert done.stdout.split() == [arn, "1", "UnauthorizedOperation"], done.stderr

    # A role that EC2 may not have.
    trust["Statement"][0]["Principal"] = {"AWS": f"arn:aws:iam::{aws.number}:root"}
    iam.create_role(RoleName="other", AssumeRolePolicyDocument=json.dumps(trust))
    iam.remove_role_from_instance_profile(InstanceProfileName="app", RoleName="app")
    assert instance.curl("/latest/meta-data/iam/security-credentials/app")[0] == 404
    iam.add_role_to_instance_profile(InstanceProfileName="app", RoleName="other")
    status, refused = instance.curl("/latest/meta-data/iam/security-credentials/other")
    assert status == 200 and json.loads(refused)["Code"] == "AssumeRoleUnauthorizedAccess"


def netns_of(daemon, instance):
    """The network namespace of an instance."""
    return Path("/run/netns") / f"{daemon.name}-{instance}"


def first_process(daemon, instance):
    """The host's id of an instance's first process."""
    path = Path("/run") / daemon.name / "instances" / instance / "process"
    return json.loads(path.read_text())["pid"]
