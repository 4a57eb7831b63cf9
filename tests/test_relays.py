"""What the kernel's path does not carry: targets that want PROXY protocol, and targets outside of any VPC."""

import json
import socket
import threading

import pytest

from harness.aws import Account, refusal
from harness.service import connect, publish
from harness.wait import until

CONSUMER = "arn:aws:iam::210987654321:root"


@pytest.fixture
def consumer(other, daemon):
    """Where a client is: its account, VPC, subnet, endpoint's group, and the client itself."""
    return make_consumer(other, daemon)


def make_consumer(account, daemon):
    vpc = account.vpc()
    subnet = account.subnet(vpc, "10.0.0.0/24")
    members = account.group(vpc)
    door = account.group(vpc, ("tcp", (1, 65535), members))
    client = daemon.run(subnet, "sleep", "infinity", groups=[members])
    return account, vpc, subnet, door, client


def ask(daemon, client, address, port, words="hello\n"):
    """Send some words to a server, and read its answer."""
    return daemon.exec(client, "nc", "-w", "2", address, str(port), input=words).stdout


@pytest.mark.parametrize("port", [7000, 443, 53])
def test_a_target_is_told_who_connects(daemon, aws, consumer, programs, port):
    other, vpc, subnet, door, client = consumer
    provider = aws.vpc()
    place = aws.subnet(provider, "10.0.0.0/24")
    group = aws.group(provider, ("tcp", 7001, "10.0.0.0/16"))
    server = daemon.run(place, "/usr/bin/python3", programs / "proxied.py", "7001", groups=[group])
    service = publish(aws, [place], [server], port=port, target_port=7001)
    aws.elbv2.modify_target_group_attributes(
        TargetGroupArn=service.target_group, Attributes=[{"Key": "proxy_protocol_v2.enabled", "Value": "true"}]
    )
    service.permit(CONSUMER)
    aws.wait_for_targets(service.target_group)
    endpoint = connect(other, service, vpc, [subnet], [door])
    other.wait_for_endpoint(endpoint)
    [address] = other.endpoint_addresses(endpoint).values()
    told = json.loads(ask(daemon, client, address, port))
    assert told.pop("from").split(":")[0] == other.address(client)
    assert told == {
        "command": 1, "family": 0x11, "to": f"{address}:{port}", "endpoint": endpoint, "said": "hello\n"
    }
    # Directly, from the balancer's own VPC: through no endpoint.
    neighbour = daemon.run(place, "sleep", "infinity", groups=[aws.group(provider)])
    [node] = aws.ec2.describe_network_interfaces(
        Filters=[{"Name": "interface-type", "Values": ["network_load_balancer"]}]
    )["NetworkInterfaces"]
    told = json.loads(ask(daemon, neighbour, node["PrivateIpAddress"], port))
    assert told["from"].split(":")[0] == aws.address(neighbour) and "endpoint" not in told


class Outside:
    """A server on the host, of no VPC, that answers in capitals."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        """Until the listener is closed."""
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                try:
                    connection.sendall(connection.recv(100).upper())
                except OSError:
                    # A health check, which says nothing.
                    continue

    def close(self):
        """End it."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


@pytest.fixture
def outside():
    """A server outside of any VPC."""
    server = Outside()
    yield server
    server.close()


def register(account, group, port):
    """Register the host's own address as a target."""
    return {
        "TargetGroupArn": group,
        "Targets": [{"Id": "127.0.0.1", "Port": port, "AvailabilityZone": "all"}],
    }


def test_targets_outside_take_the_operators_leave(daemon, aws, outside):
    vpc = aws.vpc()
    service = publish(aws, [aws.subnet(vpc, "10.0.0.0/24")], [], target_type="ip")
    code, message = refusal(aws.elbv2.register_targets, **register(aws, service.target_group, outside.port))
    assert code == "InvalidTarget" and "--outside-targets" in message, message


def test_a_target_outside_of_any_vpc(own_daemon, outside):
    daemon = own_daemon(["--ephemeral", "--outside-targets", "127.0.0.1/32"]).start()
    aws, other = Account.first(daemon), Account.new(daemon, "210987654321")
    _, vpc, subnet, door, client = make_consumer(other, daemon)
    place = aws.subnet(aws.vpc(), "10.0.0.0/24")
    service = publish(aws, [place], [], target_type="ip")
    aws.elbv2.register_targets(**register(aws, service.target_group, outside.port))
    service.permit(CONSUMER)
    aws.wait_for_targets(service.target_group)
    endpoint = connect(other, service, vpc, [subnet], [door])
    other.wait_for_endpoint(endpoint)
    [address] = other.endpoint_addresses(endpoint).values()
    assert ask(daemon, client, address, 7000, "private\n") == "PRIVATE\n"
    # Without the group's rule, nothing gets there.
    other.ec2.revoke_security_group_ingress(
        GroupId=door,
        IpPermissions=other.ec2.describe_security_groups(GroupIds=[door])["SecurityGroups"][0]["IpPermissions"],
    )
    until(lambda: ask(daemon, client, address, 7000) == "", "the rule revoked")
