"""What Terraform's AWS provider calls for Network Load Balancers: in its order, with what it reads and waits for."""

import botocore.exceptions
import pytest

from harness.aws import refusal
from harness.terraform import gone, reaches, tags


@pytest.fixture
def network(aws):
    """A VPC with subnets in two zones."""
    vpc = aws.vpc()
    return vpc, aws.subnet(vpc, "10.0.0.0/24", "a"), aws.subnet(vpc, "10.0.1.0/24", "b")


def of(attributes):
    """Attributes of a balancer, a target group or a listener, as a dictionary."""
    return {attribute["Key"]: attribute["Value"] for attribute in attributes["Attributes"]}


def test_aws_lb_with_its_target_group_and_listener(aws, network, daemon):
    elb, ec2 = aws.elbv2, aws.ec2
    vpc, a, b = network
    assert refusal(elb.describe_load_balancers, Names=["net"])[0] == "LoadBalancerNotFound"
    made = elb.create_load_balancer(
        Name="net", Type="network", Scheme="internal", IpAddressType="ipv4", Tags=tags(Name="net"),
        SubnetMappings=[{"SubnetId": a, "PrivateIPv4Address": "10.0.0.20"}, {"SubnetId": b}],
    )["LoadBalancers"][0]
    balancer = made["LoadBalancerArn"]

    def read():
        return elb.describe_load_balancers(LoadBalancerArns=[balancer])["LoadBalancers"][0]

    def active():
        reaches(lambda: read()["State"]["Code"], "active", ["provisioning"])

    active()
    # The provider drops a key that the error names, and tries again with the others.
    wanted = {"access_logs.s3.enabled": "false", "deletion_protection.enabled": "false",
              "load_balancing.cross_zone.enabled": "true", "dns_record.client_routing_policy": "any_availability_zone",
              "zonal_shift.config.enabled": "false"}
    for _ in range(len(wanted)):
        try:
            elb.modify_load_balancer_attributes(
                LoadBalancerArn=balancer, Attributes=[{"Key": key, "Value": value} for key, value in wanted.items()]
            )
            break
        except botocore.exceptions.ClientError as error:
            message = error.response["Error"]["Message"]
            [unknown] = [key for key in wanted if f"attribute key '{key}' is not" in message] or [None]
            assert unknown, message
            del wanted[unknown]
    active()
    attributes = of(elb.describe_load_balancer_attributes(LoadBalancerArn=balancer))
    assert attributes["load_balancing.cross_zone.enabled"] == "true"
    assert {key: attributes[key] for key in wanted} == wanted
    found = read()
    zones = {zone["SubnetId"]: zone["LoadBalancerAddresses"] for zone in found["AvailabilityZones"]}
    assert zones[a][0]["PrivateIPv4Address"] == "10.0.0.20" and set(zones) == {a, b}
    assert found["CanonicalHostedZoneId"] and found["DNSName"] and found["VpcId"] == vpc
    [described] = elb.describe_tags(ResourceArns=[balancer])["TagDescriptions"]
    assert described["Tags"] == tags(Name="net")
    elb.describe_capacity_reservation(LoadBalancerArn=balancer)
    # Updates: a subnet less, and again.
    assert [zone["SubnetId"] for zone in elb.set_subnets(LoadBalancerArn=balancer, Subnets=[a])["AvailabilityZones"]] == [a]
    elb.set_subnets(LoadBalancerArn=balancer, SubnetMappings=[{"SubnetId": a}, {"SubnetId": b}])
    elb.set_ip_address_type(LoadBalancerArn=balancer, IpAddressType="ipv4")
    active()
    assert {zone["SubnetId"] for zone in read()["AvailabilityZones"]} == {a, b}

    assert refusal(elb.describe_target_groups, Names=["net-tg"])[0] == "TargetGroupNotFound"
    group = elb.create_target_group(
        Name="net-tg", Port=7000, Protocol="TCP", VpcId=vpc, TargetType="instance", Tags=tags(Name="tg"),
        HealthCheckEnabled=True, HealthCheckProtocol="TCP", HealthCheckPort="traffic-port",
        HealthCheckIntervalSeconds=30, HealthyThresholdCount=3, UnhealthyThresholdCount=3,
    )["TargetGroups"][0]["TargetGroupArn"]
    [found] = elb.describe_target_groups(TargetGroupArns=[group])["TargetGroups"]
    assert (found["Port"], found["HealthCheckPort"]) == (7000, "traffic-port")
    elb.modify_target_group_attributes(
        TargetGroupArn=group,
        Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "300"},
                    {"Key": "proxy_protocol_v2.enabled", "Value": "false"},
                    {"Key": "deregistration_delay.connection_termination.enabled", "Value": "false"}],
    )
    assert of(elb.describe_target_group_attributes(TargetGroupArn=group))["proxy_protocol_v2.enabled"] == "false"
    elb.modify_target_group(TargetGroupArn=group, HealthCheckIntervalSeconds=10)

    # aws_lb_target_group_attachment
    instance = daemon.run(a, "sleep", "infinity")
    target = [{"Id": instance, "Port": 7000}]
    elb.register_targets(TargetGroupArn=group, Targets=target)
    [health] = elb.describe_target_health(TargetGroupArn=group, Targets=target)["TargetHealthDescriptions"]
    assert health["TargetHealth"]["State"] in ("initial", "unused", "unhealthy")

    listener = elb.create_listener(
        LoadBalancerArn=balancer, Port=7000, Protocol="TCP", Tags=tags(Name="listener"),
        DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
    )["Listeners"][0]["ListenerArn"]
    [found] = elb.describe_listeners(ListenerArns=[listener])["Listeners"]
    assert found["DefaultActions"][0]["TargetGroupArn"] == group
    elb.modify_listener_attributes(
        ListenerArn=listener, Attributes=[{"Key": "tcp.idle_timeout.seconds", "Value": "400"}]
    )
    assert of(elb.describe_listener_attributes(ListenerArn=listener))["tcp.idle_timeout.seconds"] == "400"
    elb.modify_listener(ListenerArn=listener, Port=7001)
    code, message = refusal(elb.delete_target_group, TargetGroupArn=group)
    assert code == "ResourceInUse" and "is currently in use by a listener or a rule" in message

    elb.delete_listener(ListenerArn=listener)
    assert refusal(elb.describe_listeners, ListenerArns=[listener])[0] == "ListenerNotFound"
    elb.deregister_targets(TargetGroupArn=group, Targets=target)
    elb.delete_target_group(TargetGroupArn=group)
    elb.delete_load_balancer(LoadBalancerArn=balancer)
    elb.delete_load_balancer(LoadBalancerArn=balancer)  # of nothing: succeeds, as on AWS
    description = "ELB net/net/" + balancer.rsplit("/", 1)[1]
    gone(
        lambda: ec2.describe_network_interfaces(
            Filters=[{"Name": "attachment.instance-owner-id", "Values": ["amazon-aws"]},
                     {"Name": "description", "Values": [description]}]
        )["NetworkInterfaces"]
    )
