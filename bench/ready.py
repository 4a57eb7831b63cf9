"""When a network can be measured."""

import subprocess
import sys

from harness.wait import until
from networks import HTTP, IPERF, inside


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
