"""Ways out of a VPC: internet and NAT gateways, by a daemon whose host is a namespace of the test's.

    instance ── VPC ── host ── up0 ──── 203.0.113.0/24 ──── the internet: 198.51.100.9, an echo server
                        │  └── side0 ── 192.0.2.0/24 ────── what is beyond another device: 192.0.2.9, another
                        └── 0.0.0.0:7000: the host's own
"""

import contextlib
import json
import shlex
from types import SimpleNamespace

import pytest

from harness.aws import Account
from harness.daemon import Daemon
from harness.netns import Namespace
from harness.wait import until

ALL = "0.0.0.0/0"
FAR = "198.51.100.9"
ASIDE = "192.0.2.9"
HOST = "203.0.113.2"
# Of the host itself, but of no device that leads anywhere; and what is its neighbour on the uplink.
HOST_TOO = "198.51.100.77"
ROUTER = "203.0.113.1"


def link(left, right, name, network):
    """A pair of devices between two namespaces, .2 and .1 of a network."""
    left.ip("link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", right.name)
    for namespace, device, number in ((left, name, 2), (right, "eth0", 1)):
        namespace.ip("address", "add", f"{network}.{number}/24", "dev", device)
        namespace.ip("link", "set", device, "up")


@pytest.fixture
def site(programs):
    """The host, and what is around it. The test is in the host's namespace meanwhile."""
    with contextlib.ExitStack() as stack:
        host, far, aside = (stack.enter_context(Namespace(name)) for name in ("host", "far", "aside"))
        link(host, far, "up0", "203.0.113")
        link(host, aside, "side0", "192.0.2")
        host.ip("route", "add", "default", "via", ROUTER)
        host.ip("address", "add", f"{HOST_TOO}/32", "dev", "lo")
        far.ip("address", "add", f"{FAR}/32", "dev", "lo")
        # Datagrams are answered from where they came to.
        far.ip("route", "change", "203.0.113.0/24", "dev", "eth0", "src", FAR)
        aside.ip("address", "add", f"{ASIDE}/32", "dev", "eth0")
        for namespace in (host, far, aside):
            namespace.start("/usr/bin/python3", programs / "echo.py", "7000")
            until(lambda: namespace.listens(7000), f"an echo server in {namespace.name}")
        stack.enter_context(host.entered())
        yield SimpleNamespace(host=host, far=far, aside=aside, programs=programs)


@pytest.fixture
def start(site):
    """Starts a daemon on that host; with the same name and state directory, once more."""
    made = []

    def start(*arguments, uplink="up0", **options):
        options = {"arguments": [*arguments, "--upstream", "none"], **options}
        if uplink:
            options["arguments"] += ["--uplink", uplink]
        daemon = Daemon(prefix=["nsenter", f"--net={site.host.path}"], **options)
        made.append(daemon)
        return daemon

    yield start
    for daemon in made:
        daemon.down()


def network(daemon, programs):
    """A VPC with a public subnet, a private one, and an instance in each; and what leads out of both."""
    aws = Account.first(daemon)
    ec2, vpc = aws.ec2, aws.vpc()
    public, private = aws.subnet(vpc, "10.0.0.0/24"), aws.subnet(vpc, "10.0.1.0/24")
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    tables = [table(aws, vpc, subnet) for subnet in (public, private)]
    ec2.create_route(RouteTableId=tables[0], DestinationCidrBlock=ALL, GatewayId=gateway)
    nat = nat_gateway(aws, public)
    ec2.create_route(RouteTableId=tables[1], DestinationCidrBlock=ALL, NatGatewayId=nat)
    group = aws.group(vpc)
    front, back = (daemon.run(subnet, "sleep", "infinity", groups=[group]) for subnet in (public, private))
    return SimpleNamespace(
        daemon=daemon, programs=programs, aws=aws, ec2=ec2, vpc=vpc, public=public, private=private, gateway=gateway,
        tables=tables, nat=nat, group=group, front=front, back=back,
    )


def table(aws, vpc, subnet):
    made = aws.ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    aws.ec2.associate_route_table(RouteTableId=made, SubnetId=subnet)
    return made


def nat_gateway(aws, subnet, public=True):
    """An available NAT gateway."""
    options = {"AllocationId": aws.ec2.allocate_address(Domain="vpc")["AllocationId"]} if public else {}
    options |= {} if public else {"ConnectivityType": "private"}
    made = aws.ec2.create_nat_gateway(SubnetId=subnet, **options)["NatGateway"]["NatGatewayId"]
    waiter = aws.ec2.get_waiter("nat_gateway_available")
    waiter.wait(NatGatewayIds=[made], WaiterConfig={"Delay": 1, "MaxAttempts": 20})
    return made


@pytest.fixture
def world(site, start):
    daemon = start("--ephemeral").start()
    return network(daemon, site.programs)


def settled(daemon):
    status = daemon.status()
    return status["revision"] == status["applied"]


def said(world, instance, host, port=7000, protocol="tcp"):
    """What an attempt to reach an echo server comes to, in its words."""
    until(lambda: settled(world.daemon), "the packet path at the last revision")
    program = world.programs / "connect.py"
    return world.daemon.exec(instance, "/usr/bin/python3", program, protocol, host, port, "1").stdout.strip()


def reaches(world, instance, host=FAR):
    """See that an echo server beyond the uplink answers, to the host's own address."""
    assert said(world, instance, host) == f"echo {HOST}"


def dropped(world, instance, reason, host=FAR):
    """See that nothing answers, and that the reason is told."""
    before = world.daemon.drops().get(reason, 0)
    assert said(world, instance, host) == "timeout"
    assert world.daemon.drops().get(reason, 0) > before, world.daemon.drops()


def asked(site, namespace, host, port=7000):
    """The same from a namespace."""
    program = site.programs / "connect.py"
    done = namespace.run("/usr/bin/python3", program, "tcp", host, port, "1", check=False)
    return done.stdout.strip()


def rules(site):
    """The lines of the host's rules."""
    return site.host.run("nft", "list", "ruleset").stdout.splitlines()


def uplink_address(site):
    """Where answers come to, on the host."""
    [address] = [line.split()[0] for line in site.host.ip("route").splitlines() if line.startswith("241.")]
    return address


def gateways(world):
    """Connections, and bytes both ways, by gateway: `linkway status`."""
    rows = world.daemon.status()["gateways"]
    return {
        row["of"] if row["of"].startswith("nat-") else row["interface"]:
            (row["connections"], row["bytes_in"], row["bytes_out"])
        for row in rows
    }


def remembered(site, protocol):
    """For how many seconds more the host remembers ways of a protocol."""
    lines = site.host.run("cat", "/proc/net/nf_conntrack").stdout.splitlines()
    return [int(line.split()[4]) for line in lines if line.split()[2] == protocol]


def test_a_private_subnet_goes_out_through_its_nat_gateway(site, world):
    reaches(world, world.back)
    assert said(world, world.back, FAR, protocol="udp") == "echoed"
    [left] = remembered(site, "udp")
    assert left > 300, "as long as the packet path does"
    assert world.daemon.exec(world.back, "ping", "-c", "2", "-i", "0.2", "-W", "2", FAR).returncode == 0
    connections, sent, received = gateways(world)[world.nat]
    assert connections == 3 and sent > 300 and received > 300
    status = world.daemon.status()
    assert status["ways"] == {
        "endpoints": 0, "nat_gateways": sent + received, "internet_gateways": 0, "no_uplink": 0,
    }
    text = world.daemon.linkway("status").stdout
    assert "uplink    up0\n" in text and f"{sent + received} through NAT gateways" in text and world.nat in text


def test_an_internet_gateway_takes_what_has_an_elastic_address(world):
    dropped(world, world.front, "NoPublicAddress")
    allocation = world.ec2.allocate_address(Domain="vpc")["AllocationId"]
    association = world.ec2.associate_address(AllocationId=allocation, InstanceId=world.front)["AssociationId"]
    reaches(world, world.front)
    assert gateways(world)[world.gateway][0] == 1
    assert world.daemon.status()["ways"]["internet_gateways"] > 300
    world.ec2.disassociate_address(AssociationId=association)
    dropped(world, world.front, "NoPublicAddress")


def test_a_nat_gateway_needs_an_internet_gateway_and_an_address(world):
    # Its own subnet leads nowhere, or to itself.
    world.ec2.delete_route(RouteTableId=world.tables[0], DestinationCidrBlock=ALL)
    dropped(world, world.back, "NoRoute")
    world.ec2.create_route(RouteTableId=world.tables[0], DestinationCidrBlock=ALL, NatGatewayId=world.nat)
    dropped(world, world.back, "NoUplink")
    world.ec2.replace_route(RouteTableId=world.tables[0], DestinationCidrBlock=ALL, GatewayId=world.gateway)
    reaches(world, world.back)
    # A private one gets as far as the internet gateway.
    private = nat_gateway(world.aws, world.public, public=False)
    world.ec2.replace_route(RouteTableId=world.tables[1], DestinationCidrBlock=ALL, NatGatewayId=private)
    dropped(world, world.back, "NoPublicAddress")
    world.ec2.delete_nat_gateway(NatGatewayId=private)
    world.ec2.get_waiter("nat_gateway_deleted").wait(
        NatGatewayIds=[private], WaiterConfig={"Delay": 1, "MaxAttempts": 20}
    )
    dropped(world, world.back, "BlackholeRoute")


def test_groups_and_acls_are_asked(world):
    everything = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": ALL}]}]
    world.ec2.revoke_security_group_egress(GroupId=world.group, IpPermissions=everything)
    dropped(world, world.back, "EgressDenied")
    world.ec2.authorize_security_group_egress(GroupId=world.group, IpPermissions=everything)
    reaches(world, world.back)
    # The NAT gateway's subnet is entered on the way, and left.
    filters = [{"Name": "association.subnet-id", "Values": [world.public]}]
    [acl] = world.ec2.describe_network_acls(Filters=filters)["NetworkAcls"]
    [association] = [found for found in acl["Associations"] if found["SubnetId"] == world.public]
    made = world.ec2.create_network_acl(VpcId=world.vpc)["NetworkAcl"]["NetworkAclId"]
    world.ec2.replace_network_acl_association(
        AssociationId=association["NetworkAclAssociationId"], NetworkAclId=made
    )

    def allow(egress, number, cidr):
        world.ec2.create_network_acl_entry(
            NetworkAclId=made, RuleNumber=number, Egress=egress, RuleAction="allow", Protocol="-1", CidrBlock=cidr
        )

    dropped(world, world.back, "AclIngressDenied")
    allow(False, 100, "10.0.1.0/24")
    dropped(world, world.back, "AclEgressDenied")
    allow(True, 100, ALL)
    # Answers enter it, too.
    dropped(world, world.back, "AclIngressDenied")
    allow(False, 110, f"{FAR}/32")
    reaches(world, world.back)


def test_the_host_itself_is_out_of_reach(site, world):
    """Whoever holds a key can start a workload: it must not get to what listens on the host, nor where it is routed."""
    port = int(world.daemon.url.rsplit(":", 1)[1])
    assert site.host.listens(port)
    assert all(asked(site, *way).startswith("echo") for way in ((site.far, HOST), (site.host, ASIDE)))
    for host in (HOST, HOST_TOO, ASIDE, "192.0.2.2"):
        for at, protocol in ((7000, "tcp"), (7000, "udp"), (port, "tcp")):
            assert said(world, world.back, host, at, protocol) == "timeout", (host, at, protocol)
        assert world.daemon.exec(world.back, "ping", "-c", "1", "-W", "1", host).returncode != 0, host
    for host in ("169.254.169.253", "169.254.1.1", "127.0.0.1"):
        assert said(world, world.back, host) in ("timeout", "refused"), host
    for host in ("10.9.0.1", "172.16.0.2", "192.168.1.1", "100.64.0.1", "198.18.0.1"):
        dropped(world, world.back, "PrivateDestination", host)
    # The neighbours of the uplink are beyond it.
    reaches(world, world.back, ROUTER)


def test_with_the_hosts_rules_gone_nothing_gets_out_or_in(site, world):
    reaches(world, world.back)
    answers = uplink_address(site)
    site.host.run("nft", "flush", "ruleset")
    for host in (FAR, HOST, HOST_TOO, ASIDE):
        for protocol in ("tcp", "udp"):
            assert said(world, world.back, host, protocol=protocol) == "timeout", (host, protocol)
        assert world.daemon.exec(world.back, "ping", "-c", "1", "-W", "1", host).returncode != 0, host
    # It is the address that they come from which keeps them out.
    site.host.run("nft", "-f", "-", input=f"""
        table ip control {{
            chain prerouting {{
                type filter hook prerouting priority raw; policy accept;
                iifname "lkw-*" ip saddr set {answers}
            }}
        }}""")
    assert said(world, world.back, HOST) == f"echo {answers}"


def test_the_hosts_own_translations_lead_no_one_in(site, world):
    """What is published from the host, as containers are, is nobody's in a VPC."""
    site.host.run("nft", "-f", "-", input="""
        table ip published {
            chain prerouting {
                type nat hook prerouting priority dstnat; policy accept;
                tcp dport 7001 dnat to 192.0.2.9:7000
                tcp dport 7002 redirect to :7000
            }
        }""")
    site.host.run("sysctl", "-qw", "net.ipv4.ip_forward=1")
    assert asked(site, site.far, HOST, 7002).startswith("echo")
    for port in (7001, 7002):
        for host in (FAR, HOST):
            assert said(world, world.back, host, port) == "timeout", (host, port)


def test_nothing_comes_in(site, world):
    allocation = world.ec2.allocate_address(Domain="vpc")
    world.ec2.associate_address(AllocationId=allocation["AllocationId"], InstanceId=world.front)
    world.ec2.authorize_security_group_ingress(
        GroupId=world.group, IpPermissions=[{"IpProtocol": "-1", "IpRanges": [{"CidrIp": ALL}]}]
    )
    reaches(world, world.front)
    inside = uplink_address(site)
    for network in ("241.0.0.0/8", "10.0.0.0/8", "198.18.0.0/15"):
        site.far.ip("route", "add", network, "via", HOST)
    for host in (inside, world.aws.address(world.front), allocation["PublicIp"]):
        assert asked(site, site.far, host) == "timeout", host
    [rule] = [line for line in rules(site) if "ct state" in line]
    assert "packets 0 " not in rule
    # The host has not become a router either.
    site.far.ip("route", "add", "192.0.2.0/24", "via", HOST)
    site.aside.ip("route", "add", "203.0.113.0/24", "via", "192.0.2.2")
    assert asked(site, site.far, ASIDE) == "timeout"
    [rule] = [line for line in rules(site) if '!= "lkw-*"' in line]
    assert "packets 0 " not in rule


def test_a_long_transfer_fits_through_the_uplink(site, world):
    """Workloads have a larger MTU than the uplink."""
    server = "import http.server\nclass H(http.server.BaseHTTPRequestHandler):\n" \
        " def do_GET(self):\n  self.send_response(200); self.end_headers(); self.wfile.write(bytes(20000000))\n" \
        " def do_POST(self):\n  n = int(self.headers['Content-Length']); got = len(self.rfile.read(n))\n" \
        "  self.send_response(200); self.end_headers(); self.wfile.write(str(got).encode())\n" \
        " def log_message(self, *a): pass\n" \
        "http.server.ThreadingHTTPServer(('0.0.0.0', 80), H).serve_forever()"
    site.far.start("/usr/bin/python3", "-c", server)
    until(lambda: site.far.listens(80), "an HTTP server")
    down = world.daemon.exec(world.back, "sh", "-c", f"curl -sS -m 20 http://{FAR}/ | wc -c", check=True)
    assert down.stdout.strip() == "20000000"
    up = world.daemon.exec(
        world.back, "sh", "-c", f"head -c 5000000 /dev/zero | curl -sS -m 20 --data-binary @- http://{FAR}/", check=True
    )
    assert up.stdout == "5000000"
    _, sent, received = gateways(world)[world.nat]
    assert 5_000_000 < sent < 6_500_000 and 20_000_000 < received < 22_000_000


def test_vpcs_of_the_same_range_do_not_meet(site, world):
    other = network(world.daemon, site.programs)
    for one in (world, other):
        reaches(one, one.back)
        assert gateways(one)[one.nat][0] == 1


def test_what_a_nat_gateway_carried_an_endpoint_takes_over(world):
    """The comparison that is wanted: a service of AWS's, past its endpoint, and then through it."""
    s3 = "52.216.0.9"
    unused = world.ec2.create_route_table(VpcId=world.vpc)["RouteTable"]["RouteTableId"]
    endpoint = world.ec2.create_vpc_endpoint(
        VpcEndpointType="Gateway", VpcId=world.vpc, ServiceName="com.amazonaws.us-east-1.s3",
        RouteTableIds=[unused],
    )["VpcEndpoint"]["VpcEndpointId"]
    world.aws.wait_for_endpoint(endpoint)
    assert said(world, world.back, s3, 443) == "timeout"
    before = world.daemon.status()["ways"]
    assert before["nat_gateways"] > 0 and before["endpoints"] == 0

    def advice():
        found = world.daemon.linkway("advise", endpoint, "--output", "json", check=False)
        return [finding for finding in json.loads(found.stdout) if finding["id"] == "past-endpoint"]

    [finding] = advice()
    for leads, where in zip(world.tables, (world.gateway, world.nat)):
        assert f"{leads} to {where}" in finding["message"]
    done = world.aws.cli(*shlex.split(finding["command"])[1:])
    assert done.returncode == 0, done.stderr
    assert advice() == []
    # The gateway takes the connection, and waits for a TLS client to begin.
    assert said(world, world.back, s3, 443) == "timeout"
    after = world.daemon.status()
    assert after["ways"]["endpoints"] > 0 and after["ways"]["nat_gateways"] == before["nat_gateways"]
    [row] = after["traffic"]
    assert (row["interface"], row["of"], row["connections"]) == (endpoint, world.vpc, 1)


def test_without_an_uplink_it_says_what_would_have_gone(site, start):
    world = network(start("--ephemeral", uplink=None).start(), site.programs)
    dropped(world, world.back, "NoUplink")
    ways = world.daemon.status()["ways"]
    assert ways["no_uplink"] > 60 and ways["nat_gateways"] == 0
    text = world.daemon.linkway("status").stdout
    assert "uplink    none\n" in text and f"{ways['no_uplink']} dropped for want of an uplink" in text
    assert "lkw-" not in site.host.ip("link") and rules(site) == []


def test_it_stays_with_the_packet_path_and_goes_with_it(site, start):
    def traces():
        forwarding = site.host.run("sysctl", "-n", "net.ipv4.conf.up0.forwarding").stdout.strip()
        tables = any("table inet linkway-" in line for line in rules(site))
        return "lkw-" in site.host.ip("link"), tables, forwarding, "241." in site.host.ip("route")

    nothing, all_of_it = (False, False, "0", False), (True, True, "1", True)
    daemon = start().start()
    world = network(daemon, site.programs)
    assert traces() == all_of_it
    reaches(world, world.back)
    daemon.kill()
    assert traces() == all_of_it
    # Another on the host, which needs forwarding as well.
    other = start("--ephemeral").start()
    daemon.start()
    reaches(world, world.back)
    other.down()
    assert traces() == all_of_it
    reaches(world, world.back)
    # Started without it, the way is gone; with it, back.
    daemon.stop()
    daemon.arguments = [word for word in daemon.arguments if word not in ("--uplink", "up0")]
    daemon.start()
    assert traces() == nothing
    dropped(world, world.back, "NoUplink")
    daemon.stop()
    daemon.arguments += ["--uplink", "up0"]
    daemon.start()
    reaches(world, world.back)
    daemon.linkway("down")
    assert traces() == nothing


@pytest.mark.parametrize("device", ["nowhere0", "lo", "up0; flush"])
def test_what_is_no_uplink_is_refused(start, device):
    assert f"--uplink {device}: this host has no such network device" in start("--ephemeral", uplink=device).refused()
