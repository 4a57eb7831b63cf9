"""The API of instances that really run: images, launches and their errors, states, interfaces."""

import json

import pytest

from harness.instances import UNKNOWN, ids, image, launch, reaches, refused, running, show, state, subnet  # noqa: F401
from harness.terraform import specification, tags
from harness.wait import until


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


def test_what_the_command_line_made_is_not_stopped(aws, daemon, subnet):
    instance = daemon.run(subnet, "sleep", "1000")
    assert show(aws, instance)["RootDeviceType"] == "instance-store"
    with refused("UnsupportedOperation", f"The instance '{instance}' does not have an 'ebs' root device type and cannot be stopped."):
        aws.ec2.stop_instances(InstanceIds=[instance])
    with refused("UnsupportedOperation", "made by the command line"):
        aws.ec2.modify_instance_metadata_options(InstanceId=instance, HttpTokens="required")
