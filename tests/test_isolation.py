"""Root inside of a workload sends what it likes: it reaches what the tables allow, and disturbs nobody."""

import contextlib
import ipaddress
import json
import socket
import sys
import time
from types import SimpleNamespace

import pytest

from harness.load import Stream, end, inside, knocking
from harness.service import connect, publish
from harness.wait import until

SEED = time.time_ns() % 1_000_000
# What may be said of a frame that is what it says it is: nothing lets it through.
REFUSED = {"IngressDenied", "NoRoute"}
UNREADABLE = {"Malformed", "UnsupportedProtocol", "LinkHousekeeping", "Fragment"}
# A family of frames, and the reasons that its frames may be dropped for.
FAMILIES = {
    "sources": {"SpoofedSource"},
    "injected": {"SpoofedSource", "UnsupportedProtocol"},
    "macs": {"SpoofedSource", "IngressDenied"},
    "straight": REFUSED | {"NoFlow"},
    "honest": REFUSED | {"NoFlow", "UnsupportedProtocol"},
    "vlan": {"UnsupportedProtocol"},
    "arp": {"SpoofedSource", "NoRoute", "Malformed", "UnsupportedProtocol", "LinkHousekeeping"},
    "nd": {"UnsupportedProtocol", "LinkHousekeeping", "Malformed", "SpoofedSource", "NoRoute", "Fragment", "NoFlow"},
    "dhcp": REFUSED | {"SpoofedSource"},
    "options": REFUSED | {"NoFlow", "Malformed", "UnsupportedProtocol"},
    # Malformed: first ones that are cut off within the header that ports are in.
    "fragments": REFUSED | {"Fragment", "NoFlow", "Malformed"},
    "types": UNREADABLE,
    "inside": REFUSED | {"NoFlow", "UnsupportedProtocol", "NoListener"},
    # Malformed: IPv4's addresses as IPv6's.
    "sources6": {"SpoofedSource", "Malformed"},
    "destinations6": REFUSED | {"NoFlow", "Malformed"},
    "honest6": REFUSED | UNREADABLE | {"NoFlow"},
    "injected6": {"SpoofedSource", "NoFlow"},
    "nd6": {"UnsupportedProtocol", "LinkHousekeeping", "Malformed", "SpoofedSource", "NoRoute"},
    "dhcp6": REFUSED | {"SpoofedSource"},
    "extensions6": REFUSED | UNREADABLE | {"NoFlow"},
    "fragments6": REFUSED | {"Fragment", "NoFlow", "Malformed"},
    "inside6": REFUSED | {"UnsupportedProtocol"},
}
# Who answers questions for neighbours.
ROUTER6 = "fe80::1"
AT_RANDOM = REFUSED | UNREADABLE | {"SpoofedSource", "NoFlow", "NoListener"}


@pytest.fixture
def world(daemon, aws, other, programs):
    """An attacker beside a victim that lets nobody but a friend in; an endpoint for both of those; another account's
    VPC with the same addresses."""
    provider = aws.vpc()
    providers = aws.subnet(provider, "10.0.0.0/24")
    backend = daemon.run(
        providers, "/usr/bin/python3", programs / "echo.py", "7000",
        groups=[aws.group(provider, ("tcp", 7000, "10.0.0.0/16"))], private_ip="10.0.0.50",
    )
    service = publish(aws, [providers], [backend])
    aws.wait_for_targets(service.target_group)

    vpc = aws.vpc()
    subnet = aws.dual_stack_subnet(vpc, "10.0.0.0/24", next(aws.ipv6_range(vpc).subnets(new_prefix=64)))
    friends, closed = aws.group(vpc), aws.group(vpc)
    served = [(protocol, port, friends) for protocol in ("tcp", "udp") for port in (7000, 5432)]
    group = aws.group(vpc, *served)
    serve = f"/usr/bin/python3 {programs}/echo.py 5432 & exec /usr/bin/python3 {programs}/echo.py 7000"
    victim = daemon.run(subnet, "sh", "-c", serve, groups=[group, friends], private_ip="10.0.0.10")
    attacker = daemon.run(subnet, "sleep", "infinity", groups=[closed], private_ip="10.0.0.20")
    friend = daemon.run(subnet, "sleep", "infinity", groups=[friends], private_ip="10.0.0.30")
    endpoint = connect(aws, service, vpc, [subnet], [aws.group(vpc, ("tcp", 7000, friends))])
    aws.wait_for_endpoint(endpoint)

    others = other.vpc()
    place = other.subnet(others, "10.0.0.0/24")
    open_group = other.group(others, ("-1", None, "0.0.0.0/0"))
    stranger = daemon.run(
        place, "/usr/bin/python3", programs / "echo.py", "7000", groups=[open_group], private_ip="10.0.0.60"
    )
    [address] = aws.endpoint_addresses(endpoint).values()
    return SimpleNamespace(
        daemon=daemon, aws=aws, programs=programs, victim=victim, attacker=attacker, friend=friend, stranger=stranger,
        backend=backend, endpoint=address, vpc=vpc, subnet=subnet, closed=closed, interface=aws.interface(attacker),
    )


def described(world, instance):
    """An instance's interface, as the API has it."""
    interface = world.aws.interface(instance)
    [found] = world.aws.ec2.describe_network_interfaces(NetworkInterfaceIds=[interface])["NetworkInterfaces"]
    return found


def mac(world, instance):
    """An instance's MAC."""
    return described(world, instance)["MacAddress"]


def ipv6(world, instance):
    """An instance's IPv6 address."""
    [address] = described(world, instance)["Ipv6Addresses"]
    return address["Ipv6Address"]


def neighbours(world, instance):
    """The MACs that an instance believes its neighbours to have."""
    shown = world.daemon.exec(instance, "ip", "-json", "neighbour", "show", "dev", "eth0", check=True).stdout
    return {entry["lladdr"] for entry in json.loads(shown or "[]") if "lladdr" in entry}


def ipv6_of(world, instance):
    """An instance's own addresses and routes of IPv6, of which router advertisements would make more."""
    shown = [("address", "show", "dev", "eth0"), ("route", "show")]
    return [world.daemon.exec(instance, "ip", "-6", "-json", *what, check=True).stdout for what in shown]


@contextlib.contextmanager
def watched(world, instance, *allowed):
    """Afterwards, nothing has arrived at the instance but what these addresses sent."""
    watcher = inside(world.daemon, instance, "/usr/bin/python3", world.programs / "capture.py", *allowed)
    assert watcher.stdout.readline() == "ready\n"
    try:
        yield
        said, _ = watcher.communicate("", timeout=30)
        found = json.loads(said)
        assert found["wrong"] == [] and found["lost"] == 0, (instance, found)
    finally:
        end(watcher)


class Forger:
    """forge.py at work in the attacker's namespace."""

    def __init__(self, world):
        self.world = world
        self.process = inside(world.daemon, world.attacker, sys.executable, world.programs / "forge.py")
        shown = world.daemon.exec(world.friend, "ss", "-Htn", "state", "established", "dport", "=", ":7000").stdout
        facts = {
            "mac": mac(world, world.attacker), "ip": "10.0.0.20", "victim": "10.0.0.10", "friend": "10.0.0.30",
            "endpoint": world.endpoint, "resolver": "10.0.0.2", "stranger": "10.0.0.60",
            "router": next(iter(neighbours(world, world.victim))), "victim_mac": mac(world, world.victim),
            "ip6": ipv6(world, world.attacker), "victim6": ipv6(world, world.victim), "friend6": ipv6(world, world.friend),
            "ports": [], "ports6": [],
        }
        facts["nobody6"] = str(ipaddress.ip_address(int(ipaddress.ip_address(facts["ip6"])) ^ 0xFFFF))
        for line in shown.splitlines():
            address, port = line.split()[2].rsplit(":", 1)
            facts["ports6" if "[" in address and "ffff" not in address else "ports"].append(int(port))
        assert facts["ports"] and facts["ports6"], shown
        self.process.stdin.write(json.dumps(facts) + "\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "ready\n"

    def send(self, family, count=0):
        """Send a family. Returns how many frames it has, and the reasons that were counted meanwhile."""
        before = self.world.daemon.drops(self.world.interface)
        self.process.stdin.write(f"{family} {SEED} {count}\n")
        self.process.stdin.flush()
        sent = int(self.process.stdout.readline())
        after = self.world.daemon.drops(self.world.interface)
        return sent, {reason: n - before.get(reason, 0) for reason, n in after.items() if n > before.get(reason, 0)}

    def close(self):
        """End it."""
        end(self.process)


@pytest.fixture
def quiet(world):
    """An attacker that is about to begin, while others work and are watched; at the end, nothing has happened to
    them."""
    six = ipv6(world, world.victim)
    served = ("arp", "10.0.0.2", "10.0.0.30", ipv6(world, world.friend), ROUTER6, world.endpoint)
    with contextlib.ExitStack() as stack:
        streams = [
            stack.enter_context(Stream(world.daemon, world.friend, "10.0.0.10")),
            stack.enter_context(Stream(world.daemon, world.friend, six)),
            stack.enter_context(Stream(world.daemon, world.victim, world.endpoint)),
        ]
        for moving in streams:
            moving.moves_on()
        stack.enter_context(watched(world, world.victim, *served))
        stack.enter_context(watched(world, world.friend, "arp", "10.0.0.10", six, ROUTER6))
        stack.enter_context(watched(world, world.stranger))
        stack.enter_context(knocking(world.daemon, world.victim, world.endpoint))
        believed, own = neighbours(world, world.victim), ipv6_of(world, world.victim)
        assert len(believed) == 1, believed
        forger = Forger(world)
        stack.callback(forger.close)
        yield forger
        for moving in streams:
            moving.moves_on()
        assert neighbours(world, world.victim) == believed
        assert ipv6_of(world, world.victim) == own


def test_forged_frames_reach_nobody(quiet):
    """Every family of frames that has a design; each frame is in a counter, for a reason that fits."""
    for family, reasons in FAMILIES.items():
        sent, dropped = quiet.send(family)
        assert sum(dropped.values()) == sent, (family, sent, dropped)
        assert set(dropped) <= reasons, (family, dropped)


def test_frames_at_random_reach_nobody(quiet):
    print(f"seed {SEED}")
    for family, count in (("mutations", 2000), ("noise", 1000)):
        sent, dropped = quiet.send(family, count)
        # A change may have made a question to the router of a frame, or of a refusal one of nothing that is counted.
        assert sent == count and sum(dropped.values()) <= sent and set(dropped) <= AT_RANDOM, (family, dropped)
        assert sum(dropped.values()) > 0.9 * sent, (family, sent, dropped)


def test_what_gets_through_is_seen(world):
    """The tests above can fail: where a rule lets the attacker in, the watcher says so."""
    with Stream(world.daemon, world.friend, "10.0.0.10") as moving:
        moving.moves_on()
        for address, seen in (("10.0.0.10", world.victim), ("10.0.0.30", world.friend)):
            group = world.aws.group(world.vpc, ("udp", 7000, world.closed))
            world.aws.ec2.modify_network_interface_attribute(
                NetworkInterfaceId=world.aws.interface(seen), Groups=[group, *groups_of(world, seen)]
            )
            knock = ("/usr/bin/python3", world.programs / "connect.py", "udp", address, "7000", "1")
            with pytest.raises(AssertionError, match=r"'wrong': \['"), watched(world, seen, "arp", "10.0.0.10"):
                world.daemon.exec(world.attacker, *knock)


def groups_of(world, instance):
    """The security groups that an instance's interface has."""
    return [group["GroupId"] for group in described(world, instance)["Groups"]]


def test_the_daemons_own_servers_take_anything(world):
    """Whatever is sent to the resolver, to instance metadata and to the gateway, they go on answering others."""
    made = world.aws.ec2.create_vpc_endpoint(
        VpcEndpointType="Interface", VpcId=world.vpc, ServiceName="com.amazonaws.us-east-1.sts", SubnetIds=[world.subnet],
        SecurityGroupIds=[world.aws.group(world.vpc, ("tcp", (1, 65535), "10.0.0.0/24"))],
    )["VpcEndpoint"]["VpcEndpointId"]
    world.aws.wait_for_endpoint(made)
    [address] = world.aws.endpoint_addresses(made).values()
    name = "sts.us-east-1.amazonaws.com"

    def answers():
        asked = world.daemon.exec(world.victim, "dig", "+short", "+time=2", "+tries=1", name)
        assert asked.stdout.split() == [address], asked
        for url in (f"https://{name}/", "http://169.254.169.254/latest/meta-data/"):
            got = world.daemon.exec(world.victim, "curl", "-s", "-m", "5", "-o", "/dev/null", "-w", "%{http_code}", url)
            # A request without a signature is answered with where to find more, or refused.
            assert got.stdout in ("200", "302", "403"), (url, got)

    answers()
    servers = ("udp:10.0.0.2:53", "udp:169.254.169.253:53", "tcp:10.0.0.2:53", "tcp:169.254.169.254:80",
               f"tcp:{address}:443", f"tcp:{address}:80")
    print(f"seed {SEED}")
    sending = inside(
        world.daemon, world.attacker, "/usr/bin/python3", world.programs / "garbage.py", str(SEED), "600", *servers
    )
    try:
        until(lambda: answers() or sending.poll() is not None, "the last of the garbage", 60)
        said, _ = sending.communicate(timeout=10)
        assert said.strip() == "600", said
    finally:
        end(sending)
    answers()
    assert world.daemon.process.poll() is None and world.daemon.status()["fault"] is None
