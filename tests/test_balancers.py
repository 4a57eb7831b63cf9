"""Network Load Balancers: target health, and the traffic that follows it."""

from types import SimpleNamespace

import pytest

from harness.aws import refusal
from harness.service import connect, publish
from harness.wait import until


@pytest.fixture
def world(aws, daemon, programs):
    """Two echo servers behind a service, one a zone, and a client beside an endpoint in both zones."""
    world = SimpleNamespace(aws=aws, daemon=daemon, programs=programs)
    vpc = aws.vpc()
    world.subnets = [aws.subnet(vpc, "10.0.0.0/24", "a"), aws.subnet(vpc, "10.0.1.0/24", "b")]
    world.group = aws.group(vpc, ("tcp", 7000, "10.0.0.0/16"), ("udp", 7000, "10.0.0.0/16"))
    world.servers = [serve(world, zone, subnet) for zone, subnet in zip("ab", world.subnets)]
    consumer = aws.vpc()
    world.vpc = consumer
    world.places = [aws.subnet(consumer, "10.0.0.0/24", "a"), aws.subnet(consumer, "10.0.1.0/24", "b")]
    world.open = aws.group(consumer, ("-1", None, "10.0.0.0/16"))
    world.client = daemon.run(world.places[0], "sleep", "infinity", groups=[world.open])
    return world


def serve(world, zone, subnet):
    """Start an echo server that says which zone it is in."""
    return world.daemon.run(
        subnet, "sh", "-c", f"ECHO_NAME={zone} /usr/bin/python3 {world.programs}/echo.py 7000 & sleep infinity",
        groups=[world.group],
    )


def said(world, host, protocol="tcp", port=7000):
    """What an attempt to reach an echo server comes to, in its words."""
    done = world.daemon.exec(
        world.client, "/usr/bin/python3", world.programs / "connect.py", protocol, host, port
    )
    return done.stdout.strip()


def test_health_follows_the_server(world):
    aws = world.aws
    service = publish(aws, world.subnets, world.servers)
    aws.wait_for_targets(service.target_group)

    def states():
        described = aws.elbv2.describe_target_health(TargetGroupArn=service.target_group)
        return {
            target["Target"]["Id"]: (target["TargetHealth"]["State"], target["TargetHealth"].get("Reason"))
            for target in described["TargetHealthDescriptions"]
        }

    first, second = world.servers
    world.daemon.exec(second, "pkill", "python3", check=True)
    until(lambda: states()[second] == ("unhealthy", "Target.FailedHealthChecks"), "the second target unhealthy", 30)
    assert states()[first] == ("healthy", None)
    restarted = world.daemon.popen(
        "exec", second, "--", "/usr/bin/python3", world.programs / "echo.py", "7000"
    )
    until(lambda: states()[second] == ("healthy", None), "the second target healthy again", 30)
    restarted.kill()
    restarted.wait()
    # An instance that is terminated is no target any more.
    world.daemon.linkway("terminate", second)
    until(lambda: list(states()) == [first], "one target left")


def test_zones_are_apart_unless_crossed(world):
    aws = world.aws
    service = publish(aws, world.subnets, world.servers)
    aws.wait_for_targets(service.target_group)
    endpoint = connect(aws, service, world.vpc, world.places, [world.open])
    aws.wait_for_endpoint(endpoint)
    addresses = aws.endpoint_addresses(endpoint)
    nodes = {
        found["AvailabilityZone"][-1]: found["PrivateIpAddress"]
        for found in aws.ec2.describe_network_interfaces(
            Filters=[{"Name": "interface-type", "Values": ["network_load_balancer"]}]
        )["NetworkInterfaces"]
    }
    for zone in "ab":
        for _ in range(4):
            # The target sees the balancer's address in the zone, never the client's.
            assert said(world, addresses[zone]) == f"{zone} {nodes[zone]}"
    aws.elbv2.modify_load_balancer_attributes(
        LoadBalancerArn=service.balancer, Attributes=[{"Key": "load_balancing.cross_zone.enabled", "Value": "true"}]
    )
    seen = set()
    until(lambda: seen.add(said(world, addresses["a"]).split()[0]) or seen == {"a", "b"}, "both targets of zone a")


def test_a_target_that_is_gone_is_not_used(world):
    aws = world.aws
    service = publish(aws, world.subnets, world.servers, cross_zone=True)
    aws.wait_for_targets(service.target_group)
    endpoint = connect(aws, service, world.vpc, world.places[:1], [world.open])
    aws.wait_for_endpoint(endpoint)
    [address] = aws.endpoint_addresses(endpoint).values()
    aws.elbv2.modify_target_group_attributes(
        TargetGroupArn=service.target_group,
        Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "0"}],
    )
    aws.elbv2.deregister_targets(TargetGroupArn=service.target_group, Targets=[{"Id": world.servers[0]}])
    for _ in range(8):
        assert said(world, address).startswith("b ")


def test_udp(world):
    aws = world.aws
    service = publish(aws, world.subnets[:1], world.servers[:1], protocol="UDP")
    endpoint = connect(aws, service, world.vpc, world.places[:1], [world.open])
    aws.wait_for_endpoint(endpoint)
    [address] = aws.endpoint_addresses(endpoint).values()
    until(lambda: said(world, address, "udp") == "echoed", "an echo by UDP")
    assert said(world, address, "tcp") in ("timeout", "refused")


def test_targets_by_address_and_ports_of_their_own(world):
    aws = world.aws
    service = publish(
        aws, world.subnets[:1], [aws.address(world.servers[0])], port=80, target_port=7000, target_type="ip"
    )
    aws.wait_for_targets(service.target_group)
    endpoint = connect(aws, service, world.vpc, world.places[:1], [world.open])
    aws.wait_for_endpoint(endpoint)
    [address] = aws.endpoint_addresses(endpoint).values()
    assert said(world, address, port=80).startswith("a ")
    assert said(world, address, port=7000) in ("timeout", "refused")


def test_bad_input(aws):
    vpc = aws.vpc()
    subnet = aws.subnet(vpc, "10.0.0.0/24")
    balancer = aws.elbv2.create_load_balancer(Name="one", Type="network", Scheme="internal", Subnets=[subnet])
    arn = balancer["LoadBalancers"][0]["LoadBalancerArn"]
    group = aws.elbv2.create_target_group(Name="g", Protocol="TCP", Port=1, VpcId=vpc)["TargetGroups"][0]
    other = aws.elbv2.create_target_group(Name="other", Protocol="TCP", Port=2, VpcId=vpc)["TargetGroups"][0]
    elsewhere = [{"Type": "forward", "TargetGroupArn": other["TargetGroupArn"]}]
    forward = [{"Type": "forward", "TargetGroupArn": group["TargetGroupArn"]}]
    aws.elbv2.create_listener(LoadBalancerArn=arn, Protocol="TCP", Port=1, DefaultActions=forward)
    for code, call, arguments in [
        ("DuplicateListener", aws.elbv2.create_listener,
         {"LoadBalancerArn": arn, "Protocol": "TCP", "Port": 1, "DefaultActions": elsewhere}),
        ("LoadBalancerNotFound", aws.elbv2.describe_load_balancers, {"Names": ["none"]}),
        ("TargetGroupNotFound", aws.elbv2.describe_target_groups, {"Names": ["none"]}),
        ("SubnetNotFound", aws.elbv2.create_load_balancer,
         {"Name": "two", "Type": "network", "Subnets": ["subnet-0123456789abcdef0"]}),
        ("ValidationError", aws.elbv2.create_load_balancer,
         {"Name": "no good name!", "Type": "network", "Subnets": [subnet]}),
        ("InvalidTarget", aws.elbv2.register_targets,
         {"TargetGroupArn": group["TargetGroupArn"], "Targets": [{"Id": "i-0123456789abcdef0"}]}),
        ("ResourceInUse", aws.elbv2.delete_target_group, {"TargetGroupArn": group["TargetGroupArn"]}),
    ]:
        assert refusal(call, **arguments)[0] == code
