#!/usr/bin/env python3
"""Measure an endpoint beside a direct link, kernel NAT and HAProxy, in one run, and print the ratios.

Rounds go through all networks in turn, so that a machine that slows down slows down all of them alike. A
ratio is that of one round; what is printed is the median of rounds, with the lowest and the highest.
"""

import argparse
import json
import os
import platform
import signal
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

import control_plane  # noqa: E402
import measures  # noqa: E402
from harness.aws import Account  # noqa: E402
from harness.daemon import Daemon  # noqa: E402
from linkway_network import Service  # noqa: E402
from networks import HTTP, IPERF, Networks, inside  # noqa: E402
from harness.wait import until  # noqa: E402

BASE = "direct veth"
MEASURES = {
    "throughput": ("Gbit/s", lambda s, t: {"throughput": measures.throughput(s, t)}),
    "requests": ("1/s", lambda s, t: {"requests": measures.requests(s, t)}),
    "connections": ("1/s", lambda s, t: {"connections": measures.connections(s, t)}),
    "latency": ("us", lambda s, t: dict(zip(("latency p50", "latency p99"), measures.latency(s, t)))),
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
    # However it is told to end, everything is taken down.
    for name in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, lambda *_: sys.exit(130))
    print(machine(), flush=True)
    with Networks() as networks, Daemon(name=f"lwb-{os.getpid()}") as daemon:
        service = Service(networks, daemon, Account.first(daemon))
        subjects = [networks.direct(), service.subject(), networks.nftables(), networks.haproxy()]
        for subject in subjects:
            wait_for_servers(subject)
        write("data-path", table(measure(subjects, options)))
        print(f"\nmaking {options.endpoints} endpoints …", flush=True)
        control_plane.fill(service, options.endpoints)
        write("control-plane", creation(control_plane.times(service, options.creations), options))


def machine():
    """What this was measured on."""
    with open("/proc/cpuinfo", encoding="ascii") as text:
        model = next(line.split(":")[1].strip() for line in text if line.startswith("model name"))
    return f"{os.cpu_count()} × {model}, Linux {platform.release()}"


def wait_for_servers(subject):
    """Wait until both servers answer at the client's end."""
    for port in (IPERF, HTTP):
        probe = f"import socket; socket.create_connection(('{subject.address}', {port}), 1)"
        until(
            lambda: subprocess.run(
                inside(subject.client, sys.executable, "-c", probe), capture_output=True
            ).returncode == 0,
            f"{subject.name}: {subject.address}:{port}",
        )


def measure(subjects, options):
    """(measure, subject) -> a value a round."""
    values = {}
    for number in range(options.rounds):
        for name, (_, run) in MEASURES.items():
            for subject in subjects:
                for measured, value in run(subject, options.seconds).items():
                    values.setdefault((measured, subject.name), []).append(value)
        print(f"round {number + 1} of {options.rounds} done", flush=True)
    return values


def table(values):
    """Print the medians, and return them as rows."""
    rows = []
    print(f"\n{'measure':<14}{'network':<20}{'median':>12} {'unit':<7}{'of direct':>10}  {'lowest … highest'}")
    for (name, subject), measured in values.items():
        unit = MEASURES[name.split()[0]][0]
        ratios = [value / base for value, base in zip(measured, values[name, BASE])]
        row = {
            "name": name, "subject": subject, "value": statistics.median(measured), "unit": unit,
            "ratio_to": BASE, "ratio": statistics.median(ratios), "ratio_min": min(ratios), "ratio_max": max(ratios),
        }
        rows.append(row)
        print(
            f"{name:<14}{subject:<20}{row['value']:>12,.2f} {unit:<7}{row['ratio']:>10.2f}"
            f"  {row['ratio_min']:.2f} … {row['ratio_max']:.2f}"
        )
    return rows


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


def write(name, rows):
    """Keep rows where other programs find them."""
    directory = ROOT / "target/bench"
    directory.mkdir(parents=True, exist_ok=True)
    (directory / f"{name}.json").write_text(json.dumps(rows, indent=2) + "\n")


main()
