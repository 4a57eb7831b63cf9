"""Packets, end to end: what gets through, what does not, and whether the reason is told."""

import concurrent.futures
import contextlib
import json
import select
import subprocess
from types import SimpleNamespace

import pytest

from harness.aws import permission
from harness.postgres import sql
from harness.service import connect, publish
from harness.wait import until

PIPES = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
CONSUMER = "arn:aws:iam::210987654321:root"


@pytest.fixture
def world(daemon, aws, other, programs):
    """An echo server behind an endpoint, in two VPCs of the same range, of two accounts."""
    vpc = aws.vpc()
    subnet = aws.subnet(vpc, "10.0.0.0/24")
    group = aws.group(vpc, ("tcp", 7000, "10.0.0.0/16"))
    server = daemon.run(subnet, "/usr/bin/python3", programs / "echo.py", "7000", groups=[group])
    service = publish(aws, [subnet], [server])
    service.permit(CONSUMER)
    aws.wait_for_targets(service.target_group)

    consumer = other.vpc()
    place = other.subnet(consumer, "10.0.0.0/24")
    outside = other.subnet(consumer, "10.0.1.0/24")
    members = other.group(consumer, name="members")
    door = other.group(consumer, ("tcp", 7000, members), name="door")
    client = daemon.run(place, "sleep", "infinity", groups=[members], private_ip="10.0.0.100")
    endpoint = connect(other, service, consumer, [place], [door])
    other.wait_for_endpoint(endpoint)
    [address] = other.endpoint_addresses(endpoint).values()
    return SimpleNamespace(
        aws=aws, other=other, daemon=daemon, programs=programs, server=server, service=service, vpc=consumer,
        place=place, outside=outside, members=members, door=door, client=client, endpoint=endpoint, address=address,
        provider_group=group, interface=other.interface(client),
        endpoint_interface=other.endpoint(endpoint)["NetworkInterfaceIds"][0],
    )


def said(world, host, port=7000, protocol="tcp", client=None):
    """What an attempt to reach an echo server comes to, in its words."""
    return world.daemon.exec(
        client or world.client, "/usr/bin/python3", world.programs / "connect.py", protocol, host, port, "1"
    ).stdout.strip()


def reasons(world, attempt):
    """The drop reasons that counted up during an attempt, over all interfaces."""
    before = world.daemon.drops()
    attempt()
    after = world.daemon.drops()
    return {reason for reason, count in after.items() if count > before.get(reason, 0)}


def test_the_endpoint_is_the_only_way(world):
    assert said(world, world.address).startswith("echo ")
    server = world.aws.address(world.server)
    for host, port, reason in [
        (server if server != world.address else "10.0.0.200", 7000, "NoRoute"),
        ("192.0.2.1", 443, "NoRoute"),
        ("8.8.8.8", 53, "NoRoute"),
        (world.address, 7001, "IngressDenied"),
        (world.address, 22, "IngressDenied"),
    ]:
        seen = []
        found = reasons(world, lambda: seen.append(said(world, host, port)))
        assert seen[0] in ("timeout", "refused") and reason in found, (host, port, seen, found)


def test_a_port_without_a_listener(world):
    world.other.ec2.authorize_security_group_ingress(
        GroupId=world.door, IpPermissions=[permission("tcp", 7001, world.members)]
    )
    seen = []
    found = reasons(world, lambda: seen.append(said(world, world.address, 7001)))
    assert seen[0] in ("timeout", "refused") and "NoListener" in found


def test_rules_are_revoked_and_given_back(world):
    rule = [permission("tcp", 7000, world.members)]
    world.other.ec2.revoke_security_group_ingress(GroupId=world.door, IpPermissions=rule)
    seen = []
    assert "IngressDenied" in reasons(world, lambda: seen.append(said(world, world.address)))
    assert seen == ["timeout"]
    world.other.ec2.authorize_security_group_ingress(GroupId=world.door, IpPermissions=rule)
    assert said(world, world.address).startswith("echo ")


@contextlib.contextmanager
def streaming(world):
    """A stream through the endpoint, with bytes coming back."""
    stream = world.daemon.popen(
        "exec", world.client, "--", "/usr/bin/python3", world.programs / "stream.py", world.address, "7000", "1",
        **PIPES,
    )
    try:
        until(lambda: moved(stream) > 0, "bytes that came back")
        yield stream
    finally:
        stream.kill()
        # Of one that was cut and has ended, the pipe may be broken while a question is still in it.
        with contextlib.suppress(BrokenPipeError):
            stream.stdin.close()
        stream.stdout.close()
        stream.wait(10)


def test_a_revoked_rule_stops_what_it_had_let_in(world):
    with streaming(world) as stream:
        world.other.ec2.revoke_security_group_ingress(
            GroupId=world.door, IpPermissions=[permission("tcp", 7000, world.members)]
        )
        assert not keeps_moving(stream)


def moved(stream):
    """Bytes that came back so far."""
    stream.stdin.write("\n")
    stream.stdin.flush()
    return int(stream.stdout.readline())


def keeps_moving(stream):
    """Whether bytes still come back. What was on its way when they stopped is over when two looks agree."""
    try:
        until(lambda: moved(stream) == moved(stream), "the stream at rest", 3)
    except AssertionError:
        return True
    except (ValueError, OSError):
        # It was cut, and said so.
        return False
    return False


def test_who_is_in_no_group_that_the_rule_names(world):
    stranger = world.daemon.run(world.outside, "sleep", "infinity")
    seen = []
    found = reasons(world, lambda: seen.append(said(world, world.address, client=stranger)))
    assert seen == ["timeout"] and "IngressDenied" in found


def test_egress_rules(world):
    everything = [permission("-1", None, "0.0.0.0/0")]
    world.other.ec2.revoke_security_group_egress(GroupId=world.members, IpPermissions=everything)
    seen = []
    found = reasons(world, lambda: seen.append(said(world, world.address)))
    assert seen == ["timeout"] and "EgressDenied" in found
    world.other.ec2.authorize_security_group_egress(
        GroupId=world.members, IpPermissions=[permission("tcp", 7000, "10.0.0.0/16")]
    )
    assert said(world, world.address).startswith("echo ")


def test_the_targets_own_group(world):
    rule = [permission("tcp", 7000, "10.0.0.0/16")]
    world.aws.ec2.revoke_security_group_ingress(GroupId=world.provider_group, IpPermissions=rule)
    seen = []
    found = reasons(world, lambda: seen.append(said(world, world.address)))
    assert seen[0] in ("timeout", "refused") and "TargetDenied" in found


def test_the_balancers_group(daemon, aws, other, programs):
    vpc = aws.vpc()
    subnet = aws.subnet(vpc, "10.0.0.0/24")
    group, front = aws.group(vpc, ("tcp", 7000, "10.0.0.0/16")), aws.group(vpc)
    server = daemon.run(subnet, "/usr/bin/python3", programs / "echo.py", "7000", groups=[group])
    service = publish(aws, [subnet], [server], groups=[front])
    service.permit(CONSUMER)
    aws.wait_for_targets(service.target_group)
    consumer = other.vpc("10.7.0.0/16")
    place = other.subnet(consumer, "10.7.0.0/24")
    endpoint = connect(other, service, consumer, [place], [other.group(consumer, ("tcp", 7000, "10.7.0.0/16"))])
    other.wait_for_endpoint(endpoint)
    [address] = other.endpoint_addresses(endpoint).values()
    client = daemon.run(place, "sleep", "infinity")
    world = SimpleNamespace(daemon=daemon, programs=programs, client=client)

    seen = []
    found = reasons(world, lambda: seen.append(said(world, address)))
    assert seen[0] in ("timeout", "refused") and "BalancerDenied" in found
    # The consumer's addresses, not the endpoint's or the node's, are what a rule has to name.
    aws.ec2.authorize_security_group_ingress(GroupId=front, IpPermissions=[permission("tcp", 7000, "10.7.0.0/24")])
    until(lambda: said(world, address).startswith("echo "), "the balancer's group lets the client in")
    aws.ec2.revoke_security_group_ingress(GroupId=front, IpPermissions=[permission("tcp", 7000, "10.7.0.0/24")])
    until(lambda: not said(world, address).startswith("echo "), "it does so no more")
    aws.elbv2.set_security_groups(
        LoadBalancerArn=service.balancer, SecurityGroups=[front],
        EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic="off",
    )
    until(lambda: said(world, address).startswith("echo "), "it is not asked")


def test_rejecting_cuts_and_accepting_heals(world):
    change = {"ServiceId": world.service.id, "VpcEndpointIds": [world.endpoint]}
    with streaming(world) as stream:
        world.aws.ec2.reject_vpc_endpoint_connections(**change)
        assert not keeps_moving(stream)
    seen = []
    found = reasons(world, lambda: seen.append(said(world, world.address)))
    assert seen[0] in ("timeout", "refused") and "EndpointUnavailable" in found
    world.aws.ec2.accept_vpc_endpoint_connections(**change)
    world.other.wait_for_endpoint(world.endpoint)
    assert said(world, world.address).startswith("echo ")


def test_a_deleted_endpoint_is_no_way_any_more(world):
    world.other.ec2.delete_vpc_endpoints(VpcEndpointIds=[world.endpoint])
    until(lambda: said(world, world.address) in ("timeout", "refused"), "no answer from the endpoint")


def test_a_provider_cannot_reach_a_consumer(world):
    found = reasons(world, lambda: said(world, "10.0.0.100", client=world.server))
    assert "NoRoute" in found


def test_neighbours(world):
    """Inside a VPC: TCP, UDP and echo, from subnet to subnet, where groups allow it."""
    open_group = world.other.group(world.vpc, ("-1", None, "10.0.0.0/16"))
    here, there = (
        world.daemon.run(subnet, "/usr/bin/python3", world.programs / "echo.py", "7000", groups=[open_group])
        for subnet in (world.place, world.outside)
    )
    address = world.other.address(there)
    until(lambda: said(world, address, client=here).startswith("echo "), "an echo by TCP")
    assert said(world, address, protocol="udp", client=here) == "echoed"
    assert world.daemon.exec(here, "ping", "-c", "2", "-i", "0.2", "-W", "1", address).returncode == 0
    # The group of the client allows nothing in, so nothing but answers comes back.
    assert world.daemon.exec(here, "ping", "-c", "1", "-W", "1", "10.0.0.100").returncode == 1


def test_a_forged_source(world):
    """A workload's root may say what it likes; packets leave with its own address only."""
    forge = "ip address add 10.0.0.101/32 dev eth0 && ping -c 1 -W 1 -I 10.0.0.101 " + world.address
    found = reasons(world, lambda: world.daemon.exec(world.client, "sh", "-c", forge))
    assert "SpoofedSource" in found


def test_drops_are_followed(world):
    follower = world.daemon.popen("drops", "--follow", "--output", "json", stdout=subprocess.PIPE)
    with follower:
        # Whether it listens yet cannot be seen, so it is tried until it does.
        def event():
            said(world, world.address, 7001)
            if select.select([follower.stdout], [], [], 0.5)[0]:
                return json.loads(follower.stdout.readline())
            return None

        dropped = until(event, "an event")
        follower.kill()
    assert dropped["reason"] == "IngressDenied" and dropped["protocol"] == "tcp"
    assert dropped["source"].startswith("10.0.0.100:") and dropped["destination"] == f"{world.address}:7001"
    assert world.interface in (dropped["interface"], dropped["other"])


def test_status_tells_what_is_there(world):
    status = world.daemon.status()
    assert status["endpoints"] == {"available": 1} and status["targets"] == {"healthy": 1}
    assert status["instances"]["running"] == 2 and status["fault"] is None
    assert status["revision"] == status["applied"]
    said(world, world.address, 22)
    # The table has the largest drops only, and other tests' instances have theirs.
    drops = world.daemon.status()["drops"]
    assert any(drop["reason"] == "IngressDenied" and drop["of"] == world.client for drop in drops), drops
    table = world.daemon.linkway("status").stdout
    assert "healthy, at revision" in table
    assert max(drops, key=lambda drop: drop["packets"])["reason"] in table


def test_many_connections_at_once(world):
    """More connections than a client has ports in use at once, one after the other and 50 side by side."""
    program = (
        "import asyncio, sys\n"
        "async def one():\n"
        "    r, w = await asyncio.open_connection(sys.argv[1], 7000)\n"
        "    await r.readline(); w.write(b'x' * 1000); got = await r.readexactly(1000); w.close()\n"
        "    return len(got)\n"
        "async def main():\n"
        "    total = 0\n"
        "    for _ in range(40): total += sum(await asyncio.gather(*(one() for _ in range(50))))\n"
        "    print(total)\n"
        "asyncio.run(main())\n"
    )
    done = world.daemon.exec(world.client, "/usr/bin/python3", "-c", program, world.address)
    assert done.stdout.strip() == "2000000", done.stderr


def test_postgres_behind_an_endpoint(daemon, aws, other, postgres):
    vpc = aws.vpc()
    subnet = aws.subnet(vpc, "10.0.0.0/24")
    group = aws.group(vpc, ("tcp", 5432, "10.0.0.0/16"))
    database = daemon.run(subnet, *postgres.command(), groups=[group])
    service = publish(aws, [subnet], [database], port=5432)
    service.permit(CONSUMER)
    aws.wait_for_targets(service.target_group)
    consumer = other.vpc()
    place = other.subnet(consumer, "10.0.0.0/24")
    door = other.group(consumer, ("tcp", 5432, "10.0.0.0/16"))
    endpoint = connect(other, service, consumer, [place], [door])
    client = daemon.run(place, "sleep", "infinity", groups=[door])
    name = other.wait_for_endpoint(endpoint)["DnsEntries"][0]["DnsName"]
    done = daemon.exec(client, *sql(name, "SELECT name FROM items ORDER BY id"))
    assert done.stdout.split() == ["lamp", "chair", "teapot"], done.stderr
    # A row that takes many full frames.
    done = daemon.exec(client, *sql(name, "SELECT md5(repeat('linkway', 3000000)), length(repeat('x', 5000000))"))
    assert done.stdout.strip().endswith("|5000000")
    done = daemon.exec(client, *sql(name, "SELECT repeat('y', 5000000)"))
    assert done.stdout.strip() == "y" * 5000000


def test_a_name_that_resolves_leads_somewhere(world):
    """No name goes live before packets to its address are delivered: the first connection works, every time."""
    program = (
        "import socket, sys, time\n"
        "deadline = time.monotonic() + 20\n"
        "while True:\n"
        "    try:\n"
        "        address = socket.gethostbyname(sys.argv[1])\n"
        "        break\n"
        "    except OSError:\n"
        "        assert time.monotonic() < deadline, 'no such name'\n"
        "with socket.create_connection((address, 7000), 2) as client:\n"
        "    print(client.makefile().readline())\n"
    )
    for _ in range(8):
        made = world.other.ec2.create_vpc_endpoint(
            VpcEndpointType="Interface", VpcId=world.vpc, ServiceName=world.service.name, PrivateDnsEnabled=False,
            SubnetIds=[world.outside], SecurityGroupIds=[world.door],
        )["VpcEndpoint"]
        done = world.daemon.exec(world.client, "/usr/bin/python3", "-c", program, made["DnsEntries"][0]["DnsName"])
        assert done.stdout.startswith("echo "), done.stderr
        world.other.ec2.delete_vpc_endpoints(VpcEndpointIds=[made["VpcEndpointId"]])


def test_changes_around_it_open_no_hole(world):
    """While other endpoints, rules, targets and instances come and go, every connection to this one works."""
    knocking = world.daemon.popen(
        "exec", world.client, "--", "/usr/bin/python3", world.programs / "knock.py", world.address, "7000", **PIPES
    )
    subnet = world.aws.ec2.describe_instances(InstanceIds=[world.server])["Reservations"][0]["Instances"][0]["SubnetId"]
    second = world.daemon.run(
        subnet, "/usr/bin/python3", world.programs / "echo.py", "7000", groups=[world.provider_group]
    )
    target = {"TargetGroupArn": world.service.target_group, "Targets": [{"Id": second}]}
    world.aws.elbv2.modify_target_group_attributes(
        TargetGroupArn=world.service.target_group,
        Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "0"}],
    )

    def endpoints(_):
        made = connect(world.other, world.service, world.vpc, [world.outside], [world.door])
        world.other.wait_for_endpoint(made)
        world.other.ec2.delete_vpc_endpoints(VpcEndpointIds=[made])

    def rules(number):
        rule = [permission("tcp", 20000 + number, world.members)]
        world.other.ec2.authorize_security_group_ingress(GroupId=world.door, IpPermissions=rule)
        world.other.ec2.revoke_security_group_ingress(GroupId=world.door, IpPermissions=rule)

    def targets(_):
        # Its server listens by now or not at all: a target that has not been checked gets no connection.
        world.aws.elbv2.register_targets(**target)
        world.aws.elbv2.deregister_targets(**target)

    def instances(_):
        world.daemon.linkway("run", "--subnet", world.outside, "--", "true")

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        changes = [
            pool.submit(change, number) for number in range(50) for change in (endpoints, rules, targets, instances)
        ]
        for change in changes:
            change.result()
    answered, _ = knocking.communicate(timeout=30)
    assert knocking.returncode == 0 and int(answered) > 100

    def settled():
        status = world.daemon.status()
        assert status["fault"] is None and status["problems"] == {}
        return status["revision"] == status["applied"]

    until(settled, "the packet path at the last revision")
