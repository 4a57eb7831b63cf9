#!/usr/bin/env python3
"""Measure an endpoint beside a direct link, kernel NAT and HAProxy, in one run, and print the ratios.

Rounds and ratios are those of `report`.
"""

import argparse
import os
import statistics
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

import control_plane  # noqa: E402
import measures  # noqa: E402
import report  # noqa: E402
from harness.aws import Account  # noqa: E402
from harness.daemon import Daemon  # noqa: E402
from linkway_network import Service  # noqa: E402
from networks import Networks  # noqa: E402
from ready import wait_for_servers  # noqa: E402

BASE = "direct veth"
UNITS = {"throughput": "Gbit/s", "requests": "1/s", "connections": "1/s", "latency": "us"}
MEASURES = {
    "throughput": lambda s, t: {"throughput": measures.throughput(s, t)},
    "requests": lambda s, t: {"requests": measures.requests(s, t)},
    "connections": lambda s, t: {"connections": measures.connections(s, t)},
    "latency": lambda s, t: dict(zip(("latency p50", "latency p99"), measures.latency(s, t))),
}


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--linkway", default=ROOT / "target/release/linkway", help="the binary to measure")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3, help="of each measurement")
    parser.add_argument("--endpoints", type=int, default=1000, help="others that are there when one is created")
    parser.add_argument("--creations", type=int, default=100, help="endpoints created to measure how long it takes")
    options = parser.parse_args()
    os.environ["LINKWAY"] = str(options.linkway)
    report.begin()
    with Networks() as networks, Daemon(name=f"lwb-{os.getpid()}") as daemon:
        service = Service(networks, daemon, Account.first(daemon))
        subjects = [networks.direct(), service.subject(), networks.nftables(), networks.haproxy()]
        for subject in subjects:
            wait_for_servers(subject)
        values = report.rounds(subjects, MEASURES, options.rounds, options.seconds)
        report.write("data-path", report.table(values, UNITS, BASE))
        print(f"\nmaking {options.endpoints} endpoints …", flush=True)
        control_plane.fill(service, options.endpoints)
        report.write("control-plane", creation(control_plane.times(service, options.creations), options))


def creation(measured, options):
    """Print how long creating an endpoint takes, and return it as rows."""
    rows = []
    print(f"\nCreateVpcEndpoint to first byte, {options.endpoints} other endpoints, {len(measured)} times")
    for name, value in (
        ("p50", statistics.median(measured)),
        ("p99", measured[min(len(measured) - 1, int(len(measured) * 0.99))]),
        ("highest", measured[-1]),
    ):
        rows.append({
            "name": f"create to first byte {name}", "subject": "Linkway endpoint", "value": value, "unit": "ms",
            "ratio_to": None, "ratio": None,
        })
        print(f"  {name:<8}{value:>8.1f} ms")
    return rows


main()
