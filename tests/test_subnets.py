"""What lies between subnets, by its packets: network ACLs and route tables."""

import json
import select
import shlex
import subprocess
from types import SimpleNamespace

import pytest

from harness.service import connect, publish
from harness.wait import until
from test_traffic import CONSUMER, moved, reasons, said, streaming

ALL = "0.0.0.0/0"
EPHEMERAL = (1024, 65535)


@pytest.fixture
def world(daemon, aws, other, programs):
    """An echo server behind an endpoint. The balancer and its target, the client and the endpoint: each has a
    subnet of its own."""
    vpc = aws.vpc()
    front, back = aws.subnet(vpc, "10.0.0.0/24"), aws.subnet(vpc, "10.0.1.0/24")
    group = aws.group(vpc, ("tcp", 7000, "10.0.0.0/16"))
    server = daemon.run(back, "/usr/bin/python3", programs / "echo.py", "7000", groups=[group])
    service = publish(aws, [front], [server])
    service.permit(CONSUMER)
    aws.wait_for_targets(service.target_group)

    consumer = other.vpc()
    place, door = other.subnet(consumer, "10.0.0.0/24"), other.subnet(consumer, "10.0.1.0/24")
    open_group = other.group(consumer, ("-1", None, "10.0.0.0/16"))
    client = daemon.run(place, "sleep", "infinity", groups=[open_group])
    endpoint = connect(other, service, consumer, [door], [open_group])
    name = other.wait_for_endpoint(endpoint)["DnsEntries"][0]["DnsName"]
    [address] = other.endpoint_addresses(endpoint).values()
    return SimpleNamespace(
        aws=aws, other=other, daemon=daemon, programs=programs, server=server, service=service, provider=vpc,
        endpoint=endpoint,
        front=front, back=back, vpc=consumer, place=place, door=door, client=client, address=address, name=name,
        group=open_group,
    )


def acl(account, vpc, *entries):
    """A network ACL. Each of `entries` is (number, way, action, protocol, ports or None, CIDR)."""
    made = account.ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    for entry in entries:
        put(account, made, *entry)
    return made


def put(account, network_acl, number, way, action, protocol="-1", ports=None, cidr=ALL, call="create"):
    """Make an entry of an ACL, or replace it."""
    options = {"PortRange": {"From": ports[0], "To": ports[1]}} if ports else {}
    getattr(account.ec2, f"{call}_network_acl_entry")(
        NetworkAclId=network_acl, RuleNumber=number, Egress=way == "out", RuleAction=action, Protocol=protocol,
        CidrBlock=cidr, **options,
    )


def use(account, subnet, network_acl):
    """Have a subnet use an ACL. Returns the one that it had."""
    filters = [{"Name": "association.subnet-id", "Values": [subnet]}]
    [had] = account.ec2.describe_network_acls(Filters=filters)["NetworkAcls"]
    [association] = [found for found in had["Associations"] if found["SubnetId"] == subnet]
    account.ec2.replace_network_acl_association(
        AssociationId=association["NetworkAclAssociationId"], NetworkAclId=network_acl
    )
    return had["NetworkAclId"]


def settled(world):
    """Wait until packets follow all that was asked for."""

    def follows():
        status = world.daemon.status()
        return status["revision"] == status["applied"]

    until(follows, "the packet path at the last revision")


def reached(world, host=None, **options):
    """Whether an echo server answers."""
    settled(world)
    return said(world, host or world.address, **options).startswith("echo")


def denied(world, reason, host=None, **options):
    """See that no echo server answers, and that the reason is told."""
    answers = []
    found = reasons(world, lambda: answers.append(reached(world, host, **options)))
    assert answers == [False] and reason in found, (answers, found)


def followed(world, attempt):
    """What is told of the packets that an attempt loses: the network ACL or the route table that decided on each."""
    settled(world)
    follower = world.daemon.popen("drops", "--follow", "--output", "json", stdout=subprocess.PIPE)
    with follower:
        # Whether it listens yet cannot be seen, so it is tried until it does.
        def deciders():
            attempt()
            found = set()
            while select.select([follower.stdout], [], [], 0.5)[0]:
                event = json.loads(follower.stdout.readline())
                found |= {json.dumps(event["decider"], sort_keys=True)} if event["decider"] else set()
            return found

        try:
            return until(deciders, "a drop that is told with what decided")
        finally:
            follower.kill()


def by(kind, **decider):
    """The decider of a drop, as it is told."""
    return json.dumps({kind: decider}, sort_keys=True)


def advice(world, id):
    """The only finding of the endpoint's with this id; the command that it has is carried out."""
    found = json.loads(world.daemon.linkway("advise", world.endpoint, "--output", "json", check=False).stdout)
    [finding] = [finding for finding in found if finding["id"] == id]
    done = world.other.cli(*shlex.split(finding["command"])[1:])
    assert done.returncode == 0, done.stderr
    return finding


def test_what_decides_is_told_and_the_advice_helps(world):
    ask = lambda: said(world, world.address) and None
    guard = acl(world.other, world.vpc, (100, "in", "deny", "tcp", (7000, 7000)), (300, "in", "allow"),
                (300, "out", "allow", "tcp", (7000, 7000)))
    use(world.other, world.door, guard)
    assert by("network_acl", id=guard, direction="ingress", entry="100") in followed(world, ask)
    assert "by its entry 100" in advice(world, "acl-closed")["message"]
    # In, and now not out.
    assert by("network_acl", id=guard, direction="egress", entry="*") in followed(world, ask)
    assert "denies answers" in advice(world, "acl-closed")["message"]
    assert reached(world)
    table = route_table(world.other, world.vpc, world.place)
    world.other.ec2.create_route(
        RouteTableId=table, DestinationCidrBlock="10.0.1.0/24", NetworkInterfaceId=nowhere(world, world.place)
    )
    assert by("route_table", id=table, route="10.0.1.0/24") in followed(world, ask)
    assert advice(world, "route-astray")["severity"] == "error"
    assert reached(world)
    out = lambda: said(world, "192.0.2.1") and None
    assert by("route_table", id=table, route=None) in followed(world, out)
    # Behind the endpoint: between the balancer's node and its target.
    guard = acl(world.aws, world.provider, (100, "in", "deny", "tcp", (7000, 7000), "10.0.0.0/24"),
                (200, "in", "allow"), (200, "out", "allow"))
    use(world.aws, world.back, guard)
    assert by("network_acl", id=guard, direction="ingress", entry="100") in followed(world, ask)


def test_an_acl_denies_a_port_by_the_order_of_its_numbers(world):
    everything = (300, "in", "allow"), (300, "out", "allow")
    guard = acl(world.other, world.vpc, (100, "in", "deny", "tcp", (7000, 7000)), *everything)
    use(world.other, world.door, guard)
    denied(world, "AclIngressDenied")
    put(world.other, guard, 90, "in", "allow", "tcp", (7000, 7000), "10.0.0.0/24")
    assert reached(world)
    put(world.other, guard, 80, "in", "deny", "tcp", (6999, 7001), "10.0.0.0/25")
    denied(world, "AclIngressDenied")
    # Of another range, it is no matter.
    put(world.other, guard, 80, "in", "deny", "tcp", (6999, 7001), "10.0.1.0/24", call="replace")
    assert reached(world)
    world.other.ec2.delete_network_acl_entry(NetworkAclId=guard, RuleNumber=90, Egress=False)
    denied(world, "AclIngressDenied")


def test_what_leaves_the_senders_subnet(world):
    guard = acl(world.other, world.vpc, (100, "in", "allow"), (100, "out", "allow", "tcp", (443, 443)))
    before = use(world.other, world.place, guard)
    denied(world, "AclEgressDenied")
    put(world.other, guard, 110, "out", "allow", "tcp", (7000, 7000), "10.0.1.0/24")
    assert reached(world)
    world.other.ec2.delete_network_acl_entry(NetworkAclId=guard, RuleNumber=110, Egress=True)
    denied(world, "AclEgressDenied")
    use(world.other, world.place, before)
    assert reached(world)


def test_answers_need_their_ephemeral_ports(world):
    """Both ways, as an ACL remembers nothing: what lets the question in does not let the answer out."""
    guard = acl(
        world.other, world.vpc, (100, "in", "allow", "tcp", (7000, 7000)), (100, "out", "allow", "tcp", (7000, 7000))
    )
    use(world.other, world.door, guard)
    denied(world, "AclEgressDenied")
    put(world.other, guard, 110, "out", "allow", "tcp", EPHEMERAL, "10.0.0.0/24")
    assert reached(world)


def test_the_providers_subnets(world):
    """The target's ACL sees the balancer's address, health checks included."""
    guard = acl(world.aws, world.provider, (100, "in", "deny", "tcp", (7000, 7000), "10.0.0.0/24"),
                (200, "in", "allow"), (200, "out", "allow"))
    before = use(world.aws, world.back, guard)
    denied(world, "AclIngressDenied")
    world.aws.wait_for_targets(world.service.target_group, "unhealthy")
    use(world.aws, world.back, before)
    world.aws.wait_for_targets(world.service.target_group)
    assert reached(world)
    # Answers come back to the balancer's subnet.
    use(world.aws, world.front, acl(world.aws, world.provider, (100, "in", "allow", "tcp", (7000, 7000)),
                                    (100, "out", "allow")))
    denied(world, "AclIngressDenied")


def test_neighbours_and_the_resolver_are_not_asked_about(world):
    use(world.other, world.place, acl(world.other, world.vpc))
    here = world.daemon.run(
        world.place, "/usr/bin/python3", world.programs / "echo.py", "7000", groups=[world.group]
    )
    address = world.other.address(here)
    until(lambda: said(world, address).startswith("echo"), "a neighbour in the same subnet")
    assert said(world, address, protocol="udp") == "echoed"
    assert world.daemon.exec(world.client, "getent", "ahostsv4", world.name).stdout.startswith(world.address)
    denied(world, "AclEgressDenied")


def test_pings_are_let_out_by_type(world):
    there = world.daemon.run(world.door, "sleep", "infinity", groups=[world.group])
    address = world.other.address(there)

    def ping():
        settled(world)
        return world.daemon.exec(world.client, "ping", "-c", "1", "-W", "1", address).returncode == 0

    until(ping, f"{there} answering")
    guard = acl(world.other, world.vpc, (100, "in", "allow"))
    use(world.other, world.door, guard)
    for kind, answered in [(8, False), (0, True)]:
        world.other.ec2.create_network_acl_entry(
            NetworkAclId=guard, RuleNumber=100 + kind, Egress=True, RuleAction="allow", Protocol="1", CidrBlock=ALL,
            IcmpTypeCode={"Type": kind, "Code": -1},
        )
        assert ping() == answered


@pytest.mark.parametrize("way", ["in", "out"])
def test_a_subnet_gets_another_acl_while_a_connection_runs(world, way):
    """What the ACL denies waits, and goes on when it is allowed again: an ACL ends no connection."""
    reason = {"in": "AclIngressDenied", "out": "AclEgressDenied"}[way]
    with streaming(world) as stream:
        opposite = "out" if way == "in" else "in"
        before = use(world.other, world.door, acl(world.other, world.vpc, (100, opposite, "allow")))
        at_rest(world, stream, reason)
        use(world.other, world.door, before)
        goes_on(stream)


def at_rest(world, stream, reason):
    """Wait until a stream has stopped for this reason: nothing came back from one attempt to send to the next."""

    def stopped():
        back, dropped = moved(stream), world.daemon.drops().get(reason, 0)
        until(lambda: world.daemon.drops().get(reason, 0) > dropped, f"a packet that is {reason}")
        return moved(stream) == back

    until(stopped, "the stream at rest")


def goes_on(stream):
    """Wait until a stream has moved on."""
    back = moved(stream)
    until(lambda: moved(stream) > back, "the stream moving again", 20)


def route_table(account, vpc, *subnets):
    """A route table that these subnets use from now on."""
    table = account.ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    for subnet in subnets:
        account.ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    return table


def nowhere(world, subnet):
    """An interface that is attached to nothing: a route to it is a blackhole."""
    made = world.other.ec2.create_network_interface(SubnetId=subnet)
    return made["NetworkInterface"]["NetworkInterfaceId"]


def test_a_route_out_has_the_reason_of_where_it_leads(world):
    ec2 = world.other.ec2
    table = route_table(world.other, world.vpc, world.place)
    denied(world, "NoRoute", "192.0.2.1")
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=world.vpc)
    ec2.create_route(RouteTableId=table, DestinationCidrBlock=ALL, GatewayId=gateway)
    denied(world, "NoUplink", "192.0.2.1")
    ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=world.vpc)
    denied(world, "BlackholeRoute", "192.0.2.1")
    ec2.create_route(
        RouteTableId=table, DestinationCidrBlock="192.0.2.0/24", NetworkInterfaceId=world.other.interface(world.client)
    )
    denied(world, "NotForwarded", "192.0.2.1")
    # Nothing of it matters within the VPC.
    assert reached(world)
    ec2.delete_route(RouteTableId=table, DestinationCidrBlock="192.0.2.0/24")
    ec2.delete_route(RouteTableId=table, DestinationCidrBlock=ALL)
    denied(world, "NoRoute", "192.0.2.1")


def test_a_more_specific_route_to_nothing_drops(world):
    """It is the client's subnet's, or the endpoint's, which needs a way back."""
    for subnet, destination in [(world.place, "10.0.1.0/24"), (world.door, "10.0.0.0/24")]:
        table = route_table(world.other, world.vpc, subnet)
        world.other.ec2.create_route(
            RouteTableId=table, DestinationCidrBlock=destination, NetworkInterfaceId=nowhere(world, subnet)
        )
        denied(world, "BlackholeRoute")
        world.other.ec2.delete_route(RouteTableId=table, DestinationCidrBlock=destination)
        assert reached(world)


@pytest.mark.parametrize("whose", ["place", "door"])
def test_a_subnet_gets_another_route_table_while_a_connection_runs(world, whose):
    subnet, other_way = getattr(world, whose), {"place": "10.0.1.0/24", "door": "10.0.0.0/24"}[whose]
    table = route_table(world.other, world.vpc)
    world.other.ec2.create_route(
        RouteTableId=table, DestinationCidrBlock=other_way, NetworkInterfaceId=nowhere(world, subnet)
    )
    with streaming(world) as stream:
        association = world.other.ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)["AssociationId"]
        at_rest(world, stream, "BlackholeRoute")
        world.other.ec2.disassociate_route_table(AssociationId=association)
        goes_on(stream)
        # The same by the main table, which all subnets have that are associated with none.
        found = world.other.ec2.describe_route_tables(
            Filters=[{"Name": "vpc-id", "Values": [world.vpc]}, {"Name": "association.main", "Values": ["true"]}]
        )["RouteTables"]
        main = found[0]["Associations"][0]["RouteTableAssociationId"]
        world.other.ec2.replace_route_table_association(AssociationId=main, RouteTableId=table)
        at_rest(world, stream, "BlackholeRoute")
        world.other.ec2.delete_route(RouteTableId=table, DestinationCidrBlock=other_way)
        goes_on(stream)


def test_a_route_to_an_instance_that_forwards(world):
    """To an address outside of the VPC that it has itself; and between two subnets, both ways."""
    ec2 = world.other.ec2
    subnet = world.other.subnet(world.vpc, "10.0.2.0/24")
    serve = (
        "sysctl -qw net.ipv4.ip_forward=1 && ip address add 192.0.2.9/32 dev lo && "
        f"exec /usr/bin/python3 {world.programs / 'echo.py'} 7000"
    )
    box = world.daemon.run(subnet, "sh", "-c", serve, groups=[world.group])
    interface = world.other.interface(box)
    table = route_table(world.other, world.vpc, world.place)
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="192.0.2.0/24", InstanceId=box)
    denied(world, "NotForwarded", "192.0.2.9")
    ec2.modify_network_interface_attribute(NetworkInterfaceId=interface, SourceDestCheck={"Value": False})
    until(lambda: reached(world, "192.0.2.9"), "the address outside")
    assert said(world, "192.0.2.9", protocol="udp") == "echoed"

    def forwarded():
        lines = world.daemon.exec(box, "cat", "/proc/net/snmp").stdout.splitlines()
        names, values = (line.split() for line in lines if line.startswith("Ip:"))
        return int(values[names.index("ForwDatagrams")])

    assert reached(world)
    assert forwarded() == 0
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="10.0.1.0/24", NetworkInterfaceId=interface)
    back = route_table(world.other, world.vpc, world.door)
    ec2.create_route(RouteTableId=back, DestinationCidrBlock="10.0.0.0/24", NetworkInterfaceId=interface)
    assert reached(world)
    there = forwarded()
    assert there > 0
    with streaming(world) as stream:
        goes_on(stream)
        assert forwarded() > there
        # What it has forwarded ends with the routes: the client's packets lead elsewhere now.
        ended = world.daemon.drops().get("FlowRevoked", 0)
        ec2.delete_route(RouteTableId=table, DestinationCidrBlock="10.0.1.0/24")
        until(lambda: world.daemon.drops().get("FlowRevoked", 0) > ended, "a packet of the flow that has ended")
    ec2.delete_route(RouteTableId=back, DestinationCidrBlock="10.0.0.0/24")
    assert reached(world)
