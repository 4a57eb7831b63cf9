"""AWS's own services: found, connected to under AWS's names, and the backends that the operator gives them."""

import json

import pytest

from harness.aws import refusal
from harness.wait import until

S3 = "com.amazonaws.us-east-1.s3"
RDS = "com.amazonaws.us-east-1.rds"
NARROW = json.dumps(
    {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "rds:Describe*", "Resource": "*"}]}
)
OWN = {
    f"com.amazonaws.{{region}}.{name}"
    for name in ("acm", "acm-fips", "ec2", "ec2-fips", "elasticloadbalancing", "rds", "rds-fips", "sts", "sts-fips")
}


@pytest.fixture
def network(daemon, aws):
    """A VPC with subnets in two zones, and an instance in the first."""
    aws.in_vpc = aws.vpc()
    aws.subnets = [aws.subnet(aws.in_vpc, "10.0.0.0/24", "a"), aws.subnet(aws.in_vpc, "10.0.1.0/24", "b")]
    aws.instance = daemon.run(aws.subnets[0], "sleep", "infinity")
    return aws


def create(account, service, **options):
    """Make an endpoint, in both subnets unless told otherwise. Returns its id."""
    options = {"SubnetIds": account.subnets} | options
    made = account.ec2.create_vpc_endpoint(
        VpcEndpointType="Interface", VpcId=account.in_vpc, ServiceName=service, **options
    )
    return made["VpcEndpoint"]["VpcEndpointId"]


def dig(daemon, instance, name):
    """The status of an answer and its addresses, sorted."""
    done = daemon.exec(instance, "dig", "@10.0.0.2", "+tries=1", "+time=2", "+noall", "+comments", "+answer", name, "A")
    lines = done.stdout.splitlines()
    status = next((line.split("status: ")[1].split(",")[0] for line in lines if "status: " in line), "silent")
    return status, sorted(line.split()[-1] for line in lines if line and not line.startswith(";"))


def test_services_are_found(aws):
    found = aws.cli("ec2", "describe-vpc-endpoint-services", "--filters", "Name=owner,Values=amazon",
                    "Name=service-name,Values=*-1.rds,*-1.s3", "--output", "json")
    assert found.returncode == 0, found.stderr
    details = {detail["ServiceName"]: detail for detail in json.loads(found.stdout)["ServiceDetails"]}
    assert set(details) == {S3, RDS}
    rds = details[RDS]
    assert rds["ServiceId"].startswith("vpce-svc-") and rds["ServiceType"] == [{"ServiceType": "Interface"}]
    assert rds["PrivateDnsName"] == "rds.us-east-1.amazonaws.com" and rds["VpcEndpointPolicySupported"]
    zones = aws.ec2.describe_availability_zones()["AvailabilityZones"]
    assert rds["AvailabilityZones"] == [zone["ZoneName"] for zone in zones]
    assert rds["AvailabilityZoneIds"] == [zone["ZoneId"] for zone in zones]
    names = [name["PrivateDnsName"] for name in details[S3]["PrivateDnsNames"]]
    assert names[:2] == ["s3.us-east-1.amazonaws.com", "*.s3.us-east-1.amazonaws.com"]


def test_pages_of_services_are_whole_together(aws):
    pages = aws.ec2.get_paginator("describe_vpc_endpoint_services").paginate(PaginationConfig={"PageSize": 100})
    names = [name for page in pages for name in page["ServiceNames"]]
    assert names == aws.ec2.describe_vpc_endpoint_services()["ServiceNames"]


def test_names_of_an_endpoint(daemon, network, upstream):
    upstream.records["rds.us-east-1.amazonaws.com", "A"] = ["192.0.2.20"]
    public = ("NOERROR", ["192.0.2.20"])
    assert dig(daemon, network.instance, "rds.us-east-1.amazonaws.com") == public
    endpoint = create(network, RDS)
    found = network.wait_for_endpoint(endpoint)
    regional, first, second, private = (entry["DnsName"] for entry in found["DnsEntries"])
    assert private == "rds.us-east-1.amazonaws.com" and found["PrivateDnsEnabled"]
    addresses = network.endpoint_addresses(endpoint)
    both = ("NOERROR", sorted(addresses.values()))
    assert dig(daemon, network.instance, regional) == dig(daemon, network.instance, private) == both
    assert dig(daemon, network.instance, first) == ("NOERROR", [addresses["a"]])
    assert dig(daemon, network.instance, second) == ("NOERROR", [addresses["b"]])
    assert dig(daemon, network.instance, "x." + private)[0] == "NXDOMAIN"
    elsewhere = daemon.run(network.subnet(network.vpc(), "10.0.0.0/24"), "sleep", "infinity")
    assert dig(daemon, elsewhere, private) == public and dig(daemon, elsewhere, regional) == both

    network.ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, PrivateDnsEnabled=False)
    until(lambda: dig(daemon, network.instance, private) == public, "the public name")
    assert len(network.wait_for_endpoint(endpoint)["DnsEntries"]) == 3
    network.ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])
    until(lambda: dig(daemon, network.instance, regional)[0] == "NXDOMAIN", "no name")


def test_buckets_resolve(daemon, network):
    endpoint = create(network, S3, SubnetIds=network.subnets[:1])
    entries = [entry["DnsName"] for entry in network.wait_for_endpoint(endpoint)["DnsEntries"]]
    assert entries[0].startswith("*.vpce-")
    here = ("NOERROR", list(network.endpoint_addresses(endpoint).values()))
    for name in ("s3.us-east-1.amazonaws.com", "bucket.s3.us-east-1.amazonaws.com", entries[0].replace("*", "bucket")):
        assert dig(daemon, network.instance, name) == here, name


def test_policies(network):
    assert refusal(lambda: create(network, RDS, PolicyDocument='{"Statement": [}')) == (
        "InvalidPolicyDocument", "The Policy Document is not valid. Syntax error at position (1,16)"
    )
    endpoint = create(network, RDS, PolicyDocument=NARROW)
    assert network.wait_for_endpoint(endpoint)["PolicyDocument"] == NARROW
    reset = network.cli("ec2", "modify-vpc-endpoint", "--vpc-endpoint-id", endpoint, "--reset-policy")
    assert reset.returncode == 0, reset.stderr
    assert json.loads(network.wait_for_endpoint(endpoint)["PolicyDocument"])["Statement"][0]["Action"] == "*"
    assert refusal(lambda: create(network, RDS))[1].startswith("private-dns-enabled cannot be set because there is already")
    code, message = refusal(
        network.ec2.create_vpc_endpoint, VpcEndpointType="Gateway", VpcId=network.in_vpc, ServiceName=RDS
    )
    assert code == "InvalidServiceName" and "Gateway" in message


def listed(daemon):
    """What `service list` prints, by service."""
    return {row["service"]: row for row in daemon.json("service", "list")}


def test_backends(daemon, network, tmp_path):
    assert set(listed(daemon)) == OWN
    daemon.linkway("service", "set", S3, "--backend", "http://127.0.0.1:9000", "--unknown-keys", "unverified")
    assert listed(daemon)[S3] == {
        "service": S3, "backend": "http://127.0.0.1:9000", "ca": False, "unknown_keys": "unverified",
        "tls": "terminate",
    }
    certificate = tmp_path / "ca.pem"
    certificate.write_text(daemon.linkway("ca").stdout)
    daemon.linkway("service", "set", S3, "--backend", "https://minio:9443", "--ca", certificate)
    assert listed(daemon)[S3]["ca"] is True
    assert "https://minio:9443" in daemon.linkway("service", "list").stdout
    daemon.linkway("service", "unset", S3)
    assert set(listed(daemon)) == OWN


def test_backends_that_are_refused(daemon, network, tmp_path):
    def refused(*arguments):
        done = daemon.linkway("service", *arguments, check=False)
        assert done.returncode == 1, done
        return done.stderr

    assert "there is no AWS service s3" in refused("set", "s3", "--backend", "aws")
    assert "is no backend" in refused("set", S3, "--backend", "127.0.0.1:9000")
    assert "is no backend" in refused("set", S3, "--backend", "http://127.0.0.1:9000/path")
    no_ca = tmp_path / "ca.pem"
    assert str(no_ca) in refused("set", S3, "--backend", "https://minio", "--ca", no_ca)
    no_ca.write_text("certificate")
    assert "PEM" in refused("set", S3, "--backend", "https://minio", "--ca", no_ca)
    no_ca.write_text(daemon.linkway("ca").stdout)
    assert "https:// URLs only" in refused("set", S3, "--backend", "http://minio", "--ca", no_ca)
    assert "passed through only" in refused("set", S3, "--backend", "http://minio", "--tls", "passthrough")
    assert "no backend is set" in refused("unset", S3)
    endpoint = create(network, RDS, PolicyDocument=NARROW)
    assert endpoint in refused("set", RDS, "--backend", "aws", "--tls", "passthrough")
    assert set(listed(daemon)) == OWN

    network.ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, ResetPolicy=True)
    daemon.linkway("service", "set", RDS, "--backend", "aws", "--tls", "passthrough")
    code, message = refusal(network.ec2.modify_vpc_endpoint, VpcEndpointId=endpoint, PolicyDocument=NARROW)
    assert code == "InvalidParameter" and "TLS is passed through" in message
