"""Ansible's AWS modules (amazon.aws and community.aws, of Debian's package `ansible`): the demo's scenario as a
playbook that changes nothing when it is played again, and another one that leaves nothing of it.
"""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from harness.aws import PUBLIC_KEY
from harness.daemon import ROOT

PLAYBOOKS = Path(__file__).parent / "ansible"


@pytest.fixture
def play(aws, other, tmp_path):
    """Plays a playbook in both accounts. Returns what it printed, and the counts at its end."""
    if not shutil.which("ansible-playbook"):
        pytest.skip("Ansible is not installed: apt-get install --no-install-recommends ansible")
    accounts = {
        role: {name: value for name, value in account.environment().items() if name.startswith("AWS_")}
        | {"number": account.number}
        for role, account in {"provider": aws, "consumer": other}.items()
    }
    public_key = tmp_path / "key.pub"
    public_key.write_text(PUBLIC_KEY)
    variables = tmp_path / "variables.json"
    variables.write_text(json.dumps({
        "accounts": accounts, "region": aws.region, "public_key": str(public_key), "aws": str(ROOT / ".venv/bin/aws"),
        "ansible_connection": "local", "ansible_python_interpreter": str(ROOT / ".venv/bin/python3"),
    }))
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "ANSIBLE_"))} | {
        "ANSIBLE_CONFIG": str(PLAYBOOKS / "ansible.cfg"), "ANSIBLE_HOME": str(tmp_path), "LC_ALL": "C.UTF-8",
        "ANSIBLE_LOCAL_TEMP": str(tmp_path / "local"), "ANSIBLE_REMOTE_TEMP": str(tmp_path / "remote"),
    }

    def run(playbook):
        done = subprocess.run(
            ["ansible-playbook", "-i", "localhost,", "-e", f"@{variables}", PLAYBOOKS / playbook],
            env=environment, capture_output=True, text=True, timeout=900, cwd=PLAYBOOKS,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout, {name: int(count) for name, count in re.findall(r"(\w+)=(\d+)", done.stdout)}

    return run


def held(account):
    """The ids of all in an account that is of the kinds that the playbooks make."""
    ec2, elbv2, iam = account.ec2, account.elbv2, account.client("iam")

    def living(found):
        return [one for one in found if one.get("State") not in ("deleted", "delete-complete")]

    kinds = {
        "VpcId": ec2.describe_vpcs()["Vpcs"],
        "SubnetId": ec2.describe_subnets()["Subnets"],
        "GroupId": ec2.describe_security_groups()["SecurityGroups"],
        "NetworkAclId": ec2.describe_network_acls()["NetworkAcls"],
        "RouteTableId": ec2.describe_route_tables()["RouteTables"],
        "DhcpOptionsId": ec2.describe_dhcp_options()["DhcpOptions"],
        "InternetGatewayId": ec2.describe_internet_gateways()["InternetGateways"],
        "NatGatewayId": living(ec2.describe_nat_gateways()["NatGateways"]),
        "AllocationId": ec2.describe_addresses()["Addresses"],
        "NetworkInterfaceId": ec2.describe_network_interfaces()["NetworkInterfaces"],
        "PrefixListId": living(ec2.describe_managed_prefix_lists()["PrefixLists"]),
        "VpcEndpointId": living(ec2.describe_vpc_endpoints()["VpcEndpoints"]),
        "ServiceId": ec2.describe_vpc_endpoint_service_configurations()["ServiceConfigurations"],
        "LoadBalancerArn": elbv2.describe_load_balancers()["LoadBalancers"],
        "TargetGroupArn": elbv2.describe_target_groups()["TargetGroups"],
        "UserId": iam.list_users()["Users"],
        "RoleId": iam.list_roles()["Roles"],
        "GroupName": iam.list_groups()["Groups"],
        "InstanceProfileId": iam.list_instance_profiles()["InstanceProfiles"],
        "PolicyId": iam.list_policies(Scope="Local")["Policies"],
    }
    return {name: {one[name] for one in found} for name, found in kinds.items()}


def test_the_scenario_twice_and_then_nothing_of_it(play, aws, other, daemon, programs):
    before = {account: held(account) for account in (aws, other)}
    output, counts = play("scenario.yml")
    assert counts["changed"] > 20, output
    output, counts = play("scenario.yml")
    assert counts["changed"] == 0, output

    # What the modules have made carries traffic.
    [vpc] = aws.ec2.describe_vpcs(Filters=[{"Name": "tag:Name", "Values": ["provider"]}])["Vpcs"]
    of_vpc = [{"Name": "vpc-id", "Values": [vpc["VpcId"]]}]
    subnets = {
        found["CidrBlock"]: found["SubnetId"] for found in aws.ec2.describe_subnets(Filters=of_vpc)["Subnets"]
    }
    [group] = aws.ec2.describe_security_groups(
        Filters=[*of_vpc, {"Name": "group-name", "Values": ["server"]}]
    )["SecurityGroups"]
    servers = [
        daemon.run(subnets[f"10.0.{number}.0/24"], "/usr/bin/python3", programs / "echo.py", "7000",
                   groups=[group["GroupId"]], private_ip=f"10.0.{number}.50")
        for number in (0, 1)
    ]
    [targets] = aws.elbv2.describe_target_groups(Names=["servers"])["TargetGroups"]
    aws.wait_for_targets(targets["TargetGroupArn"])
    [endpoint] = other.ec2.describe_vpc_endpoints(Filters=[{"Name": "tag:Name", "Values": ["shop"]}])["VpcEndpoints"]
    other.wait_for_endpoint(endpoint["VpcEndpointId"])
    [application] = other.ec2.describe_security_groups(
        Filters=[{"Name": "group-name", "Values": ["application"]}]
    )["SecurityGroups"]
    client = daemon.run(endpoint["SubnetIds"][0], "sleep", "infinity", groups=[application["GroupId"]])
    for address in other.endpoint_addresses(endpoint["VpcEndpointId"]).values():
        done = daemon.exec(client, "nc", "-z", "-w", "5", address, "7000")
        assert done.returncode == 0, (address, done.stderr, daemon.drops())

    for instance in (*servers, client):
        daemon.linkway("terminate", instance)
    play("teardown.yml")
    for account, was in before.items():
        assert held(account) == was


def test_machines_twice_and_then_nothing_of_them(play, other):
    before = held(other)
    output, counts = play("machines.yml")
    assert counts["changed"] > 14, output
    output, counts = play("machines.yml")
    assert counts["changed"] == 0, output
    play("machines_gone.yml")
    assert held(other) == before
