"""Connections that are kept busy while something is done to what carries them."""

import contextlib
import json
import os
import signal
import subprocess
from pathlib import Path
from types import SimpleNamespace

from harness.aws import Account
from harness.service import connect, publish
from harness.wait import PATIENCE, until

PROGRAMS = Path(__file__).resolve().parents[1] / "programs"
PYTHON = "/usr/bin/python3"


def echo_world(daemon):
    """An echo server behind an endpoint, and a client beside that."""
    aws = Account.first(daemon)
    provider, consumer = aws.vpc(), aws.vpc()
    subnet, place = aws.subnet(provider, "10.0.0.0/24"), aws.subnet(consumer, "10.0.0.0/24")
    group, door = (aws.group(vpc, ("tcp", 7000, "10.0.0.0/16")) for vpc in (provider, consumer))
    server = daemon.run(subnet, PYTHON, PROGRAMS / "echo.py", "7000", groups=[group])
    client = daemon.run(place, "sleep", "infinity", groups=[door])
    service = publish(aws, [subnet], [server])
    aws.wait_for_targets(service.target_group)
    endpoint = connect(aws, service, consumer, [place], [door])
    aws.wait_for_endpoint(endpoint)
    [address] = aws.endpoint_addresses(endpoint).values()
    return SimpleNamespace(
        daemon=daemon, aws=aws, programs=PROGRAMS, client=client, server=server, endpoint=endpoint, address=address,
        vpc=consumer, place=place, door=door, service=service, provider_subnet=subnet, provider_group=group,
    )


def inside(daemon, instance, *command, **options):
    """Start a command in an instance's network, without asking the daemon."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    return subprocess.Popen(
        ["ip", "netns", "exec", f"{daemon.name}-{instance}", *map(str, command)], **(pipes | options)
    )


def kill_first_process(daemon, instance):
    """SIGKILL to an instance's init, whose process id is in the note that it leaves for `linkway down`."""
    note = Path(f"/run/{daemon.name}/instances/{instance}/process")
    os.kill(json.loads(note.read_text())["pid"], signal.SIGKILL)


class Stream:
    """stream.py inside of an instance: connections to an echo server, every byte of which is compared."""

    def __init__(self, daemon, instance, address, connections=1):
        self.process = inside(daemon, instance, PYTHON, PROGRAMS / "stream.py", address, "7000", str(connections))

    def moved(self):
        """Bytes that every connection has had back so far."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline().strip()
        assert line.isdigit(), line
        return int(line)

    def moves_on(self):
        """Wait until more has come back on every connection."""
        before = self.moved()
        until(lambda: self.moved() > before + (1 << 16), "data moving on every connection", 20)

    def breaks(self):
        """Wait until it says that a connection is broken."""
        assert self.process.wait(30 * PATIENCE) == 1
        assert "broken: " in self.process.stdout.read()
        end(self.process)

    def finish(self):
        """End it; every byte must have come back, and right."""
        self.process.stdin.close()
        assert self.process.wait(30 * PATIENCE) == 0, self.process.stdout.read()
        assert self.process.stdout.readline().startswith("whole: ")
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, error, *_):
        if error:
            end(self.process)
        else:
            self.finish()


@contextlib.contextmanager
def knocking(daemon, instance, address):
    """Short connections to an echo server, one after the other. Afterwards, each of them has been answered."""
    knocker = inside(daemon, instance, PYTHON, PROGRAMS / "knock.py", address, "7000", stderr=subprocess.PIPE)
    try:
        yield knocker
        said, why = knocker.communicate("\n", timeout=30 * PATIENCE)
        assert knocker.returncode == 0 and int(said) > 0, why
    finally:
        end(knocker)


def end(process):
    """End a process that was started with pipes, whatever it does."""
    process.kill()
    process.wait(10)
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe:
            # What was still to be written may find nobody.
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
