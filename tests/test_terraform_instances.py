"""What Terraform's AWS provider calls for `aws_instance` and what goes with it, in its order.

The real provider does the same in `test_terraform_provider.py`, where it is installed.
"""

import base64

import pytest

from harness.aws import PUBLIC_KEY, refusal
from harness.terraform import gone, reaches, specification, tags

HOST = [
    {"Name": "name", "Values": ["linkway/host-*"]},
    {"Name": "virtualization-type", "Values": ["hvm"]},
]


@pytest.fixture
def image(aws):
    """data.aws_ami: of what matches, the one with the latest date."""
    found = aws.ec2.describe_images(Owners=["amazon"], Filters=HOST, IncludeDeprecated=False)["Images"]
    latest = max(found, key=lambda one: one["CreationDate"])
    for member in ("Architecture", "Hypervisor", "ImageLocation", "ImageType", "OwnerId", "PlatformDetails", "UsageOperation"):
        assert latest[member], member
    return latest


def find(ec2, instance):
    """How the provider finds an instance; one that is terminated is none to it."""
    [reservation] = ec2.describe_instances(InstanceIds=[instance])["Reservations"]
    [found] = reservation["Instances"]
    return found


def status(ec2, instance):
    return lambda: find(ec2, instance)["State"]["Name"]


def read(ec2, instance):
    """Reading aws_instance: every call, and what is taken from the answers."""
    found = find(ec2, instance)
    [kind] = ec2.describe_instance_types(InstanceTypes=[found["InstanceType"]])["InstanceTypes"]
    launch_template = ec2.describe_tags(
        Filters=[{"Name": "resource-id", "Values": [instance]}, {"Name": "key", "Values": ["aws:ec2launchtemplate:id"]}]
    )
    assert launch_template["Tags"] == []
    ec2.describe_vpcs(VpcIds=[found["VpcId"]])
    volumes = [device["Ebs"]["VolumeId"] for device in found["BlockDeviceMappings"]]
    [root] = ec2.describe_volumes(VolumeIds=volumes)["Volumes"]
    assert found["RootDeviceName"] == found["BlockDeviceMappings"][0]["DeviceName"]

    def attribute(name):
        answer = ec2.describe_instance_attribute(InstanceId=instance, Attribute=name)
        return answer[name[0].upper() + name[1:]].get("Value")

    data = attribute("userData")
    credits = None
    if kind["BurstablePerformanceSupported"]:
        [answer] = ec2.describe_instance_credit_specifications(InstanceIds=[instance])["InstanceCreditSpecifications"]
        credits = answer["CpuCredits"]
    [interface] = found["NetworkInterfaces"]
    return {
        "ami": found["ImageId"],
        "availability_zone": found["Placement"]["AvailabilityZone"],
        "tenancy": found["Placement"]["Tenancy"],
        "credits": credits,
        "cpu": found["CpuOptions"],
        "disable_api_stop": attribute("disableApiStop"),
        "disable_api_termination": attribute("disableApiTermination"),
        "ebs_optimized": found["EbsOptimized"],
        "hibernation": found["HibernationOptions"]["Configured"],
        "enclave": found["EnclaveOptions"]["Enabled"],
        "maintenance": found["MaintenanceOptions"]["AutoRecovery"],
        "capacity": found["CapacityReservationSpecification"]["CapacityReservationPreference"],
        "metadata": found["MetadataOptions"],
        "monitoring": found["Monitoring"]["State"],
        "names": found["PrivateDnsNameOptions"],
        "private_ip": interface["PrivateIpAddress"],
        "root": (root["Size"], root["VolumeType"], root["Iops"], root["Throughput"], root["Tags"]),
        "shutdown": attribute("instanceInitiatedShutdownBehavior"),
        "source_dest_check": found["SourceDestCheck"],
        "subnet": interface["SubnetId"],
        "tags": found["Tags"],
        "type": found["InstanceType"],
        "user_data": data and base64.b64decode(data).decode(),
        "volumes": volumes,
    }


def test_an_instance(aws, image):
    ec2 = aws.ec2
    subnet = aws.subnet(aws.vpc(), "10.0.0.0/24")
    asked = {
        "ImageId": image["ImageId"],
        "InstanceType": "t3.micro",
        "MinCount": 1,
        "MaxCount": 1,
        "ClientToken": "terraform-20261126",
        "SubnetId": subnet,
        "CreditSpecification": {"CpuCredits": "unlimited"},
        "DisableApiTermination": False,
        "EbsOptimized": False,
        "EnclaveOptions": {"Enabled": False},
        "UserData": "first",
        "Monitoring": {"Enabled": False},
        # Of what a configuration leaves out, the provider sends empty texts.
        "Placement": {"AvailabilityZone": "", "GroupName": "", "Tenancy": ""},
        "BlockDeviceMappings": [
            {"DeviceName": image["RootDeviceName"], "Ebs": {"DeleteOnTermination": True, "VolumeSize": 9}}
        ],
        "TagSpecifications": specification("instance", Name="web") + specification("volume", Name="web"),
    }
    instance = ec2.run_instances(**asked)["Instances"][0]["InstanceId"]
    reaches(status(ec2, instance), "running", pending=("pending",))
    first = read(ec2, instance)
    expected = {
        "ami": image["ImageId"],
        "tenancy": "default",
        "credits": "unlimited",
        "disable_api_stop": False,
        "disable_api_termination": False,
        "ebs_optimized": False,
        "hibernation": False,
        "enclave": False,
        "maintenance": "default",
        "capacity": "open",
        "monitoring": "disabled",
        "root": (9, "gp3", 3000, 125, tags(Name="web")),
        "shutdown": "stop",
        "source_dest_check": True,
        "subnet": subnet,
        "tags": tags(Name="web"),
        "type": "t3.micro",
        "user_data": "first",
    }
    assert {name: first[name] for name in expected} == expected
    assert read(ec2, instance) == first

    # Changed in place: what needs a stop is changed in a stop of its own.
    for change in ({"InstanceType": {"Value": "m5.large"}}, {"UserData": {"Value": b"second"}}):
        ec2.stop_instances(InstanceIds=[instance])
        reaches(status(ec2, instance), "stopped", pending=("running", "stopping"))
        ec2.modify_instance_attribute(InstanceId=instance, **change)
        ec2.start_instances(InstanceIds=[instance])
        reaches(status(ec2, instance), "running", pending=("pending", "stopped"))
    ec2.modify_instance_metadata_options(
        InstanceId=instance, HttpEndpoint="enabled", HttpTokens="required", HttpPutResponseHopLimit=2,
        InstanceMetadataTags="disabled",
    )
    reaches(lambda: find(ec2, instance)["MetadataOptions"]["State"], "applied", pending=("pending",))
    [root] = first["volumes"]
    ec2.modify_volume(VolumeId=root, Size=12)

    def modification():
        return ec2.describe_volumes_modifications(VolumeIds=[root])["VolumesModifications"][0]["ModificationState"]

    reaches(modification, "completed", pending=("modifying", "optimizing"))
    mapping = {"DeviceName": image["RootDeviceName"], "Ebs": {"DeleteOnTermination": False}}
    ec2.modify_instance_attribute(InstanceId=instance, BlockDeviceMappings=[mapping])
    ec2.delete_tags(Resources=[root], Tags=tags(Name="web"))
    second = read(ec2, instance)
    assert (second["type"], second["user_data"], second["credits"]) == ("m5.large", "second", None)
    assert (second["root"][0], second["root"][4], second["private_ip"]) == (12, [], first["private_ip"])
    assert find(ec2, instance)["BlockDeviceMappings"][0]["Ebs"]["DeleteOnTermination"] is False

    # Destroyed.
    ec2.modify_instance_attribute(InstanceId=instance, DisableApiTermination={"Value": False})
    ec2.terminate_instances(InstanceIds=[instance])
    reaches(
        status(ec2, instance), "terminated", pending=("pending", "running", "shutting-down", "stopped", "stopping")
    )
    gone(lambda: ec2.describe_volumes(Filters=[{"Name": "volume-id", "Values": [root]}])["Volumes"])


def test_a_key_pair(aws):
    ec2 = aws.ec2
    made = ec2.import_key_pair(
        KeyName="mine", PublicKeyMaterial=PUBLIC_KEY, TagSpecifications=specification("key-pair", Name="mine")
    )
    [read] = ec2.describe_key_pairs(KeyNames=["mine"])["KeyPairs"]
    assert (read["KeyFingerprint"], read["KeyPairId"]) == (made["KeyFingerprint"], made["KeyPairId"])
    assert (read["KeyType"], read["Tags"]) == ("ed25519", tags(Name="mine"))
    ec2.delete_key_pair(KeyName="mine")
    gone(lambda: ec2.describe_key_pairs(KeyNames=["mine"])["KeyPairs"], "InvalidKeyPair.NotFound")
    assert refusal(ec2.describe_key_pairs, KeyNames=["mine"])[0] == "InvalidKeyPair.NotFound"
