#!/usr/bin/env python3
"""Measure the API beside moto_server: describing and creating endpoints, with more and more of them there.

Both get the same calls, signed, over the same number of connections, from `crates/wire/examples/load.rs`. Linkway
keeps its state on the disk and has its packet path; moto keeps its own in memory. Rounds and ratios are those of
`report`.
"""

import argparse
import contextlib
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import time
import urllib.parse
import venv
from pathlib import Path

import pinned
import report

sys.path.insert(0, str(report.ROOT / "tests"))

from harness.aws import Account  # noqa: E402
from harness.daemon import Daemon  # noqa: E402
from harness.wait import until  # noqa: E402

BASE = "moto_server"
MOTO = "moto[server,ec2]==5.2.5"
OWN = report.ROOT / "target/bench-api"
LOAD = report.ROOT / "target/release/examples/load"
SERVICE = "com.amazonaws.us-east-1.rds"
# AWS's quota, and Linkway's: interface endpoints of a VPC.
PER_VPC = 50
# Creations measured in a round; each adds an endpoint.
CREATIONS = {10: 100, 1000: 500, 100_000: 2000}
UNITS = {"describe": "1/s", "create": "1/s", "p50": "ms", "p99": "ms", "memory": "MiB"}


class Server:
    """A server of EC2's API, with a number of endpoints in VPCs of 50 each."""

    def __init__(self, name, account, pid, connections):
        self.name, self.account, self.pid, self.connections = name, account, pid, connections
        self.places = []  # VPC and subnet
        self.made = 0

    def load(self, forms, length="once", limit=600, connections=None):
        """Send calls, and return what the client has seen. Whether all of them succeeded is looked at."""
        client = subprocess.run(
            [LOAD, self.account.url.removeprefix("http://"), self.account.region,
             str(connections or self.connections), str(length)],
            input="\n".join(map(urllib.parse.urlencode, forms)), capture_output=True, text=True, check=True,
            env=os.environ | {
                "AWS_ACCESS_KEY_ID": self.account.key, "AWS_SECRET_ACCESS_KEY": self.account.secret,
                "LOAD_LIMIT": str(limit),
            },
        )
        seen = json.loads(client.stdout)
        if seen["failures"]:
            raise RuntimeError(f"{self.name}: {seen['failures']} calls failed: {seen['failure']}")
        return seen

    def networks(self, endpoints):
        """Have VPCs, each with a subnet, for this many endpoints more."""
        missing = -(-(self.made + endpoints) // PER_VPC) - len(self.places)
        if missing <= 0:
            return
        known = {vpc for vpc, _ in self.places}
        self.load([call("CreateVpc", CidrBlock="10.0.0.0/16")] * missing)
        pages = self.account.ec2.get_paginator("describe_vpcs").paginate(
            Filters=[{"Name": "is-default", "Values": ["false"]}]
        )
        new = sorted({vpc["VpcId"] for page in pages for vpc in page["Vpcs"]} - known)
        zone = f"{self.account.region}a"
        self.load([call("CreateSubnet", VpcId=vpc, CidrBlock="10.0.0.0/24", AvailabilityZone=zone) for vpc in new])
        pages = self.account.ec2.get_paginator("describe_subnets").paginate()
        subnets = {subnet["VpcId"]: subnet["SubnetId"] for page in pages for subnet in page["Subnets"]}
        self.places += [(vpc, subnets[vpc]) for vpc in new]

    def create(self, count, limit=600, connections=None):
        """Make endpoints, as many as fit into `limit` seconds."""
        forms = []
        for number in range(self.made, self.made + count):
            vpc, subnet = self.places[number // PER_VPC]
            forms.append(call(
                "CreateVpcEndpoint", VpcEndpointType="Interface", ServiceName=SERVICE, VpcId=vpc, PrivateDnsEnabled="false",
                **{"SubnetId.1": subnet},
            ))
        seen = self.load(forms, limit=limit, connections=connections)
        self.made += seen["answers"]
        return seen

    def fill(self, count, limit):
        """Have this many endpoints. `None`, or what is there after `limit` seconds."""
        deadline = time.monotonic() + limit
        while self.made < count:
            step = min(count - self.made, 10_000)
            self.networks(step)
            self.create(step, max(0, deadline - time.monotonic()))
            if self.made < count and time.monotonic() > deadline:
                return self.made
        return None

    def memory(self):
        """MiB that its process has."""
        with open(f"/proc/{self.pid}/status", encoding="ascii") as text:
            return next(int(line.split()[1]) / 1024 for line in text if line.startswith("VmRSS"))


def call(action, **members):
    """The form of an EC2 call."""
    return {"Action": action, "Version": "2016-11-15", **members}


def rates(kind, seen):
    """What a load has seen, by measure."""
    return {
        kind: seen["answers"] / seen["seconds"], f"p50 {kind}": seen["p50"], f"p99 {kind}": seen["p99"],
    }


def describe_all(server, seconds):
    """All endpoints at once."""
    return rates("describe all", server.load([call("DescribeVpcEndpoints")], seconds))


def describe_page(server, seconds):
    """The endpoints of a VPC by a filter, in a page of 50: of another VPC each time."""
    vpcs = [vpc for vpc, _ in server.places[: -(-server.made // PER_VPC)]]
    chosen = random.Random(1).choices(vpcs, k=500)
    forms = [
        call("DescribeVpcEndpoints", MaxResults="50", **{"Filter.1.Name": "vpc-id", "Filter.1.Value.1": vpc})
        for vpc in chosen
    ]
    return rates("describe page", server.load(forms, seconds))


def create(size):
    """A measure of creating endpoints."""

    def measure(server, _):
        # As many as it makes in a second or so.
        count = CREATIONS[size] if server.name != BASE else min(CREATIONS[size], 100)
        server.networks(count)
        return rates("create", server.create(count))

    return measure


def becomes_available(server):
    """Milliseconds from the call to the answer that shows the endpoint available: with a write to the disk for each,
    and the packet path in between."""
    measured = []
    for _ in range(50):
        server.networks(1)
        vpc, subnet = server.places[server.made // PER_VPC]
        started = time.monotonic()
        made = server.account.ec2.create_vpc_endpoint(
            VpcEndpointType="Interface", ServiceName=SERVICE, VpcId=vpc, SubnetIds=[subnet], PrivateDnsEnabled=False,
        )["VpcEndpoint"]["VpcEndpointId"]
        while server.account.endpoint(made)["State"] != "available":
            pass
        measured.append((time.monotonic() - started) * 1e3)
        server.made += 1
    measured.sort()
    return measured[len(measured) // 2], measured[-1]


def rule_is_followed(server):
    """Milliseconds from the call that adds a rule to the default group of a VPC until the table that packets are held
    against has it."""
    vpc, _ = server.places[0]
    ec2 = server.account.ec2
    groups = ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["SecurityGroups"]

    def add(port):
        permission = {
            "IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": "192.0.2.0/24"}],
        }
        ec2.authorize_security_group_ingress(GroupId=groups[0]["GroupId"], IpPermissions=[permission])

    directory, = Path("/sys/fs/bpf", server.daemon.name).iterdir()
    with contextlib.closing(pinned.Table(directory / "rulesets")) as table:
        before = table.rows()
        add(1)
        changed = until(lambda: [key for key, row in table.rows().items() if before.get(key) != row], "the table changes")
        measured = []
        # A group may have 60 rules.
        for port in range(2, 52):
            before = table.row(changed[0])
            started = time.monotonic()
            add(port)
            until(lambda: table.row(changed[0]) != before, "packets follow the rule", period=0)
            measured.append((time.monotonic() - started) * 1e3)
    measured.sort()
    return measured[len(measured) // 2], measured[-1]


@contextlib.contextmanager
def linkway(endpoints):
    """A daemon with its state on the disk, and quotas for this many endpoints in one account and region."""
    state = OWN / "state"
    shutil.rmtree(state, ignore_errors=True)
    state.mkdir(parents=True)
    daemon = Daemon(name=f"lwb-{os.getpid()}", state_dir=state, arguments=("--log", "warn"))
    try:
        with daemon:
            account = Account.first(daemon)
            daemon.linkway("account", "quota", "--id", account.number, "--interfaces-per-region", 2 * endpoints + 5000)
            server = Server("Linkway", account, daemon.process.pid, CONNECTIONS)
            server.daemon = daemon
            yield server
    finally:
        shutil.rmtree(state, ignore_errors=True)


@contextlib.contextmanager
def moto():
    """moto_server, from a virtual environment of its own."""
    program = OWN / "moto/bin/moto_server"
    if not program.exists():
        venv.create(OWN / "moto", with_pip=True)
        subprocess.run([OWN / "moto/bin/pip", "install", "--quiet", MOTO], check=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [program, "-H", "127.0.0.1", "-p", str(port)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def listens():
        if process.poll() is not None:
            raise RuntimeError("moto_server has ended")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return True
        return False

    try:
        until(listens, "moto_server listens")
        account = Account(f"http://127.0.0.1:{port}", "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
        yield Server(BASE, account, process.pid, CONNECTIONS)
    finally:
        process.terminate()
        process.wait()


CONNECTIONS = 16


def measure(size, options):
    """All measures with this many endpoints there, as rows."""
    print(f"\n{size:,} endpoints", flush=True)
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(linkway(size + 20_000)), stack.enter_context(moto())]
        values = {}
        for server in list(servers):
            started = time.monotonic()
            reached = server.fill(size, options.limit)
            took = time.monotonic() - started
            if reached is None:
                print(f"{server.name} has made them in {took:.0f} s: {server.memory():.0f} MiB", flush=True)
                values["memory", server.name] = [server.memory()]
            else:
                print(f"{server.name}: not reached within {options.limit} s: {reached:,} endpoints", flush=True)
                servers.remove(server)
        measures = {"page": describe_page, "create": create(size)}
        if size <= 1000:
            measures = {"all": describe_all} | measures
        values |= report.rounds(servers, measures, options.rounds, options.seconds)
        base = BASE if any(server.name == BASE for server in servers) else "Linkway"
        rows = report.table(values, UNITS, base, "server")
        if servers[0].name == "Linkway":
            rows += alone(servers[0])
    return [row | {"endpoints": size} for row in rows]


def alone(server):
    """What is asked of Linkway only, as rows."""
    rows = []

    def row(name, value, unit, text):
        rows.append({"name": name, "subject": "Linkway", "value": value, "unit": unit, "ratio_to": None, "ratio": None})
        print(f"{text:<64}{value:>12,.1f} {unit}", flush=True)

    one = server.load([call("DescribeVpcEndpoints")] if server.made < 50 else [
        call("DescribeVpcEndpoints", MaxResults="50", **{"Filter.1.Name": "vpc-id", "Filter.1.Value.1": vpc})
        for vpc, _ in server.places[:500]
    ], 2, connections=1)
    row("describe page alone p99", one["p99"], "ms", "a page over one connection, alone, p99")
    median, most = becomes_available(server)
    row("create to available p50", median, "ms", "CreateVpcEndpoint until described as available, median")
    row("create to available most", most, "ms", "… highest of 50")
    median, most = rule_is_followed(server)
    row("rule followed p50", median, "ms", "AuthorizeSecurityGroupIngress until packets follow it, median")
    row("rule followed most", most, "ms", "… highest of 50")
    server.daemon.stop(within=60)
    started = time.monotonic()
    server.daemon.start(within=120)
    row("start", (time.monotonic() - started) * 1e3, "ms", f"start with {server.made:,} endpoints stored, until ready")
    server.pid = server.daemon.process.pid
    row("memory after start", server.memory(), "MiB", "memory then")
    return rows


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--linkway", default=report.ROOT / "target/release/linkway", help="the binary to measure")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=3, help="of each measurement")
    parser.add_argument("--sizes", type=int, nargs="+", default=list(CREATIONS), choices=CREATIONS)
    parser.add_argument("--limit", type=int, default=120, help="seconds for a server to make the endpoints")
    options = parser.parse_args()
    os.environ["LINKWAY"] = str(options.linkway)
    report.begin()
    report.write("api", [row for size in options.sizes for row in measure(size, options)])


main()
