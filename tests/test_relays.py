"""What the packet path cannot bring to its targets: those that want PROXY protocol, and hosts outside of any VPC."""

import json
import socketserver
import threading
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError

from harness.aws import Account
from harness.service import connect, publish
from harness.wait import until

# What the listeners of a service are on: the gateway's own, the resolver's, and one that is nobody's.
PORTS = (443, 53, 7000)


class Greeter(socketserver.StreamRequestHandler):
    """Greets as `host`, and echoes."""

    def handle(self):
        self.wfile.write(b"host\n")
        while data := self.request.recv(1 << 16):
            self.wfile.write(data)


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A health check is gone before it is greeted."""


@pytest.fixture
def host_port():
    """A port of the host's loopback that a server listens on."""
    with Server(("127.0.0.1", 0), Greeter) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def world(daemon, programs, targets=(), **options):
    """A service behind a balancer, an endpoint to it in another VPC, and a client in each."""
    aws = Account.first(daemon)
    vpc = aws.vpc()
    subnet = aws.subnet(vpc, "10.0.0.0/24")
    group = aws.group(vpc, ("tcp", 7000, "10.0.0.0/24"))
    server = daemon.run(subnet, "/usr/bin/python3", programs / "proxied.py", "7000", groups=[group])
    service = publish(aws, [subnet], [server] if not options else [], **options)
    for target in targets:
        aws.elbv2.register_targets(TargetGroupArn=service.target_group, Targets=[target])
    consumer = aws.vpc()
    place = aws.subnet(consumer, "10.0.0.0/24")
    door = aws.group(consumer, *(("tcp", port, "10.0.0.0/24") for port in PORTS))
    client = daemon.run(place, "sleep", "infinity", private_ip="10.0.0.100")
    endpoint = connect(aws, service, consumer, [place], [door])
    aws.wait_for_endpoint(endpoint)
    [address] = aws.endpoint_addresses(endpoint).values()
    [node] = [
        interface["PrivateIpAddress"]
        for interface in aws.ec2.describe_network_interfaces(
            Filters=[{"Name": "vpc-id", "Values": [vpc]}, {"Name": "subnet-id", "Values": [subnet]}]
        )["NetworkInterfaces"]
        if "ELB" in interface["Description"]
    ]
    return SimpleNamespace(
        aws=aws, daemon=daemon, programs=programs, service=service, server=server, client=client, endpoint=endpoint,
        address=address, node=node, subnet=subnet,
    )


def said(world, host, port=7000, client=None):
    """What an attempt to reach an echo server comes to: its greeting, or what went wrong."""
    return world.daemon.exec(
        client or world.client, "/usr/bin/python3", world.programs / "connect.py", "tcp", host, port, "3"
    ).stdout.strip()


def test_proxy_protocol_tells_the_target_who_connects(daemon, programs):
    here = world(daemon, programs)
    here.aws.elbv2.modify_target_group_attributes(
        TargetGroupArn=here.service.target_group, Attributes=[{"Key": "proxy_protocol_v2.enabled", "Value": "true"}]
    )
    here.aws.wait_for_targets(here.service.target_group)
    # Checks have a header of their own.

    def told_by_checks():
        return [json.loads(line) for line in daemon.console(here.server).splitlines() if line.startswith("{")]

    checks = until(told_by_checks, "a check with a header")
    assert all((check["signature"], check["command"]) == (True, 0) for check in checks), checks

    for port in PORTS:
        if port != 7000:
            here.aws.elbv2.create_listener(
                LoadBalancerArn=here.service.balancer, Protocol="TCP", Port=port,
                DefaultActions=[{"Type": "forward", "TargetGroupArn": here.service.target_group}],
            )
        told = until(lambda port=port: _json(said(here, here.address, port)), f"an answer on port {port}")
        assert (told["signature"], told["version"], told["command"]) == (True, 2, 1)
        assert told["source"][0] == "10.0.0.100" and told["destination"] == [here.address, port]
        assert told["records"]["0xea"] == "\x01" + here.endpoint
        assert told["peer"] == here.node, "from the balancer, for the target's groups"

    # The resolver still has its own port 53.
    name = here.aws.endpoint(here.endpoint)["DnsEntries"][0]["DnsName"]
    assert daemon.exec(here.client, "dig", "@10.0.0.2", "+tcp", "+short", name).stdout.split() == [here.address]

    # Directly at the balancer, there is no endpoint to tell of.
    neighbour = daemon.run(here.subnet, "sleep", "infinity", private_ip="10.0.0.77")
    told = _json(said(here, here.node, client=neighbour))
    assert told["source"][0] == "10.0.0.77" and told["destination"] == [here.node, 7000]
    assert "0xea" not in told["records"]

    # What carries it is no other way in: groups and the endpoint's state are asked as ever.
    assert said(here, here.address, 7001) in ("refused", "timeout")
    here.aws.ec2.reject_vpc_endpoint_connections(ServiceId=here.service.id, VpcEndpointIds=[here.endpoint])
    until(lambda: said(here, here.address) in ("refused", "timeout"), "the endpoint is closed")


def test_a_port_of_the_host_is_a_target_where_the_operator_says_so(own_daemon, programs, host_port, tmp_path):
    daemon = own_daemon(arguments=["--outside-targets", "127.0.0.1/32"], state_dir=tmp_path).start()
    target = {"Id": "127.0.0.1", "Port": host_port, "AvailabilityZone": "all"}
    here = world(daemon, programs, targets=[target], target_type="ip")
    here.aws.wait_for_targets(here.service.target_group)
    assert said(here, here.address) == "host"
    assert said(here, here.address, 7001) in ("refused", "timeout")
    neighbour = daemon.run(here.subnet, "sleep", "infinity")
    assert said(here, here.node, client=neighbour) == "host"
    with pytest.raises(ClientError, match="InvalidTarget.*--outside-targets"):
        here.aws.elbv2.register_targets(
            TargetGroupArn=here.service.target_group, Targets=[target | {"Id": "127.0.0.2"}]
        )

    # A target of VPC's beside it gets its share, and both may be checked at once.
    here.aws.elbv2.register_targets(
        TargetGroupArn=here.service.target_group, Targets=[{"Id": here.aws.address(here.server), "Port": 7000}]
    )
    here.aws.wait_for_targets(here.service.target_group)

    # Started without the option, it reaches the host no more, whatever was registered before.
    here.aws.elbv2.deregister_targets(
        TargetGroupArn=here.service.target_group, Targets=[{"Id": here.aws.address(here.server), "Port": 7000}]
    )
    daemon.stop()
    daemon.arguments = [word for word in daemon.arguments if word not in ("--outside-targets", "127.0.0.1/32")]
    daemon.start()
    assert said(here, here.address).startswith(("refused", "error")), "reset, and not left to time out"


def test_without_the_option_nothing_outside_is_a_target(daemon, programs, aws):
    vpc = aws.vpc()
    group = aws.elbv2.create_target_group(
        Name="outside", Protocol="TCP", Port=80, VpcId=vpc, TargetType="ip"
    )["TargetGroups"][0]["TargetGroupArn"]
    for address in ("127.0.0.1", "192.0.2.1", "169.254.169.254"):
        with pytest.raises(ClientError, match="InvalidTarget.*--outside-targets"):
            aws.elbv2.register_targets(
                TargetGroupArn=group, Targets=[{"Id": address, "AvailabilityZone": "all"}]
            )


def test_a_range_that_is_none_is_refused(own_daemon):
    assert "--outside-targets" in own_daemon(arguments=["--outside-targets", "everywhere"]).refused()


def _json(text):
    return json.loads(text) if text.startswith("{") else None
