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

from harness.daemon import ROOT
from harness.wait import until

PLAYBOOKS = Path(__file__).parent / "ansible"
CONSUMER = "210987654321"


@pytest.fixture
def play(aws, other, tmp_path):
    """Plays a playbook in both accounts. Returns the output and the counts of its last line."""
    if not shutil.which("ansible-playbook"):
        pytest.skip("Ansible is not installed: apt-get install --no-install-recommends ansible")
    accounts = {
        role: {name: value for name, value in account.environment().items() if name.startswith("AWS_")}
        | {"number": account.number}
        for role, account in {"provider": aws, "consumer": other}.items()
    }
    variables = tmp_path / "variables.json"
    variables.write_text(json.dumps({
        "accounts": accounts, "region": aws.region, "aws": str(ROOT / ".venv/bin/aws"),
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
    """Whatever there is in an account but its default VPC, by kind: nothing, at first."""
    ec2 = account.ec2
    ours = [{"Name": "vpc-id", "Values": account.vpcs()}] if account.vpcs() else [{"Name": "vpc-id", "Values": ["-"]}]
    iam = account.client("iam")
    mine = [{"Name": "owner-id", "Values": [account.number]}]
    kinds = {
        "VPCs": account.vpcs(),
        "interfaces": ec2.describe_network_interfaces(Filters=ours)["NetworkInterfaces"],
        "endpoints": [
            found for found in ec2.describe_vpc_endpoints()["VpcEndpoints"] if found["State"] != "deleted"
        ],
        "services": ec2.describe_vpc_endpoint_service_configurations()["ServiceConfigurations"],
        "balancers": account.elbv2.describe_load_balancers()["LoadBalancers"],
        "target groups": account.elbv2.describe_target_groups()["TargetGroups"],
        "addresses": ec2.describe_addresses()["Addresses"],
        "NAT gateways": [
            found for found in ec2.describe_nat_gateways()["NatGateways"] if found["State"] != "deleted"
        ],
        "internet gateways": [
            found for found in ec2.describe_internet_gateways()["InternetGateways"]
            if found["Attachments"] == []
        ],
        "prefix lists": ec2.describe_managed_prefix_lists(Filters=mine)["PrefixLists"],
        "users": iam.list_users()["Users"],
        "roles": iam.list_roles()["Roles"],
        "groups": iam.list_groups()["Groups"],
        "policies": iam.list_policies(Scope="Local")["Policies"],
    }
    return {kind: found for kind, found in kinds.items() if found}


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
    for account in (aws, other):
        until(lambda: held(account) == before[account], f"nothing left in {account.number}")
