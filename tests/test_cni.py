"""`linkway-cni`: containers' interfaces, as their runtimes ask for them. In real namespaces; and by podman, if it is
installed.
"""

import contextlib
import json
import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.aws import Account, permission
from harness.cni import Plugin, address, names
from harness.netns import Namespace
from harness.podman import Podman
from harness.service import connect, publish
from harness.wait import until


@pytest.fixture
def boxes():
    """Makes namespaces, as a runtime does before it calls a plugin."""
    with contextlib.ExitStack() as stack:
        yield lambda: stack.enter_context(Namespace("box"))


@pytest.fixture
def vpc(aws):
    """A VPC for a test."""
    return aws.vpc()


@pytest.fixture
def subnet(aws, vpc):
    """Its subnet."""
    return aws.subnet(vpc, "10.0.0.0/24")


@pytest.fixture
def plugin(daemon, subnet, tmp_path):
    """The plugin, for containers in that subnet."""
    return Plugin(tmp_path, daemon, subnet=subnet)


def interfaces(aws):
    """All interfaces."""
    return aws.ec2.describe_network_interfaces()["NetworkInterfaces"]


def answers(box, programs, server, port=7000):
    """Whether an echo server answers a container."""
    done = box.run("/usr/bin/python3", programs / "connect.py", "tcp", server, port, "1", check=False)
    return done.returncode == 0


def serve(box, programs, port=7000):
    """Run an echo server in a container."""
    box.start("/usr/bin/python3", str(programs / "echo.py"), str(port))
    until(lambda: box.listens(port), "the server listens")


def test_two_containers_reach_each_other_as_their_groups_allow(aws, vpc, subnet, plugin, boxes, programs):
    web, database = aws.group(vpc), aws.group(vpc)
    aws.ec2.authorize_security_group_ingress(GroupId=database, IpPermissions=[permission("tcp", 7000, web)])
    client, stranger, server = boxes(), boxes(), boxes()
    plugin.configured(securityGroups=[web]).add("client", client)
    plugin.add("stranger", stranger)
    found = address(plugin.configured(securityGroups=[database]).add("server", server))
    serve(server, programs)
    serve(server, programs, 7001)
    assert answers(client, programs, found)
    assert not answers(client, programs, found, 7001)
    assert not answers(stranger, programs, found)
    aws.ec2.modify_network_interface_attribute(
        NetworkInterfaceId=next(one["NetworkInterfaceId"] for one in interfaces(aws)
                                if one["Description"] == "Container stranger in the CNI network net"),
        Groups=[web],
    )
    until(lambda: answers(stranger, programs, found), "an answer, by the group that was given later")


def test_an_endpoint_service_is_reached_by_its_name(aws, other, plugin, vpc, subnet, boxes, programs, daemon):
    place = other.vpc("10.0.0.0/16")
    behind = other.subnet(place, "10.0.0.0/24")
    group = other.group(place, ("tcp", 7000, "10.0.0.0/16"))
    server = boxes()
    provider = plugin.configured(subnet=behind, securityGroups=[group])
    backend = address(provider.add("server", server))
    serve(server, programs)
    service = publish(other, [behind], [backend], target_type="ip")
    other.wait_for_targets(service.target_group)
    service.permit(f"arn:aws:iam::{aws.number}:root")
    door = aws.group(vpc, ("tcp", 7000, "10.0.0.0/16"))
    endpoint = connect(aws, service, vpc, [subnet], [door])
    aws.wait_for_endpoint(endpoint)

    client = boxes()
    result = plugin.add("client", client)
    assert result["dns"] == {"nameservers": ["10.0.0.2"], "search": ["ec2.internal"]}
    name = aws.endpoint(endpoint)["DnsEntries"][0]["DnsName"]
    found = client.run("dig", f"@{result['dns']['nameservers'][0]}", "+short", "+tries=1", "+time=2", name).stdout.split()
    assert found == list(aws.endpoint_addresses(endpoint).values())
    assert answers(client, programs, found[0]), daemon.drops()


@pytest.mark.parametrize("version", ["0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"])
def test_each_version_has_its_result(aws, subnet, plugin, boxes, version):
    box = boxes()
    result = plugin.configured(cniVersion=version).add("c", box)
    [found] = interfaces(aws)
    expected = {"name": "eth0", "mac": found["MacAddress"], "sandbox": box.path}
    assert result["cniVersion"] == version
    assert result["interfaces"] == [expected | ({"mtu": 8500} if version == "1.1.0" else {})]
    ip = {"address": "10.0.0.4/24", "gateway": "10.0.0.1", "interface": 0}
    assert result["ips"] == [ip | ({"version": "4"} if version < "1.0.0" else {})]
    routes = {route["dst"]: route["gw"] for route in result["routes"]}
    assert routes == dict.fromkeys(["0.0.0.0/0", "10.0.0.0/16", "169.254.169.253/32"], "10.0.0.1")
    assert "10.0.0.4/24" in box.ip("-brief", "address", "show", "dev", "eth0")
    check = plugin.configured(cniVersion=version, prevResult=result).call("CHECK", **names("c", box.path))
    assert check == (0, None) if version >= "0.4.0" else check[1]["code"] == 1
    plugin.configured(cniVersion=version).delete("c", box)
    assert interfaces(aws) == []
    for command in ("GC", "STATUS") if version < "1.1.0" else ():
        assert plugin.configured(cniVersion=version).refused(command)[0] == 1


@pytest.mark.parametrize("version", ["0.4.0", "1.1.0"])
def test_a_container_has_ipv6_where_its_subnet_has(aws, plugin, boxes, version):
    vpc = aws.ec2.create_vpc(CidrBlock="10.6.0.0/16", AmazonProvidedIpv6CidrBlock=True)["Vpc"]["VpcId"]
    [described] = aws.ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"]
    prefix = described["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"].removesuffix("/56")
    subnet = aws.ec2.create_subnet(VpcId=vpc, CidrBlock="10.6.0.0/24", Ipv6CidrBlock=f"{prefix}/64")["Subnet"]["SubnetId"]
    aws.ec2.modify_subnet_attribute(SubnetId=subnet, AssignIpv6AddressOnCreation={"Value": True})
    plugin = plugin.configured(cniVersion=version, subnet=subnet)
    near, far = boxes(), boxes()
    result = plugin.add("near", near)
    assert [ip["gateway"] for ip in result["ips"]] == ["10.6.0.1", "fe80::1"]
    assert {"dst": "::/0", "gw": "fe80::1"} in result["routes"]
    if version < "1.0.0":
        assert [ip["version"] for ip in result["ips"]] == ["4", "6"]
    assert plugin.check("near", near, result) is None
    plugin.add("far", far)
    far.run("ping", "-6", "-c", "1", "-W", "2", address(result))
    near.ip("-6", "route", "delete", "default")
    assert plugin.check("near", near, result)["code"] == 101


def test_versions_are_told_and_others_refused(plugin, boxes):
    versions = ["0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"]
    assert plugin.call("VERSION", configuration='{"cniVersion": "1.0.0"}') == (
        0, {"cniVersion": "1.0.0", "supportedVersions": versions}
    )
    assert plugin.call("VERSION", configuration="") == (0, {"cniVersion": "1.1.0", "supportedVersions": versions})
    for version in ("0.2.0", "2.0.0", None):
        found, details = plugin.configured(cniVersion=version).refused("ADD", **names("c", boxes().path))
        assert found == 1 and (version or "0.1.0") in details


def test_what_is_asked_for_one_container_goes_first(aws, other, vpc, subnet, plugin, boxes):
    near, far = aws.subnet(vpc, "10.0.1.0/24"), aws.subnet(vpc, "10.0.2.0/24", zone="b")
    first, second = aws.group(vpc), aws.group(vpc)
    asked = f"IgnoreUnknown=1;K8S_POD_NAME=web;LINKWAY_SUBNET={near};LINKWAY_GROUPS={first},{second};IP=10.0.1.50"
    assert address(plugin.add("arguments", boxes(), CNI_ARGS=asked)) == "10.0.1.50"
    [found] = interfaces(aws)
    assert found["SubnetId"] == near and {one["GroupId"] for one in found["Groups"]} == {first, second}
    assert found["TagSet"] == [{"Key": "Name", "Value": "web"}]

    labels = {"cni": {"labels": [{"key": "linkway.subnet", "value": far}], "ips": ["10.0.2.51"]}}
    assert address(plugin.configured(args=labels).add("labels", boxes(), CNI_ARGS=asked)) == "10.0.2.51"
    runtime = {
        "ips": ["10.0.0.52/24"], "portMappings": [{"hostPort": 80, "containerPort": 80}],
        "io.kubernetes.cri.pod-annotations": {"linkway.subnet": subnet, "linkway.security-groups": second},
    }
    annotated = plugin.configured(args=labels, runtimeConfig=runtime)
    assert address(annotated.add("annotations", boxes(), CNI_ARGS=asked)) == "10.0.0.52"
    [found] = [one for one in interfaces(aws) if one["PrivateIpAddress"] == "10.0.0.52"]
    assert [one["GroupId"] for one in found["Groups"]] == [second]

    # An account's networks stay its own, whatever a container is asked for with.
    theirs = other.subnet(other.vpc(), "10.0.0.0/24")
    own = plugin.configured(account=aws.number)
    own.add("own", boxes())
    found, details = own.refused("ADD", **names("c", boxes().path), CNI_ARGS=f"LINKWAY_SUBNET={theirs}")
    assert (found, details) == (100, f"The subnet ID '{theirs}' does not exist")


def test_what_cannot_be_done_has_its_code_and_leaves_nothing(aws, vpc, plugin, boxes):
    box = boxes()
    good = names("c", box.path)

    def refused(expected, text, command="ADD", plugin=plugin, **variables):
        found, details = plugin.refused(command, **(good | variables))
        assert found == expected and text in details, (found, details)

    refused(2, 'securitygroups is ["sg-1"]', plugin=plugin.configured(securitygroups=["sg-1"]))
    refused(2, "ipam is", plugin=plugin.configured(ipam={"type": "host-local"}))
    refused(2, "02:00:00:00:00:01", plugin=plugin.configured(runtimeConfig={"mac": "02:00:00:00:00:01"}))
    refused(3, "/run/netns/no-such", CNI_NETNS="/run/netns/no-such")
    refused(3, "/etc/hostname", CNI_NETNS="/etc/hostname")
    for variable in ("CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME"):
        refused(4, variable, **{variable: None})
    refused(4, "CNI_IFNAME", CNI_IFNAME="a-name-of-sixteen")
    refused(4, "CNI_COMMAND", command="UPDATE")
    refused(4, "CNI_COMMAND", command="")
    refused(4, "LINKWAY_GROUP", CNI_ARGS="LINKWAY_GROUP=sg-1")
    refused(6, "JSON", configuration="{")
    refused(7, "no subnet", plugin=plugin.configured(subnet=None))
    refused(7, "vpc-1a2b3c4d", plugin=plugin.configured(subnet="vpc-1a2b3c4d"))
    refused(7, "IPv6", plugin=plugin.configured(runtimeConfig={"ips": ["fd00::1/64"]}))
    refused(11, "linkway up", plugin=plugin.configured(stateDir="/nowhere"))
    refused(100, "subnet-0123456789abcdef0", plugin=plugin.configured(subnet="subnet-0123456789abcdef0"))
    refused(100, "sg-0123456789abcdef0", plugin=plugin.configured(securityGroups=["sg-0123456789abcdef0"]))
    refused(100, "10.9.0.1", CNI_ARGS="IP=10.9.0.1")
    refused(100, "host's own", CNI_IFNAME="vpc9", CNI_NETNS=f"/proc/{os.getpid()}/ns/net")
    box.ip("link", "add", "eth0", "type", "veth", "peer", "name", "other")
    refused(100, "eth0 already")
    assert interfaces(aws) == []
    box.ip("link", "delete", "eth0")

    plugin.add("c", box)
    refused(100, "eth0 already")
    elsewhere = boxes()
    refused(100, "DEL", CNI_NETNS=elsewhere.path)
    assert len(interfaces(aws)) == 1 and "eth0" not in elsewhere.ip("-brief", "link")
    [found] = interfaces(aws)
    with pytest.raises(aws.ec2.exceptions.ClientError, match="container's runtime"):
        aws.ec2.detach_network_interface(AttachmentId=found["Attachment"]["AttachmentId"])


def test_an_answer_that_nobody_reads_leaves_nothing(aws, plugin, boxes):
    box = boxes()
    with open("/dev/full", "w") as full:
        done = plugin.run("ADD", stdout=full, **names("c", box.path))
    assert done.returncode == 1
    assert interfaces(aws) == [] and "eth0" not in box.ip("-brief", "link")


def test_containers_come_and_go_at_the_same_time(aws, plugin, boxes):
    containers = {f"c{number}": boxes() for number in range(12)}
    with ThreadPoolExecutor() as pool:
        results = list(pool.map(plugin.add, containers, containers.values()))
        assert len({address(result) for result in results}) == len(interfaces(aws)) == len(containers)
        for result, box in zip(results, containers.values()):
            assert result["ips"][0]["address"] in box.ip("-brief", "address", "show", "dev", "eth0")
        list(pool.map(plugin.delete, containers, containers.values()))
    assert interfaces(aws) == []
    assert all("eth0" not in box.ip("-brief", "link") for box in containers.values())


def test_what_is_gone_is_deleted_with_success(aws, plugin, boxes):
    box = boxes()
    plugin.delete("c", box)
    plugin.add("c", box)
    plugin.configured(name="another").delete("c", box)
    plugin.delete("another", box)
    plugin.delete("c", box, ifname="eth1")
    assert len(interfaces(aws)) == 1
    plugin.delete("c", box)
    assert interfaces(aws) == [] and "eth0" not in box.ip("-brief", "link")
    plugin.delete("c", box)
    plugin.add("c", box)
    box.delete()
    # A configuration that has become wrong stands in nobody's way.
    plugin.configured(subnets=["subnet-1"]).delete("c")
    assert interfaces(aws) == []


def test_a_container_comes_again_after_its_namespace_went_without_a_word(aws, vpc, daemon, plugin, boxes, programs):
    lost, server = boxes(), boxes()
    group = aws.group(vpc, ("tcp", 7000, "10.0.0.0/16"))
    found = address(plugin.configured(securityGroups=[group]).add("server", server))
    serve(server, programs)
    plugin.add("c", lost)
    lost.delete()
    assert len(interfaces(aws)) == 2, "it is kept until the runtime says otherwise"
    again = boxes()
    plugin.add("c", again)
    assert len(interfaces(aws)) == 2
    assert answers(again, programs, found), daemon.drops()


def test_check_notices_what_has_changed(aws, vpc, plugin, boxes):
    box = boxes()
    result = plugin.add("c", box)
    assert plugin.check("c", box, result) is None
    assert plugin.check("c", box, None)["code"] == 7
    assert plugin.check("another", box, result)["code"] == 101

    def changed(text, *undo):
        answer = plugin.check("c", box, result)
        assert answer and answer["code"] == 101 and text in answer["details"], answer
        for command in undo:
            box.ip(*command.split())
        assert plugin.check("c", box, result) is None

    box.ip("address", "delete", "10.0.0.4/24", "dev", "eth0")
    changed("10.0.0.4", "address add 10.0.0.4/24 dev eth0", "route add default via 10.0.0.1",
            "route add 10.0.0.0/16 via 10.0.0.1", "route add 169.254.169.253 via 10.0.0.1")
    box.ip("route", "delete", "169.254.169.253")
    changed("169.254.169.253", "route add 169.254.169.253 via 10.0.0.1")
    # Another way to the same place may be a later plugin's work.
    box.ip("route", "replace", "default", "via", "10.0.0.200")
    assert plugin.check("c", box, result) is None
    box.ip("link", "set", "eth0", "down")
    changed("down", "link set eth0 up", "route add default via 10.0.0.1",
            "route add 10.0.0.0/16 via 10.0.0.1", "route add 169.254.169.253 via 10.0.0.1")
    box.ip("link", "set", "eth0", "down")
    box.ip("link", "set", "eth0", "name", "eth7")
    box.ip("link", "add", "eth0", "type", "veth", "peer", "name", "other")
    assert plugin.check("c", box, result)["code"] == 101
    box.ip("link", "delete", "eth0")
    assert "no device eth0" in plugin.check("c", box, result)["details"]
    elsewhere = boxes()
    assert plugin.check("c", elsewhere, result)["code"] == 101
    box.delete()
    assert plugin.check("c", box, result)["code"] == 3


def test_gc_removes_what_the_runtime_does_not_know(aws, daemon, plugin, boxes):
    kept, stale, gone, other = boxes(), boxes(), boxes(), boxes()
    plugin.add("kept", kept)
    plugin.add("kept", stale, ifname="eth1")
    plugin.add("gone", gone)
    plugin.configured(name="another").add("gone", other)
    attached = daemon.linkway("attach", "--subnet", plugin.configuration["subnet"], "--netns", other.path,
                              "--device", "vpc0").stdout.strip()
    gone.delete()
    assert plugin.refused("GC")[0] == 7 and len(interfaces(aws)) == 5
    valid = [{"containerID": "kept", "ifname": "eth0"}, {"containerID": "unknown", "ifname": "eth0"}]
    assert plugin.configured(**{"cni.dev/valid-attachments": valid}).call("GC") == (0, None)
    left = {found["NetworkInterfaceId"]: found["Description"] for found in interfaces(aws)}
    assert left.pop(attached) == ""
    assert sorted(left.values()) == ["Container gone in the CNI network another", "Container kept in the CNI network net"]
    assert "eth1" not in stale.ip("-brief", "link") and "eth0" in kept.ip("-brief", "link")
    # libcni's empty list.
    null = json.dumps(plugin.configuration | {"cni.dev/valid-attachments": None})
    assert plugin.call("GC", configuration=null) == (0, None)
    assert len(interfaces(aws)) == 2


def test_status_says_whether_containers_can_come(aws, vpc, plugin):
    assert plugin.call("STATUS") == (0, None)
    assert plugin.configured(subnet=None).call("STATUS") == (0, None)
    missing = plugin.configured(subnet="subnet-0123456789abcdef0").refused("STATUS")
    assert missing == (50, "The subnet ID 'subnet-0123456789abcdef0' does not exist")
    small = aws.subnet(vpc, "10.0.9.0/28")
    for _ in range(11):
        aws.ec2.create_network_interface(SubnetId=small)
    found, details = plugin.configured(subnet=small).refused("STATUS")
    assert found == 50 and "free" in details, details
    assert plugin.configured(stateDir="/nowhere").refused("STATUS")[0] == 51


def test_it_stands_in_a_chain_and_beside_other_networks(aws, vpc, plugin, boxes, programs):
    box, server = boxes(), boxes()
    before = {
        "cniVersion": "1.1.0", "interfaces": [{"name": "net0", "sandbox": box.path, "mac": "02:00:00:00:00:01"}],
        "ips": [{"address": "192.0.2.2/24", "gateway": "192.0.2.1", "interface": 0}],
        "routes": [{"dst": "0.0.0.0/0", "gw": "192.0.2.1"}],
        "dns": {"nameservers": ["192.0.2.53"], "search": ["example.com"], "options": ["ndots:2"]},
    }
    box.ip("link", "add", "net0", "type", "veth", "peer", "name", "other")
    box.ip("address", "add", "192.0.2.2/24", "dev", "net0")
    for device in ("net0", "other"):
        box.ip("link", "set", device, "up")
    box.ip("route", "add", "default", "via", "192.0.2.1")
    group = aws.group(vpc, ("tcp", 7000, "10.0.0.0/16"))
    result = plugin.configured(prevResult=before).add("c", box, ifname="vpc0")
    assert [found["name"] for found in result["interfaces"]] == ["net0", "vpc0"]
    assert result["interfaces"][0] == before["interfaces"][0] and result["ips"][0] == before["ips"][0]
    assert result["ips"][1]["interface"] == 1
    assert result["dns"] == {
        "nameservers": ["10.0.0.2", "192.0.2.53"], "search": ["ec2.internal", "example.com"], "options": ["ndots:2"]
    }
    # The default route that was there stays, and is told once.
    assert [route["dst"] for route in result["routes"]].count("0.0.0.0/0") == 1
    assert "via 192.0.2.1" in box.ip("route", "show", "default")
    assert plugin.check("c", box, result, ifname="vpc0") is None
    found = address(plugin.configured(securityGroups=[group]).add("server", server))
    serve(server, programs)
    assert answers(box, programs, found)
    code, details = plugin.configured(prevResult={"ips": 1}).refused("ADD", **names("d", boxes().path))
    assert code == 7 and "ips" in details and len(interfaces(aws)) == 2

    own = plugin.configured(dns={"nameservers": ["192.0.2.53"], "domain": "example.com"})
    assert own.add("dns", boxes())["dns"] == {
        "nameservers": ["192.0.2.53"], "domain": "example.com", "search": ["ec2.internal"]
    }


def test_the_daemon_may_go_and_come(own_daemon, tmp_path, boxes, programs):
    daemon = own_daemon(arguments=()).start()
    aws = Account.first(daemon)
    vpc = aws.vpc()
    group = aws.group(vpc, ("tcp", 7000, "10.0.0.0/16"))
    plugin = Plugin(tmp_path, daemon, subnet=aws.subnet(vpc, "10.0.0.0/24"), securityGroups=[group])
    client, server, gone = boxes(), boxes(), boxes()
    result = plugin.add("client", client)
    found = address(plugin.add("server", server))
    plugin.add("gone", gone)
    serve(server, programs)
    daemon.kill()
    assert answers(client, programs, found)
    # What was not released is not said to be.
    assert plugin.refused("DEL", **names("gone", gone.path))[0] == 11
    assert plugin.refused("STATUS")[0] == 51
    gone.delete()
    daemon.start()
    assert plugin.call("STATUS") == (0, None)
    assert plugin.check("client", client, result) is None
    assert answers(client, programs, found)
    assert any("box" in problem for problem in daemon.status()["problems"].values())
    for container, box in (("gone", None), ("client", client), ("server", server)):
        plugin.delete(container, box)
    assert interfaces(aws) == [] and daemon.status()["problems"] == {}


@pytest.fixture
def podman(plugin):
    """podman, with the plugin's network."""
    made = Podman(plugin.directory)
    made.network(plugin)
    yield made
    made.remove()


def test_podmans_containers_are_in_the_vpc(aws, other, daemon, vpc, subnet, plugin, podman):
    place = other.vpc("10.0.0.0/16")
    behind = other.subnet(place, "10.0.0.0/24")
    group = other.group(place, ("tcp", 7000, "10.0.0.0/16"))
    podman.network(plugin.configured(name="provider", subnet=behind, securityGroups=[group]))
    options = ("--detach", "--name", "server", "--ip", "10.0.0.50")
    podman.run("provider", "python3", "/programs/echo.py", "7000", options=options)
    [found] = interfaces(other)
    assert found["PrivateIpAddress"] == "10.0.0.50" and found["TagSet"] == [{"Key": "Name", "Value": "server"}]
    service = publish(other, [behind], ["10.0.0.50"], target_type="ip")
    other.wait_for_targets(service.target_group)
    service.permit(f"arn:aws:iam::{aws.number}:root")
    door, stranger = aws.group(vpc), aws.group(vpc)
    aws.ec2.authorize_security_group_ingress(
        GroupId=door, IpPermissions=[permission("tcp", 7000, aws.default_group(vpc))]
    )
    endpoint = connect(aws, service, vpc, [subnet], [door])
    aws.wait_for_endpoint(endpoint)

    # By its name, which the container's C library finds.
    name = aws.endpoint(endpoint)["DnsEntries"][0]["DnsName"]
    reach = ("python3", "/programs/connect.py", "tcp", name, "7000", "2")
    assert podman.run("net", *reach, options=["--rm"]).stdout.startswith("echo "), daemon.drops()
    done = podman.run("net", *reach, options=["--rm"], check=False, CNI_ARGS=f"LINKWAY_GROUPS={stranger}")
    assert (done.returncode, done.stdout) == (3, "timeout\n")
    until(lambda: len(interfaces(aws)) == 1, "what ran is gone, but for the endpoint's interface")

    refused = podman.run("net", "true", options=["--rm", "--ip", "10.0.9.1"], check=False)
    assert refused.returncode != 0 and "does not fall within the subnet's address range" in refused.stderr
    assert len(interfaces(aws)) == 1

    # In two networks at once, it has a device in each.
    both = ["--detach", "--name", "both", "--network", "provider"]
    podman.run("net", "sleep", "infinity", options=both)
    shown = podman("exec", "both", "ip", "-4", "-brief", "address").stdout
    assert {line.split("@")[0].split()[0] for line in shown.splitlines()} == {"lo", "eth0", "eth1"}
    podman("rm", "--force", "--time", "0", "both")
    assert len(interfaces(aws)) == 1

    # Stopped and started, it is in the VPC again; killed, it leaves nothing there.
    def served():
        return [found for found in interfaces(other) if found["InterfaceType"] == "interface"]

    podman("stop", "--time", "0", "server")
    until(lambda: served() == [], "the stopped container's interface is gone")
    podman("start", "server")
    other.wait_for_targets(service.target_group)
    assert podman.run("net", *reach, options=["--rm"]).stdout.startswith("echo "), daemon.drops()
    podman("kill", "server")
    until(lambda: served() == [], "the killed container's interface is gone")
