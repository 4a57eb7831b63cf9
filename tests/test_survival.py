"""The packet path outlives the daemon: killed at any moment and started again, it loses no connection."""

import contextlib
import random
import subprocess

import pytest

from harness.load import PROGRAMS, PYTHON, Stream, echo_world, inside, kill_first_process
from harness.netns import Namespace, ip
from harness.wait import PATIENCE, until

ROUNDS = 6


@pytest.fixture
def world(own_daemon):
    """A daemon that keeps its state, an echo server behind an endpoint, and a client beside it."""
    return echo_world(own_daemon(arguments=()).start())


def new_connection(world):
    """What a new connection to the endpoint comes to, without asking the daemon."""
    connecting = inside(world.daemon, world.client, PYTHON, PROGRAMS / "connect.py", "tcp", world.address, "7000")
    said, _ = connecting.communicate(timeout=20 * PATIENCE)
    return said.strip()


def test_killed_again_and_again(world):
    chance = random.Random()
    stream = Stream(world.daemon, world.client, world.address, 4)
    for _ in range(ROUNDS):
        stream.moves_on()
        # Something to be busy with when it is killed: changes whose tables are being written.
        world.aws.ec2.authorize_security_group_ingress(
            GroupId=world.door, IpPermissions=[{
                "IpProtocol": "udp", "FromPort": chance.randrange(1, 60000), "ToPort": 65535,
                "IpRanges": [{"CidrIp": "10.0.0.0/16"}],
            }],
        )
        world.daemon.kill()
        stream.moves_on()
        assert new_connection(world).startswith("echo "), "the endpoint while the daemon is gone"
        world.daemon.start()
        stream.moves_on()
        assert new_connection(world).startswith("echo ")
    stream.finish()
    assert world.aws.endpoint(world.endpoint)["State"] == "available"
    assert world.daemon.status()["fault"] is None


def test_killed_while_it_starts(world):
    chance = random.Random()
    stream = Stream(world.daemon, world.client, world.address, 2)
    world.daemon.kill()
    for _ in range(ROUNDS):
        starting = subprocess.Popen(
            world.daemon.command(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        # How far it gets is left to chance; at most until it says that it is ready.
        try:
            starting.wait(chance.uniform(0.005, 0.6))
        except subprocess.TimeoutExpired:
            starting.kill()
        starting.wait()
        starting.stdout.close()
        stream.moves_on()
        assert new_connection(world).startswith("echo ")
    world.daemon.start()
    stream.finish()
    assert world.daemon.status()["fault"] is None


def test_stopped_cleanly_the_path_stays(world):
    stream = Stream(world.daemon, world.client, world.address, 2)
    stream.moves_on()
    assert world.daemon.stop() == 0
    stream.moves_on()
    assert new_connection(world).startswith("echo ")
    # Nobody is there to be asked; and that is said.
    done = world.daemon.linkway("status", check=False)
    assert done.returncode == 1 and "linkway up" in done.stderr
    world.daemon.start()
    stream.finish()
    assert world.aws.endpoint(world.endpoint)["State"] == "available"


def test_everything_is_there_after_a_restart(world):
    described = world.aws.endpoint(world.endpoint)
    interface = world.aws.interface(world.client)
    world.daemon.kill()
    world.daemon.start()
    assert world.aws.endpoint(world.endpoint) == described
    assert world.aws.interface(world.client) == interface
    done = world.daemon.exec(world.client, "ip", "-brief", "address", "show", "dev", "eth0")
    assert world.aws.address(world.client) in done.stdout
    world.aws.ec2.revoke_security_group_ingress(
        GroupId=world.door,
        IpPermissions=[{"IpProtocol": "tcp", "FromPort": 7000, "ToPort": 7000,
                        "IpRanges": [{"CidrIp": "10.0.0.0/16"}]}],
    )
    assert new_connection(world) == "timeout"


def test_what_ended_meanwhile_is_noticed(world):
    world.daemon.kill()
    kill_first_process(world.daemon, world.server)
    world.daemon.start()

    def state():
        [reservation] = world.aws.ec2.describe_instances(InstanceIds=[world.server])["Reservations"]
        return reservation["Instances"][0]["State"]["Name"]

    until(lambda: state() == "terminated", "the instance terminated")
    until(lambda: f"{world.daemon.name}-{world.server}" not in ip("netns", "list"), "its namespace gone")


def test_an_attached_namespace_survives_too(world):
    with Namespace("box") as box:
        world.daemon.linkway("attach", "--subnet", world.place, "--security-group", world.door, "--netns", box.path)
        world.daemon.kill()
        connecting = box.run("/usr/bin/python3", world.programs / "connect.py", "tcp", world.address, "7000")
        assert connecting.stdout.startswith("echo ")
        world.daemon.start()
        connecting = box.run("/usr/bin/python3", world.programs / "connect.py", "tcp", world.address, "7000")
        assert connecting.stdout.startswith("echo ")


def test_a_namespace_that_is_gone_is_told(world):
    with Namespace("box") as box:
        interface = world.daemon.linkway(
            "attach", "--subnet", world.place, "--security-group", world.door, "--netns", box.path
        ).stdout.strip()
    world.daemon.kill()
    world.daemon.start()
    problems = world.daemon.status()["problems"]
    assert list(problems) == [interface] and box.path in problems[interface]
    # The others are none the worse for it.
    assert new_connection(world).startswith("echo ")
    world.daemon.linkway("detach", interface)
    until(lambda: not world.daemon.status()["problems"], "no problems")


def test_after_down_everything_but_instances_comes_back(world):
    world.daemon.linkway("down", "--name", world.daemon.name)
    assert world.daemon.wait() == 0
    assert world.daemon.name not in ip("netns", "list")
    world.daemon.start()
    world.aws.wait_for_endpoint(world.endpoint)
    assert list(world.aws.endpoint_addresses(world.endpoint).values()) == [world.address]
    states = [
        instance["State"]["Name"]
        for reservation in world.aws.ec2.describe_instances()["Reservations"]
        for instance in reservation["Instances"]
    ]
    assert states == ["terminated", "terminated"]
    # With a target and a client again, the endpoint serves again.
    server = world.daemon.run(
        world.provider_subnet, "/usr/bin/python3", world.programs / "echo.py", "7000", groups=[world.provider_group]
    )
    world.aws.elbv2.register_targets(TargetGroupArn=world.service.target_group, Targets=[{"Id": server}])
    world.aws.wait_for_targets(world.service.target_group)
    world.client = world.daemon.run(world.place, "sleep", "infinity", groups=[world.door])
    assert new_connection(world).startswith("echo ")
    world.daemon.linkway("down", "--delete-state")
    assert not world.daemon.state_dir.exists()


def test_an_instance_that_starts_while_the_daemon_is_killed(world):
    """What `linkway run` has begun is finished or undone, never left half."""
    for delay in (0.0, 0.01, 0.03, 0.06, 0.1):
        running = world.daemon.popen(
            "run", "--subnet", world.place, "--detach", "--", "sleep", "infinity", stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        with contextlib.suppress(subprocess.TimeoutExpired):
            running.wait(delay)
        world.daemon.kill()
        said, _ = running.communicate(timeout=30)
        world.daemon.start()
        if running.returncode == 0:
            assert world.daemon.exec(said.strip(), "true").returncode == 0
        else:
            assert running.returncode == 125 and said == ""

    def settled():
        states = {
            instance["InstanceId"]: instance["State"]["Name"]
            for reservation in world.aws.ec2.describe_instances()["Reservations"]
            for instance in reservation["Instances"]
        }
        alive = {name for name, state in states.items() if state == "running"}
        there = {name for name in states if f"{world.daemon.name}-{name}" in ip("netns", "list")}
        return alive == there and set(states.values()) <= {"running", "terminated"}

    until(settled, "namespaces of running instances, and no others")
