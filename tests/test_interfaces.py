"""Interfaces that come and go while instances run, and what lets packets through to them."""

import pytest

from harness.aws import refusal
from harness.wait import until


@pytest.fixture
def vpc(aws):
    """A VPC for a test."""
    return aws.vpc()


def devices(daemon, instance):
    """An instance's IPv4 addresses, by device."""
    shown = daemon.exec(instance, "ip", "-4", "-brief", "address", check=True).stdout
    return {name.split("@")[0]: rest for name, _, *rest in (line.split() for line in shown.splitlines())}


def answers(daemon, programs, client, address, port=7000):
    """Whether an echo server answers a client."""
    done = daemon.exec(client, "/usr/bin/python3", programs / "connect.py", "tcp", address, str(port), "1")
    return done.returncode == 0


def attach(aws, instance, index=1, **options):
    """Make an interface and attach it: its description, and the attachment's id."""
    made = aws.ec2.create_network_interface(**options)["NetworkInterface"]
    aws.ec2.get_waiter("network_interface_available").wait(NetworkInterfaceIds=[made["NetworkInterfaceId"]])
    attachment = aws.ec2.attach_network_interface(
        NetworkInterfaceId=made["NetworkInterfaceId"], InstanceId=instance, DeviceIndex=index
    )["AttachmentId"]
    return made, attachment


def test_an_interface_is_attached_while_the_instance_runs(daemon, aws, vpc, programs):
    first, second = aws.subnet(vpc, "10.0.0.0/24"), aws.subnet(vpc, "10.0.1.0/24")
    open_group = aws.group(vpc, ("tcp", 7000, "10.0.0.0/16"))
    closed = aws.group(vpc)
    client = daemon.run(first, "sleep", "infinity")
    server = daemon.run(first, "/usr/bin/python3", programs / "echo.py", "7000", groups=[closed])
    assert not answers(daemon, programs, client, aws.address(server))

    made, attachment = attach(aws, server, SubnetId=second, Groups=[open_group])
    address = made["PrivateIpAddress"]
    until(lambda: devices(daemon, server).get("eth1") == [f"{address}/24"], "the device")
    # Answers leave by the device that the address is of, also to another subnet.
    until(lambda: answers(daemon, programs, client, address), "an answer from the new address")
    [shown] = aws.ec2.describe_network_interfaces(NetworkInterfaceIds=[made["NetworkInterfaceId"]])["NetworkInterfaces"]
    assert shown["Status"] == "in-use" and shown["Attachment"]["InstanceId"] == server
    assert not answers(daemon, programs, client, aws.address(server)), "the first device is still closed"

    aws.ec2.detach_network_interface(AttachmentId=attachment)
    until(lambda: "eth1" not in devices(daemon, server), "the device's end")
    assert not answers(daemon, programs, client, address)
    aws.ec2.delete_network_interface(NetworkInterfaceId=made["NetworkInterfaceId"])


def test_an_interface_moves_to_another_instance(daemon, aws, vpc, programs):
    subnet = aws.subnet(vpc, "10.0.0.0/24")
    group = aws.group(vpc, ("tcp", 7000, "10.0.0.0/16"))
    client, *servers = (
        daemon.run(subnet, "/usr/bin/python3", programs / "echo.py", "7000") for _ in range(3)
    )
    made, attachment = attach(aws, servers[0], SubnetId=subnet, Groups=[group])
    interface, address = made["NetworkInterfaceId"], made["PrivateIpAddress"]
    until(lambda: answers(daemon, programs, client, address), "an answer from the first")
    aws.ec2.detach_network_interface(AttachmentId=attachment)
    aws.ec2.attach_network_interface(NetworkInterfaceId=interface, InstanceId=servers[1], DeviceIndex=3)
    until(lambda: devices(daemon, servers[1]).get("eth3") == [f"{address}/24"], "the device")
    until(lambda: answers(daemon, programs, client, address), "an answer from the second")
    daemon.linkway("terminate", servers[1])

    def status():
        [found] = aws.ec2.describe_network_interfaces(NetworkInterfaceIds=[interface])["NetworkInterfaces"]
        return found["Status"]

    until(lambda: status() == "available", "what was attached to outlive the instance")


def test_addresses_come_and_go(daemon, aws, vpc, programs):
    subnet = aws.subnet(vpc, "10.0.0.0/24")
    group = aws.group(vpc, ("tcp", 7000, "10.0.0.0/16"))
    client = daemon.run(subnet, "sleep", "infinity")
    server = daemon.run(subnet, "/usr/bin/python3", programs / "echo.py", "7000", groups=[group])
    interface = aws.interface(server)
    aws.ec2.assign_private_ip_addresses(NetworkInterfaceId=interface, PrivateIpAddresses=["10.0.0.99"])
    until(lambda: "10.0.0.99/24" in devices(daemon, server)["eth0"], "the address")
    until(lambda: answers(daemon, programs, client, "10.0.0.99"), "an answer")
    aws.ec2.unassign_private_ip_addresses(NetworkInterfaceId=interface, PrivateIpAddresses=["10.0.0.99"])
    until(lambda: "10.0.0.99/24" not in devices(daemon, server)["eth0"], "the address's end")
    assert not answers(daemon, programs, client, "10.0.0.99")


def test_a_rule_towards_a_prefix_list_follows_the_list(daemon, aws, vpc, programs):
    subnet = aws.subnet(vpc, "10.0.0.0/24")
    group = aws.group(vpc)
    client = daemon.run(subnet, "sleep", "infinity", private_ip="10.0.0.50")
    server = daemon.run(subnet, "/usr/bin/python3", programs / "echo.py", "7000", groups=[group])
    address = aws.address(server)
    made = aws.ec2.create_managed_prefix_list(
        PrefixListName="clients", AddressFamily="IPv4", MaxEntries=5, Entries=[{"Cidr": "10.0.0.128/25"}]
    )["PrefixList"]
    assert made["State"] == "create-in-progress"
    list_id = made["PrefixListId"]

    def complete(state):
        def reached():
            [found] = aws.ec2.describe_managed_prefix_lists(PrefixListIds=[list_id])["PrefixLists"]
            return found if found["State"] == state else None

        return until(reached, f"{list_id} {state}")

    complete("create-complete")
    aws.ec2.authorize_security_group_ingress(
        GroupId=group,
        IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 7000, "ToPort": 7000, "PrefixListIds": [{"PrefixListId": list_id}]}
        ],
    )
    assert not answers(daemon, programs, client, address), "the client is not in the list"
    aws.ec2.modify_managed_prefix_list(
        PrefixListId=list_id, CurrentVersion=1, AddEntries=[{"Cidr": "10.0.0.50/32", "Description": "the client"}]
    )
    assert complete("modify-complete")["Version"] == 2
    # Complete means that packets follow.
    assert answers(daemon, programs, client, address)
    aws.ec2.modify_managed_prefix_list(
        PrefixListId=list_id, CurrentVersion=2, RemoveEntries=[{"Cidr": "10.0.0.50/32"}]
    )
    complete("modify-complete")
    assert not answers(daemon, programs, client, address)

    aws.ec2.delete_managed_prefix_list(PrefixListId=list_id)
    assert group in complete("delete-failed")["StateMessage"]
    aws.ec2.delete_security_group(GroupId=aws.group(vpc))
    code, _ = refusal(aws.ec2.delete_managed_prefix_list, PrefixListId="pl-0123456789abcdef0")
    assert code == "InvalidPrefixListID.NotFound"


def test_a_group_that_is_associated_with_another_vpc_lets_in_there(daemon, aws, vpc, programs):
    home, subnet = aws.vpc("10.9.0.0/16"), aws.subnet(vpc, "10.0.0.0/24")
    shared = aws.group(home, ("tcp", 7000, "10.0.0.0/16"), name="shared")
    offered = aws.ec2.get_security_groups_for_vpc(VpcId=vpc)["SecurityGroupForVpcs"]
    assert [group["GroupName"] for group in offered] == ["default"]
    aws.ec2.associate_security_group_vpc(GroupId=shared, VpcId=vpc)
    [association] = aws.ec2.describe_security_group_vpc_associations(
        Filters=[{"Name": "group-id", "Values": [shared]}]
    )["SecurityGroupVpcAssociations"]
    assert (association["VpcId"], association["State"]) == (vpc, "associated")
    offered = aws.ec2.get_security_groups_for_vpc(
        VpcId=vpc, Filters=[{"Name": "primary-vpc-id", "Values": [home]}]
    )["SecurityGroupForVpcs"]
    assert {group["GroupId"] for group in offered} == {shared}

    client = daemon.run(subnet, "sleep", "infinity")
    server = daemon.run(subnet, "/usr/bin/python3", programs / "echo.py", "7000", groups=[shared])
    until(lambda: answers(daemon, programs, client, aws.address(server)), "an answer")
    code, message = refusal(aws.ec2.disassociate_security_group_vpc, GroupId=shared, VpcId=vpc)
    assert code == "DependencyViolation" and "has a dependent object" in message

    assert aws.ec2.describe_security_group_references(GroupId=[shared])["SecurityGroupReferenceSet"] == []
    assert aws.ec2.describe_stale_security_groups(VpcId=vpc)["StaleSecurityGroupSet"] == []
