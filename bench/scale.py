#!/usr/bin/env python3
"""Measure whether an endpoint's speed depends on how much else there is: rules, endpoints, flows.

Beside a direct link each time, in rounds: ratios are comparable, whatever the machine does meanwhile. What has been
added stays, so each line has more of everything than the one before. Then the CPU time that a Gbit takes, beside
HAProxy and nginx, small datagrams, and the kernel's memory for each flow, endpoint and rule.
"""

import argparse
import os
import re
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

import control_plane  # noqa: E402
import measures  # noqa: E402
import report  # noqa: E402
from harness.aws import Account  # noqa: E402
from harness.daemon import Daemon  # noqa: E402
from linkway_network import CIDR, Service  # noqa: E402
from networks import Networks, run  # noqa: E402
from ready import wait_for_servers  # noqa: E402

FILL = ROOT / "target/release/examples/fill_flows"
BASE = "direct veth"
UNITS = {"throughput": "Gbit/s", "requests": "1/s", "connections": "1/s", "datagrams": "1/s", "cpu": "ms/Gbit"}
# AWS's quotas are 60 rules of a group, of which two are there, and five groups of an interface.
RULES, GROUPS = 58, 5


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--linkway", default=ROOT / "target/release/linkway", help="the binary to measure")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2, help="of each measurement")
    parser.add_argument("--endpoints", type=int, default=1000, help="others that are added")
    parser.add_argument("--flows", type=int, default=1_000_000, help="that are added")
    options = parser.parse_args()
    os.environ["LINKWAY"] = str(options.linkway)
    report.begin()
    with Networks() as networks, Daemon(name=f"lwb-{os.getpid()}") as daemon:
        account = Account.first(daemon)
        service = Service(networks, daemon, account)
        direct, linkway = networks.direct(), service.subject()
        peers = [direct, linkway, networks.haproxy(), networks.nginx()]
        for subject in peers:
            wait_for_servers(subject)
        rows = report.table(report.rounds(peers, {
            "cpu": lambda s, t: {"cpu": measures.cpu_per_gbit(s, t)},
            "datagrams": lambda s, t: {"datagrams": measures.datagrams(s, t)} if s in (direct, linkway) else {},
        }, options.rounds, options.seconds), UNITS, BASE)
        tables = Memory(daemon)
        for name, add, count in (
            ("as it is", lambda: None, 0),
            (f"{RULES * GROUPS} rules", lambda: add_rules(service), RULES * GROUPS),
            (f"{options.endpoints:,} endpoints", lambda: control_plane.fill(service, options.endpoints), options.endpoints),
            (f"{options.flows:,} flows", lambda: tables.fill(options.flows), options.flows),
        ):
            print(f"\n{name}", flush=True)
            before = tables.bytes()
            add()
            if count:
                each = (tables.bytes() - before) / count
                print(f"kernel memory of tables: {each:,.0f} bytes each")
                rows.append({"name": f"memory {name}", "subject": "Linkway endpoint", "value": each, "unit": "bytes",
                             "ratio_to": None, "ratio": None})
            values = report.rounds([direct, linkway], {
                "throughput": lambda s, t: {"throughput": measures.throughput(s, t)},
                "requests": lambda s, t: {"requests": measures.requests(s, t)},
                "connections": lambda s, t: {"connections": measures.connections(s, t)},
            }, options.rounds, options.seconds)
            rows += [row | {"with": name} for row in report.table(values, UNITS, BASE)]
        report.write("scale", rows)


def add_rules(service):
    """As many rules as quotas allow on the client's, the endpoint's and the server's interfaces: the one that matches
    is each list's last."""
    ec2 = service.account.ec2
    own = service.groups[0]
    groups = [own] + [service.account.group(service.vpc) for _ in range(GROUPS - 1)]
    fillers = [
        {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": "192.0.2.0/24"}]}
        for port in range(1, RULES + 1)
    ]
    # A rule's number says where it stands: what matches is made anew, after the others.
    matching = {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 65535, "IpRanges": [{"CidrIp": CIDR}]}
    for group in groups:
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=fillers)
    ec2.authorize_security_group_ingress(GroupId=groups[-1], IpPermissions=[matching])
    ec2.modify_vpc_endpoint(VpcEndpointId=service.endpoint, AddSecurityGroupIds=groups[1:])
    ec2.revoke_security_group_ingress(GroupId=own, IpPermissions=[matching])
    service.account.wait_for_endpoint(service.endpoint)


class Memory:
    """The kernel's memory for a daemon's tables."""

    def __init__(self, daemon):
        self.directory = Path("/sys/fs/bpf") / daemon.name

    def bytes(self):
        """Of all tables."""
        return sum(int(run(FILL, self.directory, table, 0).split()[1]) for table in self._tables())

    def _tables(self):
        return sorted(path.name for path in next(self.directory.iterdir()).iterdir() if path.name != "events")

    def fill(self, flows):
        """Put flows into the table that no packet belongs to."""
        run(FILL, self.directory, "flows", flows)


main()
