"""DNS from inside: by dig and by the C library, as each VPC sees it."""

import pytest

from harness.aws import Account, refusal
from harness.daemon import Daemon
from harness.service import connect, publish
from harness.wait import until

CONSUMER = "arn:aws:iam::210987654321:root"


@pytest.fixture
def client(daemon, other):
    """An instance of the other account's VPC, in zone a of two."""
    other.in_vpc = other.vpc()
    other.subnets = [other.subnet(other.in_vpc, "10.0.0.0/24", "a"), other.subnet(other.in_vpc, "10.0.1.0/24", "b")]
    return daemon.run(other.subnets[0], "sleep", "infinity")


@pytest.fixture
def service(aws):
    """A service in two zones that the other account may use."""
    vpc = aws.vpc()
    service = publish(aws, [aws.subnet(vpc, "10.0.0.0/24", "a"), aws.subnet(vpc, "10.0.1.0/24", "b")], [])
    service.permit(CONSUMER)
    return service


def dig(daemon, instance, *question, server="10.0.0.2"):
    """The status of an answer and its records' data."""
    done = daemon.exec(instance, "dig", f"@{server}", "+tries=1", "+time=2", "+noall", "+comments", "+answer", *question)
    lines = done.stdout.splitlines()
    status = next((line.split("status: ")[1].split(",")[0] for line in lines if "status: " in line), "silent")
    return status, [line.split(None, 4)[4] for line in lines if line and not line.startswith(";")]


def verify(service, upstream, name):
    """Give a service a private DNS name, and have it verified by its record."""
    ec2 = service.account.ec2
    ec2.modify_vpc_endpoint_service_configuration(ServiceId=service.id, PrivateDnsName=name)
    asked = dns_of(service)
    assert asked["State"] == "pendingVerification" and asked["Type"] == "TXT"
    upstream.records[f"{asked['Name']}.{name}", "TXT"] = [asked["Value"]]
    ec2.start_vpc_endpoint_service_private_dns_verification(ServiceId=service.id)
    until(lambda: dns_of(service)["State"] == "verified", f"{name} verified")


def dns_of(service):
    """The configuration of a service's private DNS name."""
    [found] = service.account.ec2.describe_vpc_endpoint_service_configurations(ServiceIds=[service.id])[
        "ServiceConfigurations"
    ]
    return found["PrivateDnsNameConfiguration"]


@pytest.mark.parametrize("server", ["10.0.0.2", "169.254.169.253"])
@pytest.mark.parametrize("transport", ["+notcp", "+tcp", "+bufsize=1232", "+noedns"])
def test_an_endpoints_names(daemon, other, client, service, server, transport):
    endpoint = connect(other, service, other.in_vpc, other.subnets)
    regional, *zonal = (entry["DnsName"] for entry in other.wait_for_endpoint(endpoint)["DnsEntries"])
    addresses = other.endpoint_addresses(endpoint)
    status, found = dig(daemon, client, transport, regional, "A", server=server)
    assert status == "NOERROR" and set(found) == set(addresses.values())
    for name in zonal:
        zone = name.split(".")[0][-1]
        assert dig(daemon, client, transport, name, "A", server=server) == ("NOERROR", [addresses[zone]])
    assert dig(daemon, client, transport, regional, "AAAA", server=server) == ("NOERROR", [])


def test_answers_live_for_a_minute(daemon, other, client, service):
    endpoint = connect(other, service, other.in_vpc, other.subnets[:1])
    regional = other.wait_for_endpoint(endpoint)["DnsEntries"][0]["DnsName"]
    done = daemon.exec(client, "dig", "@10.0.0.2", "+noall", "+answer", "+edns=0", regional)
    assert done.stdout.split()[1] == "60"


def test_a_private_name_leads_to_the_endpoint_in_its_vpc_only(daemon, other, client, service, upstream):
    verify(service, upstream, "db.example.com")
    upstream.records["db.example.com", "A"] = ["192.0.2.10"]
    assert dig(daemon, client, "db.example.com", "A") == ("NOERROR", ["192.0.2.10"])
    endpoint = connect(other, service, other.in_vpc, other.subnets, PrivateDnsEnabled=True)
    entries = [entry["DnsName"] for entry in other.wait_for_endpoint(endpoint)["DnsEntries"]]
    assert entries[-1] == "db.example.com"
    addresses = other.endpoint_addresses(endpoint)
    status, found = dig(daemon, client, "db.example.com", "A")
    assert status == "NOERROR" and found[0] == entries[0] + "." and set(found[1:]) == set(addresses.values())
    # By the C library too, as programs ask.
    done = daemon.exec(client, "getent", "ahostsv4", "db.example.com")
    assert {line.split()[0] for line in done.stdout.splitlines()} == set(addresses.values())
    elsewhere = daemon.run(other.subnet(other.vpc(), "10.0.0.0/24"), "sleep", "infinity")
    assert dig(daemon, elsewhere, "db.example.com", "A") == ("NOERROR", ["192.0.2.10"])
    other.ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])
    until(lambda: dig(daemon, client, "db.example.com", "A")[1] == ["192.0.2.10"], "the name no longer the endpoint's")


def test_a_record_must_be_the_one_asked_for(service, upstream):
    ec2 = service.account.ec2
    ec2.modify_vpc_endpoint_service_configuration(ServiceId=service.id, PrivateDnsName="db.example.com")
    asked = dns_of(service)
    upstream.records[f"{asked['Name']}.db.example.com", "TXT"] = [asked["Value"].lower()]
    ec2.start_vpc_endpoint_service_private_dns_verification(ServiceId=service.id)
    until(lambda: dns_of(service)["State"] == "failed", "the verification failed")
    # At the domain itself it counts as well.
    upstream.records["db.example.com", "TXT"] = ["something else", asked["Value"]]
    ec2.start_vpc_endpoint_service_private_dns_verification(ServiceId=service.id)
    until(lambda: dns_of(service)["State"] == "verified", "the name verified")


def test_private_names_that_cannot_be_enabled(daemon, other, client, service, upstream):
    def create(vpc, subnets, **options):
        return refusal(
            other.ec2.create_vpc_endpoint, VpcEndpointType="Interface", VpcId=vpc, ServiceName=service.name,
            SubnetIds=subnets, PrivateDnsEnabled=True, **options,
        )

    assert create(other.in_vpc, other.subnets) == (
        "InvalidParameter",
        f"Private DNS can't be enabled because the service {service.name} does not provide a private DNS name.",
    )
    service.account.ec2.modify_vpc_endpoint_service_configuration(ServiceId=service.id, PrivateDnsName="db.example.com")
    assert create(other.in_vpc, other.subnets) == (
        "InvalidParameter",
        f"Private DNS can't be enabled because the service {service.name} has not verified the private DNS name.",
    )
    verify(service, upstream, "db.example.com")
    plain = other.vpc(dns=False)
    assert create(plain, [other.subnet(plain, "10.0.0.0/24")]) == (
        "InvalidParameter",
        "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true for "
        + plain,
    )
    connect(other, service, other.in_vpc, other.subnets[:1], PrivateDnsEnabled=True)
    assert create(other.in_vpc, other.subnets[1:]) == (
        "InvalidParameter",
        "private-dns-enabled cannot be set because there is already a conflicting DNS domain for db.example.com in "
        f"the VPC {other.in_vpc}",
    )


def test_instances_have_names(daemon, other, client):
    neighbour = daemon.run(other.subnets[1], "sleep", "infinity", private_ip="10.0.1.50")
    assert neighbour
    assert dig(daemon, client, "ip-10-0-1-50.ec2.internal", "A") == ("NOERROR", ["10.0.1.50"])
    assert dig(daemon, client, "-x", "10.0.1.50") == ("NOERROR", ["ip-10-0-1-50.ec2.internal."])
    assert dig(daemon, client, "ip-10-0-1-51.ec2.internal", "A")[0] == "NXDOMAIN"


def test_other_names_go_upstream(daemon, client, upstream):
    upstream.records["www.example.org", "A"] = ["192.0.2.80"]
    for transport in ("+notcp", "+tcp"):
        assert dig(daemon, client, transport, "www.example.org", "A") == ("NOERROR", ["192.0.2.80"])
    assert dig(daemon, client, "nothing.example.org", "A")[0] == "NXDOMAIN"


def test_a_vpc_without_dns_gets_no_answers(daemon, other, client, upstream):
    upstream.records["www.example.org", "A"] = ["192.0.2.80"]
    other.ec2.modify_vpc_attribute(VpcId=other.in_vpc, EnableDnsSupport={"Value": False})
    until(lambda: dig(daemon, client, "www.example.org", "A")[0] == "silent", "no answers")


def test_without_an_upstream_other_names_are_refused():
    with Daemon(arguments=["--ephemeral", "--upstream", "none"]) as daemon:
        aws = Account.first(daemon)
        instance = daemon.run(aws.subnet(aws.vpc(), "10.0.0.0/24"), "sleep", "infinity")
        assert dig(daemon, instance, "www.example.org", "A") == ("REFUSED", [])


def test_names_lead_where_targets_are_healthy(daemon, aws, other, client, programs):
    vpc = aws.vpc()
    subnets = [aws.subnet(vpc, "10.0.0.0/24", "a"), aws.subnet(vpc, "10.0.1.0/24", "b")]
    group = aws.group(vpc, ("tcp", 7000, "10.0.0.0/16"))
    servers = [
        daemon.run(subnet, "sh", "-c", f"/usr/bin/python3 {programs}/echo.py 7000 & sleep infinity", groups=[group])
        for subnet in subnets
    ]
    service = publish(aws, subnets, servers)
    service.permit(CONSUMER)
    aws.wait_for_targets(service.target_group)
    endpoint = connect(other, service, other.in_vpc, other.subnets)
    regional = other.wait_for_endpoint(endpoint)["DnsEntries"][0]["DnsName"]
    addresses = other.endpoint_addresses(endpoint)
    assert set(dig(daemon, client, regional, "A")[1]) == set(addresses.values())
    daemon.exec(servers[1], "pkill", "python3", check=True)
    until(lambda: dig(daemon, client, regional, "A")[1] == [addresses["a"]], "zone b out of the name", 40)
