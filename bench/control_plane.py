"""How long from the call of CreateVpcEndpoint to the first byte through it, with many other endpoints present."""

import subprocess
import sys
import time
from pathlib import Path

from linkway_network import ZONE
from networks import BANNER, inside

# AWS's quota, and Linkway's: interface endpoints of a VPC.
PER_VPC = 50
HERE = Path(__file__).parent


def fill(service, count):
    """Make this many endpoints, in VPCs of their own, and wait until the last is available."""
    account = service.account
    endpoint = None
    for start in range(0, count, PER_VPC):
        vpc = account.vpc("10.0.0.0/16", dns=False)
        subnet = account.subnet(vpc, "10.0.0.0/24", ZONE)
        for _ in range(start, min(start + PER_VPC, count)):
            endpoint = service.create_endpoint(vpc, subnet, [account.default_group(vpc)])
    account.wait_for_endpoint(endpoint)


def times(service, creations):
    """Milliseconds of each creation, from before the call to the first byte. Each endpoint is deleted again."""
    service.networks.start(service.server, sys.executable, HERE / "banner.py", BANNER)
    prober = subprocess.Popen(
        inside(service.client, sys.executable, HERE / "prober.py"), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        text=True,
    )
    service.networks.callback(prober.wait)
    service.networks.callback(prober.stdin.close)
    measured = []
    for number in range(creations):
        # Addresses of its own each time: nothing is left of the last one to be mistaken for it.
        address = f"10.0.2.{100 + number % 100}"
        started = time.monotonic()
        endpoint = service.create_endpoint(service.vpc, service.subnet, service.groups, address)
        prober.stdin.write(f"{address} {BANNER}\n")
        prober.stdin.flush()
        answer = prober.stdout.readline().strip()
        if answer == "never":
            raise RuntimeError(f"{endpoint}: no byte within ten seconds")
        measured.append((float(answer) - started) * 1e3)
        service.account.ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])
    return sorted(measured)
