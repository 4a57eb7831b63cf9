"""IPv6, end to end: instances of a VPC with both families, endpoints, balancers and targets, names, AWS's services."""

import ipaddress
import json
from types import SimpleNamespace

import pytest

from harness.aws import permission
from harness.daemon import ROOT
from harness.service import connect, publish
from harness.tls import Authority, import_certificate
from harness.wait import until

CONNECT = "connect.py"
RESOLVER = "fd00:ec2::253"
METADATA = "http://[fd00:ec2::254]/latest"


class Network:
    """A VPC with an IPv4 and an IPv6 range, whose instances have an address of each."""

    def __init__(self, daemon, account, programs):
        self.daemon, self.account, self.programs = daemon, account, programs
        self.vpc = account.vpc()
        self.range = account.ipv6_range(self.vpc)

    def subnet(self, number, zone="a"):
        """Its subnet of this number."""
        six = list(self.range.subnets(new_prefix=64))[number]
        return self.account.dual_stack_subnet(self.vpc, f"10.0.{number}.0/24", six, zone)

    def echo(self, subnet, group, program="echo.py"):
        """An instance that echoes on port 7000, and its addresses."""
        return self.placed(self.daemon.run(subnet, "/usr/bin/python3", self.programs / program, "7000", groups=[group]))

    def client(self, subnet, group):
        """An instance that does nothing by itself, and its addresses."""
        return self.placed(self.daemon.run(subnet, "sleep", "infinity", groups=[group]))

    def placed(self, instance):
        """An instance with what its interface is reached by."""
        return SimpleNamespace(id=instance, **vars(self.interface(self.account.interface(instance))))

    def interface(self, interface):
        """An interface's addresses."""
        [found] = self.account.ec2.describe_network_interfaces(NetworkInterfaceIds=[interface])["NetworkInterfaces"]
        six = [one["Ipv6Address"] for one in found["Ipv6Addresses"]]
        return SimpleNamespace(interface=interface, ipv4=found["PrivateIpAddress"], ipv6=six[0] if six else None)

    def endpoint(self, service, subnet, group, **options):
        """An endpoint of both families to a service, and its addresses."""
        options = {"IpAddressType": "dualstack"} | options
        made = connect(self.account, service, self.vpc, [subnet], [group], **options)
        return self.opened(made)

    def opened(self, endpoint):
        """An endpoint, once it is available, with its addresses."""
        found = self.account.wait_for_endpoint(endpoint)
        [interface] = found["NetworkInterfaceIds"]
        return SimpleNamespace(id=endpoint, found=found, **vars(self.interface(interface)))

    def said(self, client, host, port=7000, protocol="tcp"):
        """What an attempt to reach an echo server comes to, in its words."""
        arguments = (protocol, host, port, "1")
        return self.daemon.exec(
            client.id, "/usr/bin/python3", self.programs / CONNECT, *arguments
        ).stdout.strip()

    def pings(self, client, host):
        """Whether an echo request is answered."""
        return self.daemon.exec(client.id, "ping", "-6", "-c", "1", "-W", "1", host).returncode == 0

    def dig(self, client, name, kind="AAAA", server=RESOLVER, *options):
        """The status of an answer, and its addresses, sorted."""
        words = ("+tries=1", "+time=2", "+noall", "+comments", "+answer", *options)
        lines = self.daemon.exec(client.id, "dig", f"@{server}", *words, name, kind).stdout.splitlines()
        status = next((line.split("status: ")[1].split(",")[0] for line in lines if "status: " in line), "silent")
        records = [line.split() for line in lines if line and not line.startswith(";")]
        return status, sorted(record[-1] for record in records if record[3] == kind)

    def drops(self, client, reason, attempt):
        """Whether an attempt makes the count of a reason go up, at a client's interface."""
        before = self.daemon.drops(client.interface).get(reason, 0)
        attempt()
        return self.daemon.drops(client.interface).get(reason, 0) > before


@pytest.fixture
def network(daemon, aws, programs):
    return Network(daemon, aws, programs)


def consumer_of(network):
    """Another VPC, of the same account and IPv4 range, with a client and a door for endpoints."""
    made = Network(network.daemon, network.account, network.programs)
    made.place = made.subnet(0)
    made.members = made.account.group(made.vpc)
    made.door = made.account.group(made.vpc, ("tcp", 7000, "10.0.0.0/16"), ("tcp", 7000, str(made.range)))
    made.one = made.client(made.place, made.members)
    return made


def served(network, family, **options):
    """A service of a balancer of both families, whose targets are of one. The targets' subnet, too."""
    subnet = network.subnet(0)
    source = {"ipv4": "10.0.0.0/24", "ipv6": str(network.range)}[family]
    group = network.account.group(network.vpc, ("tcp", 7000, source), ("udp", 7000, source))
    server = network.echo(subnet, group, options.pop("program", "echo.py"))
    service = publish(
        network.account, [subnet], [getattr(server, family)], target_type="ip", dual=True, target_family=family, **options
    )
    network.account.wait_for_targets(service.target_group)
    [node] = network.account.elbv2.describe_load_balancers(LoadBalancerArns=[service.balancer])["LoadBalancers"]
    interfaces = network.account.ec2.describe_network_interfaces(
        Filters=[{"Name": "description", "Values": [f"ELB net/{node['LoadBalancerName']}/*"]}]
    )["NetworkInterfaces"]
    [interface] = [one["NetworkInterfaceId"] for one in interfaces]
    return SimpleNamespace(service=service, server=server, node=network.interface(interface), subnet=subnet, group=group)


def test_instances_reach_each_other_as_groups_and_acls_allow(network):
    ec2 = network.account.ec2
    near, far = network.subnet(0), network.subnet(1)
    members = network.account.group(network.vpc)
    group = network.account.group(network.vpc, ("tcp", 7000, str(network.range)), ("icmpv6", (128, 0), members))
    server, client = network.echo(far, group), network.client(near, members)
    neighbour = network.client(far, members)
    assert ipaddress.ip_address(server.ipv6) in network.range and server.ipv6 != client.ipv6

    until(lambda: network.said(client, server.ipv6) == f"echo {client.ipv6}", "the server listens")
    assert network.said(neighbour, server.ipv6) == f"echo {neighbour.ipv6}", "within a subnet"
    assert network.pings(client, server.ipv6)
    udp = lambda: network.said(client, server.ipv6, protocol="udp")  # noqa: E731
    assert network.drops(client, "IngressDenied", udp)
    assert network.drops(client, "IngressDenied", lambda: network.said(client, server.ipv4)), "no rule of IPv4"
    nobody = str(network.range[-1])
    assert network.drops(client, "NoRoute", lambda: network.said(client, nobody))

    # Rules of security groups, of both directions.
    rule = [permission("tcp", 7000, str(network.range))]
    ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=rule)
    assert network.drops(client, "IngressDenied", lambda: network.said(client, server.ipv6))
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission("tcp", 7000, f"{client.ipv6}/128")])
    assert network.said(client, server.ipv6) == f"echo {client.ipv6}"
    assert network.drops(neighbour, "IngressDenied", lambda: network.said(neighbour, server.ipv6))
    everything = [permission("-1", 0, "::/0")]
    ec2.revoke_security_group_egress(GroupId=members, IpPermissions=everything)
    assert network.drops(client, "EgressDenied", lambda: network.said(client, server.ipv6))
    ec2.authorize_security_group_egress(GroupId=members, IpPermissions=everything)
    assert network.said(client, server.ipv6) == f"echo {client.ipv6}"

    # The network ACL of both subnets: a rule of IPv6 says nothing of IPv4.
    filters = [{"Name": "vpc-id", "Values": [network.vpc]}]
    [acl] = ec2.describe_network_acls(Filters=filters)["NetworkAcls"]
    ec2.create_network_acl_entry(
        NetworkAclId=acl["NetworkAclId"], RuleNumber=10, Protocol="6", RuleAction="deny", Egress=False,
        Ipv6CidrBlock=f"{client.ipv6}/128", PortRange={"From": 7000, "To": 7000},
    )
    assert network.drops(client, "AclIngressDenied", lambda: network.said(client, server.ipv6))
    ec2.delete_network_acl_entry(NetworkAclId=acl["NetworkAclId"], RuleNumber=10, Egress=False)
    assert network.said(client, server.ipv6) == f"echo {client.ipv6}"

    # An address that is taken away is nobody's any more.
    ec2.unassign_ipv6_addresses(NetworkInterfaceId=server.interface, Ipv6Addresses=[server.ipv6])
    until(lambda: not network.said(client, server.ipv6).startswith("echo"), "the address is gone")


@pytest.mark.parametrize("family", ["ipv6", "ipv4"])
def test_an_endpoint_of_both_families(network, family):
    """Whatever the targets' family, clients of both reach them, from the balancer's address of that family."""
    made = served(network, family)
    here = consumer_of(network)
    endpoint = here.endpoint(made.service, here.place, here.door)
    assert endpoint.found["IpAddressType"] == "dualstack"
    assert endpoint.found["DnsOptions"]["DnsRecordIpType"] == "dualstack"
    greeting = f"echo {getattr(made.node, family)}"
    assert here.said(here.one, endpoint.ipv6) == greeting
    assert here.said(here.one, endpoint.ipv4) == greeting
    assert here.drops(here.one, "IngressDenied", lambda: here.said(here.one, endpoint.ipv6, 7001))

    # Its names, and the connection by name.
    name = endpoint.found["DnsEntries"][0]["DnsName"]
    assert here.dig(here.one, name) == ("NOERROR", [endpoint.ipv6])
    assert here.dig(here.one, name, "A") == ("NOERROR", [endpoint.ipv4])
    assert here.dig(here.one, name, "AAAA", "10.0.0.2") == ("NOERROR", [endpoint.ipv6])
    assert here.dig(here.one, name, "AAAA", RESOLVER, "+tcp") == ("NOERROR", [endpoint.ipv6])
    [balancer] = network.account.elbv2.describe_load_balancers(LoadBalancerArns=[made.service.balancer])["LoadBalancers"]
    assert here.dig(here.one, balancer["DNSName"]) == ("NOERROR", [made.node.ipv6])
    here.account.ec2.modify_vpc_endpoint(VpcEndpointId=endpoint.id, DnsOptions={"DnsRecordIpType": "ipv6"})
    here.account.wait_for_endpoint(endpoint.id)
    until(lambda: here.dig(here.one, name, "A") == ("NOERROR", []), "no A record")
    assert here.said(here.one, name) == greeting
    here.account.ec2.modify_vpc_endpoint(VpcEndpointId=endpoint.id, DnsOptions={"DnsRecordIpType": "ipv4"})
    here.account.wait_for_endpoint(endpoint.id)
    until(lambda: here.dig(here.one, name) == ("NOERROR", []), "no AAAA record")

    # At the balancer itself, in its own VPC.
    neighbour = network.client(made.subnet, network.account.group(network.vpc))
    for address in (made.node.ipv4, made.node.ipv6):
        assert network.said(neighbour, address) == greeting

    # A group that lets only IPv4 in closes the other way, and so does the provider.
    rule = [permission("tcp", 7000, str(here.range))]
    here.account.ec2.revoke_security_group_ingress(GroupId=here.door, IpPermissions=rule)
    assert here.drops(here.one, "IngressDenied", lambda: here.said(here.one, endpoint.ipv6))
    assert here.said(here.one, endpoint.ipv4) == greeting
    here.account.ec2.authorize_security_group_ingress(GroupId=here.door, IpPermissions=rule)
    network.account.ec2.reject_vpc_endpoint_connections(ServiceId=made.service.id, VpcEndpointIds=[endpoint.id])
    for address in (endpoint.ipv4, endpoint.ipv6):
        until(lambda to=address: here.said(here.one, to) in ("refused", "timeout"), "the endpoint is closed")


def test_datagrams_stay_in_their_family(network):
    """Streams and datagrams on one port: only streams are carried from one family to the other."""
    made = served(network, "ipv6", protocol="TCP_UDP")
    here = consumer_of(network)
    everything = [permission("udp", 7000, source) for source in ("10.0.0.0/16", str(here.range))]
    here.account.ec2.authorize_security_group_ingress(GroupId=here.door, IpPermissions=everything)
    endpoint = here.endpoint(made.service, here.place, here.door)
    assert here.said(here.one, endpoint.ipv6, protocol="udp") == "echoed"
    greeting = f"echo {made.node.ipv6}"
    assert here.said(here.one, endpoint.ipv6) == here.said(here.one, endpoint.ipv4) == greeting
    assert here.drops(here.one, "NoHealthyTarget", lambda: here.said(here.one, endpoint.ipv4, protocol="udp"))


def test_a_client_of_several_addresses_comes_from_its_first(network):
    """So that it is known by the one that it uses, whatever it was given later."""
    group = network.account.group(network.vpc, ("tcp", 7000, str(network.range)))
    subnet = network.subnet(0)
    server, client = network.echo(subnet, group), network.client(subnet, group)
    until(lambda: network.said(client, server.ipv6) == f"echo {client.ipv6}", "the server listens")
    ec2 = network.account.ec2
    [second] = ec2.assign_ipv6_addresses(NetworkInterfaceId=client.interface, Ipv6AddressCount=1)[
        "AssignedIpv6Addresses"
    ]
    shown = ("ip", "-6", "-o", "address", "show", "dev", "eth0")
    until(lambda: second in network.daemon.exec(client.id, *shown).stdout, "the second address")
    assert network.said(client, server.ipv6) == f"echo {client.ipv6}"
    assert network.pings(client, server.ipv6) is False, "no rule of ICMPv6"
    ec2.unassign_ipv6_addresses(NetworkInterfaceId=client.interface, Ipv6Addresses=[client.ipv6])
    until(lambda: network.said(client, server.ipv6) == f"echo {second}", "the second one is the first now")


@pytest.mark.parametrize("family", ["ipv6", "ipv4"])
def test_proxy_protocol_tells_of_the_client_as_it_came(network, family):
    made = served(network, family, program="proxied.py")
    network.account.elbv2.modify_target_group_attributes(
        TargetGroupArn=made.service.target_group, Attributes=[{"Key": "proxy_protocol_v2.enabled", "Value": "true"}]
    )
    here = consumer_of(network)
    endpoint = here.endpoint(made.service, here.place, here.door)
    for by in ("ipv4", "ipv6"):
        def told(to=getattr(endpoint, by)):
            said = here.said(here.one, to)
            return json.loads(said) if said.startswith("{") else None

        told = until(told, "a header")
        assert told["source"][0] == getattr(here.one, by) and told["destination"] == [getattr(endpoint, by), 7000]
        assert told["records"]["0xea"] == "\x01" + endpoint.id
        assert told["peer"] == getattr(made.node, family)


def test_a_tls_listener_by_ipv6(network, programs, tmp_path):
    tmp_path.chmod(0o755)
    authority = Authority(tmp_path)
    arn = import_certificate(network.account, authority.issue("shop.example.com"))
    made = served(network, "ipv4", certificate=arn)
    here = consumer_of(network)
    endpoint = here.endpoint(made.service, here.place, here.door)
    said = here.daemon.exec(
        here.one.id, "/usr/bin/python3", programs / "secure.py", endpoint.ipv6, "7000",
        authority.own.certificate, "shop.example.com", check=True,
    ).stdout
    assert json.loads(said)["echo"] == "hello" and json.loads(said)["greeting"] == f"echo {made.node.ipv4}", said


def test_an_aws_service_by_ipv6(network):
    """With records of IPv6 only, the stock client reaches the service by IPv6; its policy knows where from."""
    account, ec2 = network.account, network.account.ec2
    subnet, members = network.subnet(0), account.group(network.vpc)
    client, other = network.client(subnet, members), network.client(subnet, members)
    door = account.group(network.vpc, ("tcp", 443, str(network.range)))
    only = {"Condition": {"IpAddress": {"aws:VpcSourceIp": f"{client.ipv6}/128"}}}
    statement = {"Effect": "Allow", "Principal": "*", "Action": "ec2:DescribeVpcs", "Resource": "*"} | only
    made = ec2.create_vpc_endpoint(
        VpcEndpointType="Interface", VpcId=network.vpc, ServiceName="com.amazonaws.us-east-1.ec2", SubnetIds=[subnet],
        SecurityGroupIds=[door], IpAddressType="dualstack", DnsOptions={"DnsRecordIpType": "ipv6"},
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )["VpcEndpoint"]["VpcEndpointId"]
    endpoint = network.opened(made)
    name = "ec2.us-east-1.amazonaws.com"
    assert network.dig(client, name) == ("NOERROR", [endpoint.ipv6])
    assert network.dig(client, name, "A") == ("NOERROR", [])

    def cli(instance, call):
        known = {
            "AWS_ACCESS_KEY_ID": account.key, "AWS_SECRET_ACCESS_KEY": account.secret, "AWS_MAX_ATTEMPTS": "1",
            "AWS_DEFAULT_REGION": "us-east-1", "AWS_CONFIG_FILE": "/dev/null", "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_PAGER": "",
        }
        words = [f"{key}={value}" for key, value in known.items()]
        return network.daemon.exec(instance.id, "env", *words, ROOT / ".venv/bin/aws", "ec2", call)

    done = cli(client, "describe-vpcs")
    assert done.returncode == 0 and network.vpc in done.stdout, done.stderr
    denied = "because no VPC endpoint policy allows the ec2:{} action"
    assert denied.format("DescribeSubnets") in cli(client, "describe-subnets").stderr
    assert denied.format("DescribeVpcs") in cli(other, "describe-vpcs").stderr

    signed = ("curl", "-6", "-s", "-m", "10", "--aws-sigv4", "aws:amz:us-east-1:ec2",
              "--user", f"{account.key}:{account.secret}", f"https://{name}/?Action=DescribeVpcs&Version=2016-11-15")
    answer = network.daemon.exec(client.id, *signed)
    assert answer.returncode == 0 and network.vpc in answer.stdout, answer.stderr + answer.stdout
    path = network.daemon.state_dir / "audit-ephemeral" / "network-activity.jsonl"

    def records():
        its = [json.loads(line) for line in path.read_text().splitlines() if endpoint.id in line]
        return its if len(its) >= 4 else None

    assert [record["sourceIPAddress"] for record in until(records, "records")] == [
        client.ipv6, client.ipv6, other.ipv6, client.ipv6
    ]


def test_an_instance_reads_its_addresses_by_ipv6(network):
    """Metadata at fd00:ec2::254, the resource name's AAAA record, and the way back."""
    subnet = network.subnet(0)
    for change in (
        {"EnableResourceNameDnsAAAARecordOnLaunch": {"Value": True}},
        {"EnableResourceNameDnsARecordOnLaunch": {"Value": True}},
    ):
        network.account.ec2.modify_subnet_attribute(SubnetId=subnet, **change)
    one = network.client(subnet, network.account.group(network.vpc))

    def read(path, instance=one):
        done = network.daemon.exec(instance.id, "curl", "-6", "-s", "-m", "5", f"{METADATA}{path}")
        return done.stdout.strip()

    mac = read("/meta-data/mac")
    assert read("/meta-data/instance-id") == one.id and read("/meta-data/ipv6") == one.ipv6
    of_interface = f"/meta-data/network/interfaces/macs/{mac}"
    assert read(f"{of_interface}/ipv6s") == one.ipv6 and read(f"{of_interface}/local-ipv4s") == one.ipv4
    assert read(f"{of_interface}/vpc-ipv6-cidr-blocks") == str(network.range)
    assert ipaddress.ip_address(one.ipv6) in ipaddress.ip_network(read(f"{of_interface}/subnet-ipv6-cidr-blocks"))

    name = f"{one.id}.ec2.internal"
    assert network.dig(one, name) == ("NOERROR", [one.ipv6]) and network.dig(one, name, "A") == ("NOERROR", [one.ipv4])
    by_address = f"ip-{one.ipv4.replace('.', '-')}.ec2.internal"
    assert network.dig(one, by_address) == ("NOERROR", [])
    pointer = ipaddress.ip_address(one.ipv6).reverse_pointer
    assert network.dig(one, pointer, "PTR") == ("NOERROR", [f"{name}."])
    nobody = network.range[-1].reverse_pointer
    assert network.dig(one, nobody, "PTR") == ("NXDOMAIN", [])


def test_metadata_by_ipv6_is_for_those_that_ask_for_it(network):
    account = network.account
    [image] = account.ec2.describe_images(Owners=["amazon"])["Images"]
    subnet = network.subnet(0)
    launched = account.ec2.run_instances(
        ImageId=image["ImageId"], MinCount=1, MaxCount=1, SubnetId=subnet, MetadataOptions={"HttpTokens": "optional"}
    )["Instances"][0]
    assert launched["MetadataOptions"]["HttpProtocolIpv6"] == "disabled"
    instance = launched["InstanceId"]
    account.ec2.get_waiter("instance_running").wait(
        InstanceIds=[instance], WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )

    def status():
        form = ("-o", "/dev/null", "-w", "%{http_code}")
        url = f"{METADATA}/meta-data/ipv6"
        return network.daemon.exec(instance, "curl", "-6", "-s", "-m", "5", *form, url).stdout

    assert status() == "403"
    changed = account.ec2.modify_instance_metadata_options(InstanceId=instance, HttpProtocolIpv6="enabled")
    assert changed["InstanceMetadataOptions"]["HttpProtocolIpv6"] == "enabled"
    until(lambda: status() == "200", "metadata by IPv6")
