"""The API of instances, their images, types, key pairs, profiles and volumes, on instances that really run."""

import base64
import contextlib
import json
import subprocess

import botocore.exceptions
import pytest

from harness.aws import Account
from harness.terraform import specification, tags
from harness.wait import until

UNKNOWN = "0123456789abcdef0"


@pytest.fixture
def image(aws):
    """The image of the host's file system."""
    [found] = aws.ec2.describe_images(Owners=["amazon"])["Images"]
    return found["ImageId"]


@pytest.fixture
def subnet(aws):
    return aws.subnet(aws.vpc(), "10.0.0.0/24")


@pytest.fixture
def launch(aws, image, subnet):
    """Launches one instance. Returns its id."""

    def launch(**options):
        asked = {"ImageId": image, "SubnetId": subnet, "MinCount": 1, "MaxCount": 1} | options
        if "NetworkInterfaces" in asked:
            del asked["SubnetId"]
        [instance] = aws.ec2.run_instances(**asked)["Instances"]
        return instance["InstanceId"]

    return launch


@contextlib.contextmanager
def refused(code, words):
    """What is done inside must be refused, by a code and with a message that has these words."""
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        yield
    error = caught.value.response["Error"]
    assert error["Code"] == code and words in error["Message"], error


def show(aws, instance):
    [reservation] = aws.ec2.describe_instances(InstanceIds=[instance])["Reservations"]
    [found] = reservation["Instances"]
    return found


def state(aws, instance):
    return show(aws, instance)["State"]["Name"]


def reaches(aws, instance, wanted):
    until(lambda: state(aws, instance) == wanted, f"{instance} is {wanted}", within=40)


def running(aws, instance):
    reaches(aws, instance, "running")
    return instance


def ids(answer):
    return {one["InstanceId"] for reservation in answer["Reservations"] for one in reservation["Instances"]}


def test_the_image_of_the_host(aws, image):
    [found] = aws.ec2.describe_images(ImageIds=[image])["Images"]
    assert (found["State"], found["Public"], found["ImageOwnerAlias"]) == ("available", True, "amazon")
    assert (found["RootDeviceType"], found["RootDeviceName"]) == ("ebs", "/dev/xvda")
    assert found["BlockDeviceMappings"][0]["Ebs"]["VolumeSize"] == 8
    # As Terraform's data source asks, and the AWS CLI.
    filters = [
        {"Name": "name", "Values": ["linkway/host-*"]},
        {"Name": "state", "Values": ["available"]},
        {"Name": "virtualization-type", "Values": ["hvm"]},
        {"Name": "root-device-type", "Values": ["ebs"]},
        {"Name": "owner-alias", "Values": ["amazon"]},
    ]
    assert [one["ImageId"] for one in aws.ec2.describe_images(Filters=filters)["Images"]] == [image]
    assert aws.ec2.describe_images(Owners=["self"])["Images"] == []
    assert aws.ec2.describe_images(Owners=["099720109477"])["Images"] == []
    done = aws.cli("ec2", "describe-images", "--owners", "amazon", "--query", "Images[0].ImageId")
    assert json.loads(done.stdout) == image
    other = aws.client("ec2", region_name="eu-west-1").describe_images()["Images"]
    assert len(other) == 1 and other[0]["ImageId"] != image
    with refused("InvalidAMIID.NotFound", f"The image id '[ami-{UNKNOWN}]' does not exist"):
        aws.ec2.describe_images(ImageIds=[f"ami-{UNKNOWN}"])
    with refused("InvalidAMIID.Malformed", "expecting"):
        aws.ec2.describe_images(ImageIds=["ami-x"])
    with refused("AuthFailure", f"Not authorized for image:{image}"):
        aws.ec2.deregister_image(ImageId=image)


def test_an_instance_is_launched_shown_and_terminated(aws, daemon, image, subnet):
    answer = aws.ec2.run_instances(
        ImageId=image,
        SubnetId=subnet,
        InstanceType="t3.small",
        PrivateIpAddress="10.0.0.20",
        MinCount=1,
        MaxCount=1,
        UserData="#!/bin/sh\necho booted with user data\n",
        TagSpecifications=specification("instance", Name="web") + specification("volume", Of="web"),
        MetadataOptions={"HttpTokens": "required", "HttpPutResponseHopLimit": 2},
    )
    [made] = answer["Instances"]
    instance = made["InstanceId"]
    assert (made["State"], made["StateReason"]["Code"]) == ({"Code": 0, "Name": "pending"}, "pending")
    assert (made["AmiLaunchIndex"], answer["OwnerId"]) == (0, aws.number)
    running(aws, instance)
    found = show(aws, instance)
    assert "StateReason" not in found and found["StateTransitionReason"] == ""
    assert (found["ImageId"], found["InstanceType"]) == (image, "t3.small")
    assert (found["PrivateIpAddress"], found["PrivateDnsName"]) == ("10.0.0.20", "ip-10-0-0-20.ec2.internal")
    assert found["MetadataOptions"] == {
        "State": "applied",
        "HttpTokens": "required",
        "HttpPutResponseHopLimit": 2,
        "HttpEndpoint": "enabled",
        "HttpProtocolIpv6": "disabled",
        "InstanceMetadataTags": "disabled",
    }
    assert found["CpuOptions"] == {"CoreCount": 1, "ThreadsPerCore": 2}
    [device] = found["BlockDeviceMappings"]
    [volume] = aws.ec2.describe_volumes(VolumeIds=[device["Ebs"]["VolumeId"]])["Volumes"]
    assert (volume["Size"], volume["VolumeType"], volume["Iops"], volume["Tags"]) == (8, "gp3", 3000, tags(Of="web"))
    [status] = aws.ec2.describe_instance_status(InstanceIds=[instance])["InstanceStatuses"]
    assert (status["InstanceStatus"]["Status"], status["SystemStatus"]["Status"]) == ("ok", "ok")

    def console():
        return aws.ec2.get_console_output(InstanceId=instance).get("Output", "")

    until(lambda: "booted with user data" in console(), "what user data wrote is on the console")
    done = aws.cli("ec2", "get-console-output", "--instance-id", instance, "--output", "text")
    assert "booted with user data" in done.stdout, done.stderr
    with refused("InvalidInstanceID.NotFound", f"The instance ID 'i-{UNKNOWN}' does not exist"):
        aws.ec2.get_console_output(InstanceId=f"i-{UNKNOWN}")

    [change] = aws.ec2.terminate_instances(InstanceIds=[instance])["TerminatingInstances"]
    assert (change["PreviousState"]["Name"], change["CurrentState"]["Name"]) == ("running", "shutting-down")
    reaches(aws, instance, "terminated")
    found = show(aws, instance)
    assert found["StateReason"]["Code"] == "Client.UserInitiatedShutdown"
    assert found["StateTransitionReason"].startswith("User initiated (")
    assert (found["NetworkInterfaces"], found["BlockDeviceMappings"]) == ([], [])
    assert aws.ec2.describe_network_interfaces()["NetworkInterfaces"] == []
    assert aws.ec2.describe_volumes()["Volumes"] == []
    for call in (aws.ec2.start_instances, aws.ec2.stop_instances, aws.ec2.reboot_instances):
        with refused("IncorrectInstanceState", f"The instance '{instance}' is not in a state from which it can be"):
            call(InstanceIds=[instance])


def test_stopped_and_started_an_instance_keeps_its_interface(aws, daemon, launch):
    instance = running(aws, launch())
    before = show(aws, instance)
    daemon.exec(instance, "sh", "-c", "echo kept > /root/file", check=True)
    [change] = aws.ec2.stop_instances(InstanceIds=[instance])["StoppingInstances"]
    assert change["CurrentState"] == {"Code": 64, "Name": "stopping"}
    reaches(aws, instance, "stopped")
    stopped = show(aws, instance)
    assert stopped["State"]["Code"] == 80
    assert stopped["StateReason"]["Message"] == "Client.UserInitiatedShutdown: User initiated shutdown"
    assert stopped["PrivateIpAddress"] == before["PrivateIpAddress"]
    assert stopped["NetworkInterfaces"][0]["NetworkInterfaceId"] == before["NetworkInterfaces"][0]["NetworkInterfaceId"]
    assert aws.ec2.describe_instance_status(InstanceIds=[instance])["InstanceStatuses"] == []
    [all_of_it] = aws.ec2.describe_instance_status(InstanceIds=[instance], IncludeAllInstances=True)["InstanceStatuses"]
    assert all_of_it["InstanceStatus"]["Status"] == "not-applicable"
    # To stop what is stopped is no error.
    [change] = aws.ec2.stop_instances(InstanceIds=[instance])["StoppingInstances"]
    assert change["CurrentState"]["Name"] == "stopped"
    with refused("IncorrectInstanceState", "rebooted"):
        aws.ec2.reboot_instances(InstanceIds=[instance])
    [change] = aws.ec2.start_instances(InstanceIds=[instance])["StartingInstances"]
    assert (change["PreviousState"]["Name"], change["CurrentState"]["Name"]) == ("stopped", "pending")
    running(aws, instance)
    assert show(aws, instance)["LaunchTime"] > before["LaunchTime"]
    assert daemon.exec(instance, "cat", "/root/file", check=True).stdout == "kept\n"


def test_a_reboot_starts_anew_without_another_state(aws, daemon, launch):
    instance = running(aws, launch())
    daemon.exec(instance, "sh", "-c", "sleep 1000 > /dev/null 2>&1 &", check=True)

    def sleeps():
        return "sleep" in daemon.exec(instance, "sh", "-c", "cat /proc/[0-9]*/comm").stdout.split()

    assert sleeps()
    aws.ec2.reboot_instances(InstanceIds=[instance])
    assert state(aws, instance) == "running"
    until(lambda: not sleeps(), "what ran before the reboot is gone", within=40)

    def well():
        found = aws.ec2.describe_instance_status(InstanceIds=[instance])["InstanceStatuses"]
        return found[0]["InstanceStatus"]["Status"] == "ok"

    until(well, "it is up again")
    assert daemon.exec(instance, "true").returncode == 0


@pytest.mark.parametrize("behavior, end", [("stop", "stopped"), ("terminate", "terminated")])
def test_an_instance_that_ends_by_itself_does_as_it_was_told(aws, daemon, launch, behavior, end):
    instance = running(aws, launch(InstanceInitiatedShutdownBehavior=behavior))
    daemon.exec(instance, "poweroff")
    reaches(aws, instance, end)
    assert show(aws, instance)["StateReason"]["Code"] == "Client.InstanceInitiatedShutdown"


def test_what_a_launch_may_not_say(aws, image, subnet):
    wrong = [
        ({"ImageId": f"ami-{UNKNOWN}"}, "InvalidAMIID.NotFound", f"The image id '[ami-{UNKNOWN}]' does not exist"),
        ({"ImageId": "web"}, "InvalidAMIID.Malformed", 'Invalid id: "web"'),
        ({"InstanceType": "t9.huge"}, "InvalidParameterValue", "Invalid value 't9.huge' for InstanceType."),
        ({"InstanceType": "t4g.micro"}, "InvalidParameterValue", "does not match the architecture 'x86_64'"),
        ({"MinCount": 0}, "InvalidParameterValue", "minCount"),
        ({"MinCount": 2}, "InvalidParameterValue", "minCount"),
        ({"MinCount": 65, "MaxCount": 65}, "InstanceLimitExceeded", "Your quota allows for 64 more running"),
        ({"KeyName": "nobody's"}, "InvalidKeyPair.NotFound", "The key pair 'nobody's' does not exist"),
        ({"SubnetId": f"subnet-{UNKNOWN}"}, "InvalidSubnetID.NotFound", "does not exist"),
        ({"SecurityGroupIds": [f"sg-{UNKNOWN}"]}, "InvalidGroup.NotFound", "does not exist"),
        ({"SecurityGroups": ["web"]}, "InvalidParameterCombination", "groupName cannot be used with the parameter subnet"),
        ({"PrivateIpAddress": "10.1.0.1"}, "InvalidParameterValue", "does not fall within the subnet's address range"),
        ({"PrivateIpAddress": "10.0.0.9", "MaxCount": 2}, "InvalidParameterCombination", "one instance only"),
        ({"Placement": {"AvailabilityZone": "us-east-1q"}}, "InvalidParameterValue", "Invalid availability zone: [us-east-1q]"),
        ({"Placement": {"AvailabilityZone": "us-east-1b"}}, "InvalidParameterCombination", "availability zone"),
        ({"Placement": {"GroupName": "nea"}}, "UnsupportedOperation", "There are no placement groups"),
        ({"InstanceMarketOptions": {"MarketType": "spot"}}, "UnsupportedOperation", "no Spot Instances"),
        ({"HibernationOptions": {"Configured": True}}, "UnsupportedOperation", "hibernated"),
        ({"LaunchTemplate": {"LaunchTemplateName": "web"}}, "UnsupportedOperation", "launch templates"),
        ({"UserData": "x" * 16385}, "InvalidUserData.Malformed", "User data is limited to 16384 bytes"),
        ({"IamInstanceProfile": {"Name": "nobody"}}, "InvalidParameterValue", "Value (nobody) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name"),
        ({"MetadataOptions": {"HttpTokens": "maybe"}}, "InvalidParameterValue", "httpTokens"),
        ({"MetadataOptions": {"HttpPutResponseHopLimit": 65}}, "InvalidParameterValue", "between 1 and 64"),
        ({"MetadataOptions": {"HttpEndpoint": "disabled", "HttpTokens": "required"}}, "InvalidParameterCombination", "HttpEndpoint is disabled"),
        ({"CreditSpecification": {"CpuCredits": "unlimited"}, "InstanceType": "m5.large"}, "InvalidParameterCombination", "CPU credits"),
        ({"InstanceInitiatedShutdownBehavior": "sleep"}, "InvalidParameterValue", "instanceInitiatedShutdownBehavior"),
        ({"BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 4}}]}, "InvalidBlockDeviceMapping", "expect size >= 8GB"),
        ({"BlockDeviceMappings": [{"DeviceName": "/dev/sdf", "Ebs": {"SnapshotId": f"snap-{UNKNOWN}"}}]}, "InvalidSnapshot.NotFound", "does not exist"),
        ({"TagSpecifications": specification("vpc", A="b")}, "InvalidParameterValue", "'vpc' is not a valid taggable resource type"),
        ({"DryRun": True}, "DryRunOperation", "would have succeeded"),
    ]
    usual = {"ImageId": image, "SubnetId": subnet, "MinCount": 1, "MaxCount": 1}
    for asked, code, words in wrong:
        with refused(code, words):
            aws.ec2.run_instances(**usual | asked)
    assert ids(aws.ec2.describe_instances()) == set()
    assert aws.ec2.describe_network_interfaces()["NetworkInterfaces"] == []


def test_a_client_token_launches_once(aws, launch):
    first = launch(ClientToken="token-1")
    assert launch(ClientToken="token-1") == first
    with refused("IdempotentParameterMismatch", "inconsistent"):
        launch(ClientToken="token-1", InstanceType="t3.small")
    assert show(aws, first)["ClientToken"] == "token-1"
    running(aws, first)
    aws.ec2.terminate_instances(InstanceIds=[first])
    reaches(aws, first, "terminated")
    with refused("IdempotentInstanceTerminated", "has been terminated"):
        launch(ClientToken="token-1")


def test_several_instances_are_one_reservation(aws, image):
    vpc = aws.vpc()
    small = aws.subnet(vpc, "10.0.1.0/28")
    # Of the 16 addresses, AWS keeps 5 and one interface takes one: 10 are left.
    aws.ec2.create_network_interface(SubnetId=small)
    usual = {"ImageId": image, "SubnetId": small}
    with refused("InsufficientFreeAddressesInSubnet", "does not have enough free addresses"):
        aws.ec2.run_instances(**usual, MinCount=11, MaxCount=12)
    answer = aws.ec2.run_instances(**usual, MinCount=2, MaxCount=3)
    assert [one["AmiLaunchIndex"] for one in answer["Instances"]] == [0, 1, 2]
    launched = [one["InstanceId"] for one in answer["Instances"]]
    [reservation] = aws.ec2.describe_instances(
        Filters=[{"Name": "reservation-id", "Values": [answer["ReservationId"]]}]
    )["Reservations"]
    assert [one["InstanceId"] for one in reservation["Instances"]] == launched
    only = aws.ec2.describe_instances(Filters=[{"Name": "launch-index", "Values": ["1"]}])
    assert ids(only) == {launched[1]}
    with refused("InvalidInstanceID.NotFound", f"The instance ID 'i-{UNKNOWN}' does not exist"):
        aws.ec2.terminate_instances(InstanceIds=[launched[0], f"i-{UNKNOWN}"])
    assert state(aws, launched[0]) != "shutting-down"


def test_without_a_subnet_an_instance_is_in_the_default_vpc(aws, image):
    [default] = aws.ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
    group = aws.group(default["VpcId"], name="web")
    options = {"Placement": {"AvailabilityZone": "us-east-1c"}, "SecurityGroups": ["web"]}
    [made] = aws.ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, **options)["Instances"]
    assert (made["VpcId"], made["Placement"]["AvailabilityZone"]) == (default["VpcId"], "us-east-1c")
    assert [one["GroupId"] for one in made["SecurityGroups"]] == [group]
    with refused("InvalidGroup.NotFound", "The security group 'no-such' does not exist"):
        aws.ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, SecurityGroups=["no-such"])
    done = aws.cli("ec2", "run-instances", "--image-id", image, "--instance-type", "t3.nano")
    assert json.loads(done.stdout)["Instances"][0]["State"]["Name"] == "pending", done.stderr


def test_interfaces_of_a_launch(aws, daemon, image, subnet, launch):
    [found] = aws.ec2.describe_subnets(SubnetIds=[subnet])["Subnets"]
    group = aws.group(found["VpcId"])
    own = aws.ec2.create_network_interface(SubnetId=subnet, PrivateIpAddress="10.0.0.50", Groups=[group])
    own = own["NetworkInterface"]["NetworkInterfaceId"]
    new = {"DeviceIndex": 1, "SubnetId": subnet, "Groups": [group], "Description": "second"}
    instance = launch(NetworkInterfaces=[{"DeviceIndex": 0, "NetworkInterfaceId": own}, new])
    running(aws, instance)
    first, second = sorted(show(aws, instance)["NetworkInterfaces"], key=lambda one: one["Attachment"]["DeviceIndex"])
    assert first["NetworkInterfaceId"] == own and first["Attachment"]["DeleteOnTermination"] is False
    assert second["Description"] == "second" and second["Attachment"]["DeleteOnTermination"] is True
    until(lambda: "eth1" in daemon.exec(instance, "cat", "/proc/net/dev").stdout, "both devices are there")
    # A t3.micro has two interfaces, of two addresses each.
    third = aws.ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    with refused("AttachmentLimitExceeded", "Interface count 3 exceeds the limit for t3.micro"):
        aws.ec2.attach_network_interface(NetworkInterfaceId=third, InstanceId=instance, DeviceIndex=2)
    with refused("PrivateIpAddressLimitExceeded", "exceed"):
        aws.ec2.assign_private_ip_addresses(NetworkInterfaceId=own, SecondaryPrivateIpAddressCount=2)
    with refused("InvalidInstanceID", "There are multiple interfaces attached to instance"):
        aws.ec2.modify_instance_attribute(InstanceId=instance, SourceDestCheck={"Value": False})
    aws.ec2.terminate_instances(InstanceIds=[instance])
    reaches(aws, instance, "terminated")
    left = {one["NetworkInterfaceId"] for one in aws.ec2.describe_network_interfaces()["NetworkInterfaces"]}
    assert left == {own, third}

    zero = {"DeviceIndex": 0, "SubnetId": subnet}
    usual = {"ImageId": image, "MinCount": 1, "MaxCount": 1}
    wrong = [
        ({"NetworkInterfaces": [zero], "SubnetId": subnet}, "InvalidParameterCombination", "Network interfaces and an instance-level subnet ID may not be specified on the same request"),
        ({"NetworkInterfaces": [zero], "SecurityGroupIds": [group]}, "InvalidParameterCombination", "instance-level security groups"),
        ({"NetworkInterfaces": [{"SubnetId": subnet}]}, "InvalidParameterValue", "Each network interface requires a device index"),
        ({"NetworkInterfaces": [zero, zero]}, "InvalidParameterValue", "unique device index"),
        ({"NetworkInterfaces": [new]}, "UnsupportedOperation", "you must include a device at index 0"),
        ({"NetworkInterfaces": [{"DeviceIndex": 0, "NetworkInterfaceId": own, "SubnetId": subnet}]}, "InvalidParameterCombination", "may not specify both a network interface ID and a subnet"),
        ({"NetworkInterfaces": [{"DeviceIndex": 0, "NetworkInterfaceId": own}], "MaxCount": 2}, "InvalidParameterCombination", "one instance only"),
        ({"NetworkInterfaces": [zero | {"AssociatePublicIpAddress": True}]}, "UnsupportedOperation", "public addresses"),
        ({"NetworkInterfaces": [zero, new, new | {"DeviceIndex": 2}]}, "AttachmentLimitExceeded", "Interface count 3 exceeds the limit for t3.micro"),
        ({"NetworkInterfaces": [zero | {"SecondaryPrivateIpAddressCount": 2}]}, "PrivateIpAddressLimitExceeded", "exceed"),
    ]
    for asked, code, words in wrong:
        with refused(code, words):
            aws.ec2.run_instances(**usual | asked)


def attribute(aws, instance, name):
    answer = aws.ec2.describe_instance_attribute(InstanceId=instance, Attribute=name)
    key = name[0].upper() + name[1:]
    return answer[key].get("Value")


def test_attributes(aws, launch):
    instance = running(aws, launch(UserData="first", DisableApiTermination=True))
    assert base64.b64decode(attribute(aws, instance, "userData")) == b"first"
    assert attribute(aws, instance, "disableApiTermination") is True
    assert attribute(aws, instance, "instanceInitiatedShutdownBehavior") == "stop"
    assert attribute(aws, instance, "rootDeviceName") == "/dev/xvda"
    with refused("OperationNotPermitted", f"The instance '{instance}' may not be terminated. Modify its 'disableApiTermination'"):
        aws.ec2.terminate_instances(InstanceIds=[instance])

    def modify(**change):
        aws.ec2.modify_instance_attribute(InstanceId=instance, **change)

    modify(DisableApiStop={"Value": True})
    with refused("OperationNotPermitted", "may not be stopped"):
        aws.ec2.stop_instances(InstanceIds=[instance])
    modify(DisableApiStop={"Value": False})
    for change in ({"InstanceType": {"Value": "t3.large"}}, {"UserData": {"Value": b"second"}}, {"EbsOptimized": {"Value": True}}):
        with refused("IncorrectInstanceState", f"The instance '{instance}' is not in the 'stopped' state."):
            modify(**change)
    with refused("InvalidParameterCombination", "Fields for multiple attribute types specified"):
        modify(DisableApiStop={"Value": True}, SourceDestCheck={"Value": True})
    with refused("InvalidParameterCombination", "No attributes specified"):
        modify()
    modify(SourceDestCheck={"Value": False})
    assert show(aws, instance)["SourceDestCheck"] is False
    modify(InstanceInitiatedShutdownBehavior={"Value": "terminate"})
    assert attribute(aws, instance, "instanceInitiatedShutdownBehavior") == "terminate"
    [vpc] = aws.ec2.describe_vpcs(VpcIds=[show(aws, instance)["VpcId"]])["Vpcs"]
    group = aws.group(vpc["VpcId"])
    modify(Groups=[group])
    assert [one["GroupId"] for one in show(aws, instance)["SecurityGroups"]] == [group]
    # In the words of the API's first versions, as the AWS CLI still has them.
    done = aws.cli(
        "ec2", "modify-instance-attribute", "--instance-id", instance, "--attribute", "disableApiTermination", "--value", "false"
    )
    assert done.returncode == 0, done.stderr
    aws.ec2.stop_instances(InstanceIds=[instance], Force=True)
    reaches(aws, instance, "stopped")
    modify(InstanceType={"Value": "m5.large"})
    modify(UserData={"Value": b"second"})
    found = show(aws, instance)
    assert (found["InstanceType"], found["CpuOptions"]["CoreCount"]) == ("m5.large", 1)
    assert base64.b64decode(attribute(aws, instance, "userData")) == b"second"
    aws.ec2.terminate_instances(InstanceIds=[instance])
    reaches(aws, instance, "terminated")


def test_options_that_have_calls_of_their_own(aws, launch):
    instance = launch()
    changed = aws.ec2.modify_instance_metadata_options(
        InstanceId=instance, HttpTokens="required", HttpEndpoint="enabled", InstanceMetadataTags="enabled"
    )
    assert changed["InstanceMetadataOptions"]["State"] == "pending"
    found = show(aws, instance)["MetadataOptions"]
    assert (found["State"], found["HttpTokens"], found["InstanceMetadataTags"]) == ("applied", "required", "enabled")
    filters = [{"Name": "metadata-options.http-tokens", "Values": ["required"]}]
    assert ids(aws.ec2.describe_instances(Filters=filters)) == {instance}

    aws.ec2.modify_instance_maintenance_options(InstanceId=instance, AutoRecovery="disabled")
    assert show(aws, instance)["MaintenanceOptions"]["AutoRecovery"] == "disabled"
    aws.ec2.monitor_instances(InstanceIds=[instance])
    assert show(aws, instance)["Monitoring"]["State"] == "enabled"

    [credits] = aws.ec2.describe_instance_credit_specifications(InstanceIds=[instance])["InstanceCreditSpecifications"]
    assert credits["CpuCredits"] == "unlimited"
    change = [{"InstanceId": instance, "CpuCredits": "standard"}, {"InstanceId": f"i-{UNKNOWN}", "CpuCredits": "standard"}]
    answer = aws.ec2.modify_instance_credit_specification(InstanceCreditSpecifications=change)
    assert answer["SuccessfulInstanceCreditSpecifications"] == [{"InstanceId": instance}]
    [failed] = answer["UnsuccessfulInstanceCreditSpecifications"]
    assert failed["Error"]["Code"] == "InvalidInstanceID.NotFound"

    aws.ec2.modify_private_dns_name_options(InstanceId=instance, EnableResourceNameDnsARecord=True)
    assert show(aws, instance)["PrivateDnsNameOptions"]["EnableResourceNameDnsARecord"] is True


def test_types_and_where_they_are_offered(aws):
    [found] = aws.ec2.describe_instance_types(InstanceTypes=["t3.micro"])["InstanceTypes"]
    assert (found["VCpuInfo"]["DefaultVCpus"], found["MemoryInfo"]["SizeInMiB"]) == (2, 1024)
    assert found["NetworkInfo"]["MaximumNetworkInterfaces"] == found["NetworkInfo"]["Ipv4AddressesPerInterface"] == 2
    assert found["BurstablePerformanceSupported"] is True
    filters = [
        {"Name": "instance-type", "Values": ["m5.*"]},
        {"Name": "memory-info.size-in-mib", "Values": ["8192"]},
        {"Name": "processor-info.supported-architecture", "Values": ["x86_64"]},
    ]
    assert [one["InstanceType"] for one in aws.ec2.describe_instance_types(Filters=filters)["InstanceTypes"]] == ["m5.large"]
    with refused("InvalidInstanceType", "The following supplied instance types do not exist: [t9.huge]"):
        aws.ec2.describe_instance_types(InstanceTypes=["t3.micro", "t9.huge"])
    pages = aws.ec2.get_paginator("describe_instance_types").paginate(PaginationConfig={"PageSize": 20})
    names = [one["InstanceType"] for page in pages for one in page["InstanceTypes"]]
    assert len(names) == len(set(names)) > 100 and names == sorted(names)
    offered = aws.ec2.describe_instance_type_offerings(
        LocationType="availability-zone", Filters=[{"Name": "instance-type", "Values": ["t3.micro"]}]
    )["InstanceTypeOfferings"]
    assert {one["Location"] for one in offered} >= {"us-east-1a", "us-east-1f"}


def test_key_pairs(aws, launch, tmp_path):
    for kind in ("rsa", "ed25519"):
        made = aws.ec2.create_key_pair(KeyName=kind, KeyType=kind, TagSpecifications=specification("key-pair", A="b"))
        private = tmp_path / kind
        private.write_text(made["KeyMaterial"])
        private.chmod(0o600)
        public = subprocess.run(["ssh-keygen", "-y", "-f", private], capture_output=True, text=True, check=True).stdout
        [found] = aws.ec2.describe_key_pairs(KeyNames=[kind], IncludePublicKey=True)["KeyPairs"]
        assert found["PublicKey"].split()[:2] == public.split()[:2]
        assert (found["KeyType"], found["Tags"]) == (kind, tags(A="b"))
        assert found["KeyFingerprint"] == made["KeyFingerprint"]
    # Of what is imported, the fingerprints are what OpenSSH says.
    imported = aws.ec2.import_key_pair(KeyName="mine", PublicKeyMaterial=public.encode())
    said = subprocess.run(["ssh-keygen", "-l", "-f", "-"], input=public, capture_output=True, text=True, check=True)
    assert imported["KeyFingerprint"].rstrip("=") == said.stdout.split()[1].removeprefix("SHA256:")
    with refused("InvalidKeyPair.Duplicate", "The keypair 'mine' already exists"):
        aws.ec2.create_key_pair(KeyName="mine")
    with refused("InvalidKey.Format", "Key is not in valid OpenSSH public key format"):
        aws.ec2.import_key_pair(KeyName="other", PublicKeyMaterial=b"no key")
    with refused("InvalidKeyPair.NotFound", "The key pair 'other' does not exist"):
        aws.ec2.describe_key_pairs(KeyNames=["other"])
    [found] = aws.ec2.describe_key_pairs(Filters=[{"Name": "tag:A", "Values": ["b"]}, {"Name": "key-name", "Values": ["r*"]}])["KeyPairs"]
    assert found["KeyName"] == "rsa"
    instance = launch(KeyName="mine")
    for _ in range(2):
        assert aws.ec2.delete_key_pair(KeyName="mine")["Return"] is True
    assert show(aws, instance)["KeyName"] == "mine"


def test_a_role_is_given_to_instances_by_who_may_pass_it(aws, launch):
    """Whoever can make an instance with a role has the role's rights."""
    iam = aws.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName="admin", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    iam.create_instance_profile(InstanceProfileName="admin")
    iam.add_role_to_instance_profile(InstanceProfileName="admin", RoleName="admin")
    iam.create_user(UserName="maker")
    allowed = [{"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}]

    def allow():
        text = json.dumps({"Version": "2012-10-17", "Statement": allowed})
        iam.put_user_policy(UserName="maker", PolicyName="make", PolicyDocument=text)

    allow()
    key = iam.create_access_key(UserName="maker")["AccessKey"]
    maker = Account(aws.url, key["AccessKeyId"], key["SecretAccessKey"]).ec2
    instance = running(aws, launch())
    associate = {"InstanceId": instance, "IamInstanceProfile": {"Name": "admin"}}
    with refused("UnauthorizedOperation", f"iam:PassRole on resource: {role}"):
        maker.associate_iam_instance_profile(**associate)
    image = show(aws, instance)["ImageId"]
    with refused("UnauthorizedOperation", f"iam:PassRole on resource: {role}"):
        maker.run_instances(ImageId=image, MinCount=1, MaxCount=1, IamInstanceProfile={"Name": "admin"})
    allowed.append({"Effect": "Allow", "Action": "iam:PassRole", "Resource": role})
    allow()
    assert maker.associate_iam_instance_profile(**associate)["IamInstanceProfileAssociation"]["State"] == "associating"


def test_instance_profiles(aws, launch):
    iam = aws.client("iam")
    trust = {"Statement": {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}}
    arns = {}
    for name in ("one", "two"):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17"} | trust))
        arns[name] = iam.create_instance_profile(InstanceProfileName=name)["InstanceProfile"]["Arn"]
    instance = running(aws, launch())
    associate = {"InstanceId": instance, "IamInstanceProfile": {"Name": "one"}}
    with refused("InvalidParameterValue", f'IAM Instance Profile "{arns["one"]}" has no associated IAM Roles'):
        aws.ec2.associate_iam_instance_profile(**associate)
    for name in arns:
        iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
    made = aws.ec2.associate_iam_instance_profile(**associate)["IamInstanceProfileAssociation"]
    assert made["State"] == "associating"
    assert show(aws, instance)["IamInstanceProfile"]["Arn"] == arns["one"]
    with refused("IncorrectState", f"There is an existing association for instance {instance}"):
        aws.ec2.associate_iam_instance_profile(**associate)
    changed = aws.ec2.replace_iam_instance_profile_association(
        AssociationId=made["AssociationId"], IamInstanceProfile={"Arn": arns["two"]}
    )["IamInstanceProfileAssociation"]
    filters = [{"Name": "instance-id", "Values": [instance]}, {"Name": "state", "Values": ["associated"]}]
    [found] = aws.ec2.describe_iam_instance_profile_associations(Filters=filters)["IamInstanceProfileAssociations"]
    assert (found["AssociationId"], found["IamInstanceProfile"]["Arn"]) == (changed["AssociationId"], arns["two"])
    with refused("InvalidAssociationID.NotFound", f"An invalid association-id of '{made['AssociationId']}' was given"):
        aws.ec2.disassociate_iam_instance_profile(AssociationId=made["AssociationId"])
    gone = aws.ec2.disassociate_iam_instance_profile(AssociationId=changed["AssociationId"])
    assert gone["IamInstanceProfileAssociation"]["State"] == "disassociating"
    assert "IamInstanceProfile" not in show(aws, instance)
    other = launch(IamInstanceProfile={"Name": "one"})
    filters = [{"Name": "iam-instance-profile.arn", "Values": [arns["one"]]}]
    assert ids(aws.ec2.describe_instances(Filters=filters)) == {other}


def test_volumes_are_kept_and_shown(aws, launch):
    instance = launch(
        BlockDeviceMappings=[
            {"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 20, "VolumeType": "io2", "Iops": 500, "Encrypted": True}},
            {"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 30, "DeleteOnTermination": False}},
        ]
    )
    devices = {one["DeviceName"]: one["Ebs"] for one in show(aws, instance)["BlockDeviceMappings"]}
    assert (devices["/dev/xvda"]["DeleteOnTermination"], devices["/dev/sdf"]["DeleteOnTermination"]) == (False, True)
    [found] = aws.ec2.describe_volumes(
        Filters=[{"Name": "attachment.instance-id", "Values": [instance]}, {"Name": "size", "Values": ["20"]}]
    )["Volumes"]
    assert (found["Iops"], found["Encrypted"], found["State"]) == (500, True, "in-use")
    root = devices["/dev/xvda"]["VolumeId"]
    aws.ec2.create_tags(Resources=[root, instance], Tags=tags(Name="root"))
    [tagged] = aws.ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [root]}])["Tags"]
    assert (tagged["ResourceType"], tagged["Value"]) == ("volume", "root")
    assert aws.ec2.modify_volume(VolumeId=root, Size=40)["VolumeModification"]["ModificationState"] == "completed"
    [change] = aws.ec2.describe_volumes_modifications(VolumeIds=[root])["VolumesModifications"]
    assert (change["OriginalSize"], change["TargetSize"]) == (30, 40)
    with refused("InvalidParameterValue", "smaller"):
        aws.ec2.modify_volume(VolumeId=root, Size=10)
    with refused("InvalidVolume.NotFound", f"The volume 'vol-{UNKNOWN}' does not exist"):
        aws.ec2.describe_volumes(VolumeIds=[f"vol-{UNKNOWN}"])


def test_what_the_command_line_made_is_not_stopped(aws, daemon, subnet):
    instance = daemon.run(subnet, "sleep", "1000")
    assert show(aws, instance)["RootDeviceType"] == "instance-store"
    with refused("UnsupportedOperation", f"The instance '{instance}' does not have an 'ebs' root device type and cannot be stopped."):
        aws.ec2.stop_instances(InstanceIds=[instance])
    with refused("UnsupportedOperation", "made by the command line"):
        aws.ec2.modify_instance_metadata_options(InstanceId=instance, HttpTokens="required")
