"""The AWS CLI, as people type it."""

import json

from harness.service import publish
from harness.wait import until


def text(aws, *arguments):
    """What a command prints, without the newline."""
    done = aws.cli(*arguments, "--output", "text")
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_who_am_i(aws):
    answer = json.loads(aws.cli("sts", "get-caller-identity").stdout)
    assert answer["Account"] == "123456789012"
    assert answer["Arn"] == "arn:aws:iam::123456789012:root"


def test_an_endpoint_from_nothing_to_nothing(aws, daemon, programs):
    """Every resource on the way, by the CLI alone, with its waiters, queries and filters."""
    vpc = text(aws, "ec2", "create-vpc", "--cidr-block", "10.1.0.0/16", "--query", "Vpc.VpcId",
               "--tag-specifications", "ResourceType=vpc,Tags=[{Key=Name,Value=provider}]")
    text(aws, "ec2", "wait", "vpc-available", "--vpc-ids", vpc)
    assert text(aws, "ec2", "describe-vpcs", "--filters", "Name=tag:Name,Values=prov*",
                "--query", "Vpcs[].VpcId") == vpc
    subnet = text(aws, "ec2", "create-subnet", "--vpc-id", vpc, "--cidr-block", "10.1.1.0/24",
                  "--availability-zone", "us-east-1a", "--query", "Subnet.SubnetId")
    text(aws, "ec2", "wait", "subnet-available", "--subnet-ids", subnet)
    assert text(aws, "ec2", "describe-subnets", "--subnet-ids", subnet,
                "--query", "Subnets[0].AvailableIpAddressCount") == "251"

    group = text(aws, "ec2", "create-security-group", "--group-name", "server", "--description", "a server",
                 "--vpc-id", vpc, "--query", "GroupId")
    text(aws, "ec2", "authorize-security-group-ingress", "--group-id", group, "--protocol", "tcp",
         "--port", "7000", "--cidr", "10.1.0.0/16")
    server = daemon.run(subnet, "/usr/bin/python3", programs / "echo.py", "7000", groups=[group], name="server")
    assert text(aws, "ec2", "describe-instances", "--filters", "Name=tag:Name,Values=server",
                "--query", "Reservations[].Instances[].[InstanceId,State.Name]").split() == [server, "running"]

    balancer = text(aws, "elbv2", "create-load-balancer", "--name", "front", "--type", "network", "--scheme",
                    "internal", "--subnets", subnet, "--query", "LoadBalancers[0].LoadBalancerArn")
    targets = text(aws, "elbv2", "create-target-group", "--name", "servers", "--protocol", "TCP", "--port", "7000",
                   "--vpc-id", vpc, "--query", "TargetGroups[0].TargetGroupArn")
    text(aws, "elbv2", "register-targets", "--target-group-arn", targets, "--targets", f"Id={server}")
    listener = text(aws, "elbv2", "create-listener", "--load-balancer-arn", balancer, "--protocol", "TCP", "--port",
                    "80", "--default-actions", f"Type=forward,TargetGroupArn={targets}",
                    "--query", "Listeners[0].ListenerArn")
    text(aws, "elbv2", "wait", "load-balancer-available", "--load-balancer-arns", balancer)
    text(aws, "elbv2", "wait", "target-in-service", "--target-group-arn", targets, "--targets", f"Id={server}")

    service, name = text(
        aws, "ec2", "create-vpc-endpoint-service-configuration", "--network-load-balancer-arns", balancer,
        "--no-acceptance-required", "--query", "ServiceConfiguration.[ServiceId,ServiceName]",
    ).split()
    assert name == f"com.amazonaws.vpce.us-east-1.{service}"
    assert text(aws, "ec2", "describe-vpc-endpoint-services", "--service-names", name,
                "--query", "ServiceDetails[0].AvailabilityZones[0]") == "us-east-1a"
    endpoint = text(aws, "ec2", "create-vpc-endpoint", "--vpc-endpoint-type", "Interface", "--vpc-id", vpc,
                    "--service-name", name, "--subnet-ids", subnet, "--no-private-dns-enabled",
                    "--query", "VpcEndpoint.VpcEndpointId")
    aws.wait_for_endpoint(endpoint)
    names = text(aws, "ec2", "describe-vpc-endpoints", "--vpc-endpoint-ids", endpoint,
                 "--query", "VpcEndpoints[0].DnsEntries[].DnsName").split()
    assert [found.startswith(endpoint) for found in names] == [True, True]

    assert text(aws, "ec2", "delete-vpc-endpoints", "--vpc-endpoint-ids", endpoint, "--query", "Unsuccessful") == ""
    daemon.linkway("terminate", server)
    until_gone(aws, endpoint)
    text(aws, "ec2", "delete-vpc-endpoint-service-configurations", "--service-ids", service)
    text(aws, "elbv2", "delete-listener", "--listener-arn", listener)
    text(aws, "elbv2", "delete-load-balancer", "--load-balancer-arn", balancer)
    text(aws, "elbv2", "wait", "load-balancers-deleted", "--load-balancer-arns", balancer)
    text(aws, "elbv2", "delete-target-group", "--target-group-arn", targets)
    text(aws, "ec2", "delete-security-group", "--group-id", group)
    text(aws, "ec2", "delete-subnet", "--subnet-id", subnet)
    text(aws, "ec2", "delete-vpc", "--vpc-id", vpc)
    assert text(aws, "ec2", "describe-vpcs", "--query", "Vpcs[?!IsDefault].VpcId") == ""


def until_gone(aws, endpoint):
    """Wait until nothing blocks the deletion of what the endpoint used."""
    until(
        lambda: not aws.ec2.describe_network_interfaces(
            Filters=[{"Name": "description", "Values": [f"VPC Endpoint Interface {endpoint}"]}]
        )["NetworkInterfaces"],
        f"the interfaces of {endpoint} gone",
    )


def test_a_refusal_reads_as_on_aws(aws):
    done = aws.cli("ec2", "describe-vpcs", "--vpc-ids", "vpc-0123456789abcdef0")
    assert done.returncode != 0
    assert done.stderr.strip().endswith(
        "An error occurred (InvalidVpcID.NotFound) when calling the DescribeVpcs operation: "
        "The vpc ID 'vpc-0123456789abcdef0' does not exist"
    )


def test_dry_run(aws):
    done = aws.cli("ec2", "create-vpc", "--cidr-block", "10.0.0.0/16", "--dry-run")
    assert "(DryRunOperation)" in done.stderr
    assert aws.vpcs() == []


def test_pages_are_walked(aws):
    for number in range(7):
        aws.ec2.create_vpc(CidrBlock=f"10.{number}.0.0/16")
    done = json.loads(aws.cli("ec2", "describe-vpcs", "--page-size", "5").stdout)
    assert len(done["Vpcs"]) == 8, "those, and the default one"


def test_a_service_without_targets_is_made_all_the_same(aws):
    vpc = aws.vpc()
    service = publish(aws, [aws.subnet(vpc, "10.0.0.0/24")], [])
    found = json.loads(aws.cli("ec2", "describe-vpc-endpoint-service-configurations").stdout)
    assert [found["ServiceId"] for found in found["ServiceConfigurations"]] == [service.id]
    assert found["ServiceConfigurations"][0]["ServiceState"] in ("Pending", "Available")


def test_waiters(aws):
    """Those of the EC2 family that nothing above waits with."""
    vpc = aws.vpc()
    subnet = aws.subnet(vpc, "10.0.0.0/24")
    text(aws, "ec2", "wait", "vpc-exists", "--vpc-ids", vpc)
    group = text(aws, "ec2", "create-security-group", "--group-name", "web", "--description", "web", "--vpc-id", vpc,
                 "--query", "GroupId")
    text(aws, "ec2", "wait", "security-group-exists", "--group-ids", group)
    interface = text(aws, "ec2", "create-network-interface", "--subnet-id", subnet, "--groups", group,
                     "--query", "NetworkInterface.NetworkInterfaceId")
    text(aws, "ec2", "wait", "network-interface-available", "--network-interface-ids", interface)
    gateway = text(aws, "ec2", "create-internet-gateway", "--query", "InternetGateway.InternetGatewayId")
    text(aws, "ec2", "wait", "internet-gateway-exists", "--internet-gateway-ids", gateway)
    text(aws, "ec2", "attach-internet-gateway", "--internet-gateway-id", gateway, "--vpc-id", vpc)
    address = text(aws, "ec2", "allocate-address", "--query", "AllocationId")
    nat = text(aws, "ec2", "create-nat-gateway", "--subnet-id", subnet, "--allocation-id", address,
               "--query", "NatGateway.NatGatewayId")
    text(aws, "ec2", "wait", "nat-gateway-available", "--nat-gateway-ids", nat)
    text(aws, "ec2", "delete-nat-gateway", "--nat-gateway-id", nat)
    text(aws, "ec2", "wait", "nat-gateway-deleted", "--nat-gateway-ids", nat)
    text(aws, "iam", "create-user", "--user-name", "ada")
    text(aws, "iam", "wait", "user-exists", "--user-name", "ada")


def test_dry_runs_change_nothing(aws):
    vpc = aws.vpc()
    subnet = aws.subnet(vpc, "10.0.0.0/24")
    group = aws.default_group(vpc)
    s3 = "com.amazonaws.us-east-1.s3"
    for command in (
        ("create-subnet", "--vpc-id", vpc, "--cidr-block", "10.0.1.0/24"),
        ("authorize-security-group-ingress", "--group-id", group, "--protocol", "tcp", "--port", "1", "--cidr",
         "10.0.0.0/8"),
        ("create-vpc-endpoint", "--vpc-id", vpc, "--service-name", s3),
        ("create-tags", "--resources", vpc, "--tags", "Key=Name,Value=x"),
        ("delete-subnet", "--subnet-id", subnet),
        ("describe-vpc-endpoints",),
    ):
        done = aws.cli("ec2", *command, "--dry-run")
        assert "(DryRunOperation)" in done.stderr, (command, done.stderr)
    # Of what would fail, a dry run tells that.
    done = aws.cli("ec2", "delete-vpc", "--vpc-id", vpc, "--dry-run")
    assert "(DependencyViolation)" in done.stderr, done.stderr
    [left] = aws.ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["Subnets"]
    assert left["SubnetId"] == subnet
    assert not aws.ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0].get("Tags")
    assert aws.ec2.describe_vpc_endpoints()["VpcEndpoints"] == []


def test_pages_by_hand(aws):
    vpc = aws.vpc()
    groups = {aws.group(vpc, name=f"group-{number}") for number in range(6)} | {aws.default_group(vpc)}
    of_vpc = ("ec2", "describe-security-groups", "--filters", f"Name=vpc-id,Values={vpc}")
    first = json.loads(aws.cli(*of_vpc, "--max-items", "3").stdout)
    assert len(first["SecurityGroups"]) == 3
    rest = json.loads(aws.cli(*of_vpc, "--starting-token", first["NextToken"]).stdout)
    seen = [group["GroupId"] for page in (first, rest) for group in page["SecurityGroups"]]
    assert len(seen) == 7 and set(seen) == groups
    # The service's own pages.
    page = json.loads(aws.cli(*of_vpc, "--no-paginate", "--max-results", "5").stdout)
    assert len(page["SecurityGroups"]) == 5
    last = json.loads(aws.cli(*of_vpc, "--no-paginate", "--next-token", page["NextToken"]).stdout)
    assert len(last["SecurityGroups"]) == 2 and not last.get("NextToken")


def test_filters_and_queries(aws):
    vpc = aws.vpc()
    subnet = aws.subnet(vpc, "10.0.0.0/24")
    tagged = "ResourceType=vpc-endpoint,Tags=[{Key=Name,Value=to-%s},{Key=Team,Value='a b'}]"
    names = {kind: f"com.amazonaws.us-east-1.{kind}" for kind in ("sqs", "s3")}
    sqs = text(aws, "ec2", "create-vpc-endpoint", "--vpc-endpoint-type", "Interface", "--vpc-id", vpc,
               "--service-name", names["sqs"], "--subnet-ids", subnet, "--tag-specifications", tagged % "sqs",
               "--query", "VpcEndpoint.VpcEndpointId")
    s3 = text(aws, "ec2", "create-vpc-endpoint", "--vpc-id", vpc, "--service-name", names["s3"],
              "--tag-specifications", tagged % "s3", "--query", "VpcEndpoint.VpcEndpointId")

    def found(*filters):
        return set(text(aws, "ec2", "describe-vpc-endpoints", "--query", "VpcEndpoints[].VpcEndpointId",
                        "--filters", f"Name=vpc-id,Values={vpc}", *filters).split())

    assert found() == {sqs, s3}
    assert found("Name=vpc-endpoint-type,Values=Gateway") == {s3}
    assert found("Name=tag:Name,Values=to-s3,to-sqs") == {sqs, s3}
    assert found("Name=tag:Name,Values=to-s?") == {s3}
    assert found("Name=tag-key,Values=Team", f"Name=service-name,Values={names['sqs']}") == {sqs}
    assert found("Name=tag:Name,Values=to-S3") == set(), "values are compared by their letters"
    refused = aws.cli("ec2", "describe-vpc-endpoints", "--filters", "Name=colour,Values=red")
    assert "(InvalidFilter)" in refused.stderr and "The filter colour is invalid" in refused.stderr, refused.stderr
    # A table of what is there, as people ask for it.
    aws.wait_for_endpoint(sqs)
    rows = text(aws, "ec2", "describe-vpc-endpoints", "--query",
                "sort_by(VpcEndpoints, &ServiceName)[].[VpcEndpointType, State, Tags[?Key=='Name'] | [0].Value]")
    assert [row.split("\t") for row in rows.splitlines()] == [
        ["Gateway", "available", "to-s3"], ["Interface", "available", "to-sqs"],
    ]
    text(aws, "ec2", "delete-tags", "--resources", s3, sqs, "--tags", "Key=Team")
    assert text(aws, "ec2", "describe-tags", "--filters", f"Name=resource-id,Values={s3},{sqs}",
                "--query", "sort_by(Tags, &Value)[].Value").split() == ["to-s3", "to-sqs"]
