"""Faults while 16 clients are busy: nothing that a fault is not about loses a connection, and what is lost is counted.

`make test-faults` has them happen `$FAULTS` times as often.
"""

import contextlib
import os
import subprocess
import time
from pathlib import Path

import pytest

from harness.aws import permission
from harness.daemon import binary
from harness.load import PROGRAMS, PYTHON, Stream, echo_world, end, inside, kill_first_process, knocking
from harness.wait import PATIENCE, until

TIMES = int(os.environ.get("FAULTS", "1"))
KILLS = 4 * TIMES
# Rules that are rewritten before a kill, so that it may come while tables are written.
REWRITES = 10
CLIENTS = 14
# TCP connections that an interface may have open without an answer, and how long they stay so.
HALF_OPEN = 8192
HALF_OPEN_SECONDS = 30


@pytest.fixture
def world(own_daemon):
    """A daemon that keeps its state, an echo server behind an endpoint, and a client beside it."""
    return echo_world(own_daemon(arguments=()).start())


@contextlib.contextmanager
def busy(world):
    """Sixteen clients of the endpoint: of fourteen every byte is compared, two connect again and again. Afterwards,
    none has lost anything, and no packet of theirs has been dropped."""
    before = [dropped(world, instance) for instance in (world.client, world.server)]
    with contextlib.ExitStack() as stack:
        stream = stack.enter_context(Stream(world.daemon, world.client, world.address, CLIENTS))
        for _ in range(16 - CLIENTS):
            stack.enter_context(knocking(world.daemon, world.client, world.address))
        stream.moves_on()
        yield stream
        stream.moves_on()
    assert [dropped(world, instance) for instance in (world.client, world.server)] == before


def dropped(world, instance):
    """What was dropped of an instance's packets, by reason. Those of connections that are over are not about them."""
    return {reason: n for reason, n in world.daemon.drops(world.aws.interface(instance)).items() if reason != "NoFlow"}


def rewrite(world, number):
    """Change what the endpoint's group lets in, once there and once back: the clients' own rule, too."""
    ours = [permission("tcp", (7000 - number % 100, 7000), "10.0.0.0/16")]
    world.aws.ec2.authorize_security_group_ingress(GroupId=world.door, IpPermissions=ours)
    world.aws.ec2.revoke_security_group_ingress(
        GroupId=world.door, IpPermissions=world.rules or [permission("tcp", 7000, "10.0.0.0/16")]
    )
    world.rules = ours


def settled(world):
    """Whether the packet path is at the state's revision, without a fault."""
    status = world.daemon.status()
    assert status["fault"] is None and status["problems"] == {}
    return status["revision"] == status["applied"]


def test_killed_while_rules_are_rewritten(world):
    world.rules = None
    with busy(world) as stream:
        for kill in range(KILLS):
            for number in range(REWRITES // 2):
                rewrite(world, 1 + kill * REWRITES + number)
            world.daemon.kill()
            stream.moves_on()
            world.daemon.start()
            stream.moves_on()
    until(lambda: settled(world), "the packet path at the last revision")


def greeting(world, client):
    """The name of the target that a new connection gets to."""
    connecting = inside(world.daemon, client, PYTHON, PROGRAMS / "connect.py", "tcp", world.address, "7000")
    said, _ = connecting.communicate(timeout=20)
    return said.split(" ")[0]


def test_targets_are_deregistered_and_killed(world):
    """One that is deregistered keeps the connections that it has; one that is killed takes along its own only."""
    elbv2, group = world.aws.elbv2, world.service.target_group
    bystander = world.daemon.run(world.place, "sleep", "infinity", groups=[world.door])

    def only(name):
        """Whether that target gets all new connections."""
        return {greeting(world, bystander) for _ in range(10)} == {name}

    for _ in range(min(TIMES, 10)):
        with busy(world):
            second = world.daemon.run(
                world.provider_subnet, "env", "ECHO_NAME=second", PYTHON, PROGRAMS / "echo.py", "7000",
                groups=[world.provider_group],
            )
            elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": second}])
            world.aws.wait_for_targets(group)
            elbv2.deregister_targets(TargetGroupArn=group, Targets=[{"Id": world.server}])
            until(lambda: only("second"), "new connections at the second target alone")
            doomed = Stream(world.daemon, bystander, world.address, 2)
            doomed.moves_on()
            elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": world.server}])
            world.aws.wait_for_targets(group)
            elbv2.deregister_targets(TargetGroupArn=group, Targets=[{"Id": second}])
            until(lambda: only("echo"), "new connections at the first target alone")
            doomed.moves_on()
            kill_first_process(world.daemon, second)
            doomed.breaks()


def test_tables_of_another_layout(world):
    """A build of another layout finds the tables of the one that was killed: it leaves them alone, and the packets."""
    pins = Path("/sys/fs/bpf") / world.daemon.name
    [own] = pins.iterdir()
    other = pins / "v999"
    with busy(world) as stream:
        world.daemon.kill()
        own.rename(other)
        tables = {path.name: path.stat().st_ino for path in other.iterdir()}
        said = world.daemon.refused()
        assert str(other) in said and "linkway down" in said
        stream.moves_on()
        assert {path.name: path.stat().st_ino for path in other.iterdir()} == tables
        assert list(pins.iterdir()) == [other]
        other.rename(own)
        world.daemon.start()
    until(lambda: settled(world), "the packet path at the last revision")


@pytest.mark.skipif(TIMES == 1, reason="it takes some hundred megabytes, and a program of its own: make test-faults")
def test_a_flow_table_with_a_million_flows(world):
    """While it fills, and beside them, all goes on. (What a full one does: crates/fabric/tests/packets/shares.rs.)"""
    pins = Path("/sys/fs/bpf") / world.daemon.name
    with busy(world):
        filling = [binary().parent / "examples/fill_flows", pins, "flows", "1000000"]
        filled = subprocess.run(filling, capture_output=True, text=True, timeout=300 * PATIENCE)
        assert filled.returncode == 0, filled.stderr


def test_a_flood_of_connections(world):
    """Who floods loses by it, and nobody else: what is above the flooder's share is refused, and counted as its own."""
    group = world.aws.group(world.vpc, ("tcp", (0, 65535), "10.0.0.0/24"))
    sink, flooder = (world.daemon.run(world.place, "sleep", "infinity", groups=[group]) for _ in range(2))
    # What is sent there is never answered, not even by a refusal.
    silent = inside(world.daemon, sink, "ip", "route", "add", "blackhole", world.aws.address(flooder))
    assert silent.wait(10) == 0
    end(silent)

    def refused():
        return world.daemon.drops(world.aws.interface(flooder)).get("HalfOpenShare", 0)

    with busy(world) as stream:
        began = time.monotonic()
        flood = inside(world.daemon, flooder, PYTHON, PROGRAMS / "flood.py", world.aws.address(sink))
        try:
            for more in range(1, 5 * TIMES + 1):
                until(lambda: refused() >= more * 10_000, "connections that are refused")
                stream.moves_on()
            said, _ = flood.communicate("", timeout=20)
        finally:
            end(flood)
        opened = int(said) - sum(world.daemon.drops(world.aws.interface(flooder)).values())
        spans = 1 + (time.monotonic() - began) // HALF_OPEN_SECONDS
        assert HALF_OPEN <= opened <= HALF_OPEN * spans, (said, opened, spans)
