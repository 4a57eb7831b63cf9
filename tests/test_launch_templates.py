"""Launch templates: their versions, launches from them, and what Terraform's provider calls for them."""

import base64

import pytest

from harness.aws import refusal
from harness.instances import image, show, subnet  # noqa: F401
from harness.terraform import gone, reaches, specification, tags
from test_iam import account, document, iam, may, user  # noqa: F401
from test_iam_resources import DENIED, when

UNKNOWN = "lt-0123456789abcdef0"


@pytest.fixture
def ec2(aws):
    return aws.ec2


def make(ec2, name="web", **data):
    return ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData=data)["LaunchTemplate"]


def data_of(ec2, template, version="$Latest"):
    asked = {"LaunchTemplateId": template, "Versions": [version]}
    [found] = ec2.describe_launch_template_versions(**asked)["LaunchTemplateVersions"]
    return found["LaunchTemplateData"]


def test_what_terraform_asks_for_a_template(ec2, image, subnet):  # noqa: F811
    """aws_launch_template: create, read back, a new version, another default, destroy."""
    data = {
        "BlockDeviceMappings": [
            {"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 9, "VolumeType": "gp3", "DeleteOnTermination": True}}
        ],
        "CreditSpecification": {"CpuCredits": "standard"},
        "DisableApiTermination": False,
        "EbsOptimized": False,
        "ImageId": image,
        "InstanceInitiatedShutdownBehavior": "terminate",
        "InstanceType": "t3.nano",
        "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 2},
        "Monitoring": {"Enabled": False},
        "NetworkInterfaces": [{"DeviceIndex": 0, "SubnetId": subnet, "PrivateIpAddress": "10.0.0.77"}],
        "Placement": {"Tenancy": "default"},
        "PrivateDnsNameOptions": {"HostnameType": "ip-name", "EnableResourceNameDnsARecord": False},
        "TagSpecifications": specification("instance", Name="web"),
        "UserData": base64.b64encode(b"first").decode(),
    }
    made = ec2.create_launch_template(
        ClientToken="terraform-1", LaunchTemplateName="web", VersionDescription="one", LaunchTemplateData=data,
        TagSpecifications=specification("launch-template", env="dev"),
    )["LaunchTemplate"]
    template = made["LaunchTemplateId"]
    assert (made["DefaultVersionNumber"], made["LatestVersionNumber"]) == (1, 1)
    [read] = ec2.describe_launch_templates(LaunchTemplateIds=[template])["LaunchTemplates"]
    assert read == made and read["Tags"] == tags(env="dev")
    assert data_of(ec2, template, "1") == data
    made = ec2.create_launch_template_version(
        ClientToken="terraform-2", LaunchTemplateId=template, LaunchTemplateData=data | {"InstanceType": "t3.micro"}
    )["LaunchTemplateVersion"]
    assert (made["VersionNumber"], made["DefaultVersion"]) == (2, False)
    changed = ec2.modify_launch_template(LaunchTemplateId=template, DefaultVersion="2")["LaunchTemplate"]
    assert changed["DefaultVersionNumber"] == 2
    ec2.delete_launch_template(LaunchTemplateId=template)
    gone(
        lambda: ec2.describe_launch_templates(LaunchTemplateIds=[template])["LaunchTemplates"],
        "InvalidLaunchTemplateId.NotFound",
    )


def test_versions(ec2):
    template = make(ec2, InstanceType="t3.nano", KeyName="door")["LaunchTemplateId"]
    asked = {"LaunchTemplateName": "web"}
    ec2.create_launch_template_version(**asked, SourceVersion="1", LaunchTemplateData={"InstanceType": "t3.micro"})
    assert data_of(ec2, template) == {"InstanceType": "t3.micro", "KeyName": "door"}
    ec2.create_launch_template_version(**asked, LaunchTemplateData={"InstanceType": "t3.small"})
    versions = lambda **more: [
        found["VersionNumber"]
        for found in ec2.describe_launch_template_versions(**more)["LaunchTemplateVersions"]
    ]
    assert versions(**asked) == [3, 2, 1]
    assert versions(**asked, MinVersion="2") == [3, 2]
    assert versions(**asked, Versions=["$Default"]) == [1] and versions(Versions=["$Latest"]) == [3]
    assert versions(**asked, Filters=[{"Name": "instance-type", "Values": ["t3.micro"]}]) == [2]
    answer = ec2.delete_launch_template_versions(**asked, Versions=["1", "2", "9"])
    deleted = [found["VersionNumber"] for found in answer["SuccessfullyDeletedLaunchTemplateVersions"]]
    kept = {
        found["VersionNumber"]: found["ResponseError"]["Code"]
        for found in answer["UnsuccessfullyDeletedLaunchTemplateVersions"]
    }
    assert (deleted, kept) == ([2], {1: "unexpectedError", 9: "launchTemplateVersionDoesNotExist"})
    # Numbers are not used again.
    ec2.delete_launch_template_versions(**asked, Versions=["3"])
    made = ec2.create_launch_template_version(**asked, LaunchTemplateData={"KeyName": "other"})
    assert made["LaunchTemplateVersion"]["VersionNumber"] == 4
    # The same token, the same version.
    again = {**asked, "ClientToken": "t", "LaunchTemplateData": {"KeyName": "other"}}
    first, second = (ec2.create_launch_template_version(**again)["LaunchTemplateVersion"] for _ in range(2))
    assert first == second and first["VersionNumber"] == 5


def test_what_is_refused(ec2, aws, image):  # noqa: F811
    template = make(ec2, InstanceType="t3.nano")["LaunchTemplateId"]
    name = {"LaunchTemplateName": "web"}
    data = {"LaunchTemplateData": {"InstanceType": "t3.nano"}}
    launch = lambda **named: {"ImageId": image, "MinCount": 1, "MaxCount": 1, "LaunchTemplate": named}
    for code, call, arguments in (
        ("InvalidLaunchTemplateName.AlreadyExistsException", ec2.create_launch_template, name | data),
        ("InvalidLaunchTemplateName.MalformedException", ec2.create_launch_template, {"LaunchTemplateName": "a b c"} | data),
        ("UnsupportedOperation", ec2.create_launch_template, {
            "LaunchTemplateName": "spot", "LaunchTemplateData": {"InstanceMarketOptions": {"MarketType": "spot"}},
        }),
        ("InvalidLaunchTemplateId.NotFound", ec2.describe_launch_templates, {"LaunchTemplateIds": [UNKNOWN]}),
        ("InvalidLaunchTemplateId.Malformed", ec2.describe_launch_templates, {"LaunchTemplateIds": ["lt-no"]}),
        ("InvalidLaunchTemplateName.NotFoundException", ec2.describe_launch_templates, {"LaunchTemplateNames": ["no-one"]}),
        ("InvalidLaunchTemplateId.VersionNotFound", ec2.modify_launch_template, name | {"DefaultVersion": "7"}),
        ("InvalidParameterCombination", ec2.delete_launch_template, name | {"LaunchTemplateId": template}),
        ("MissingParameter", ec2.describe_launch_template_versions, {}),
        ("InvalidLaunchTemplateId.NotFound", ec2.run_instances, launch(LaunchTemplateId=UNKNOWN)),
        ("InvalidLaunchTemplateId.VersionNotFound", ec2.run_instances, launch(LaunchTemplateId=template, Version="2")),
        ("InvalidParameterValue", ec2.run_instances, launch(LaunchTemplateId=template, Version="two")),
    ):
        assert refusal(call, **arguments)[0] == code, (call, arguments)
    assert refusal(ec2.describe_launch_templates, LaunchTemplateIds=[UNKNOWN])[1] == (
        f"The specified launch template, with template ID {UNKNOWN}, does not exist."
    )


def test_a_launch_goes_before_its_template(aws, ec2, image, subnet):  # noqa: F811
    """aws_instance with launch_template: what the template says, but where the call says otherwise."""
    template = make(
        ec2, ImageId=image, InstanceType="t3.nano", UserData=base64.b64encode(b"theirs").decode(),
        MetadataOptions={"HttpTokens": "required"}, InstanceInitiatedShutdownBehavior="terminate",
        TagSpecifications=specification("instance", Name="template", team="blue") + specification("volume", of="it"),
        BlockDeviceMappings=[{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 11}}],
    )["LaunchTemplateId"]
    [launched] = ec2.run_instances(
        LaunchTemplate={"LaunchTemplateId": template, "Version": "$Default"}, MinCount=1, MaxCount=1,
        InstanceType="t3.micro", SubnetId=subnet, TagSpecifications=specification("instance", Name="call"),
        Placement={"AvailabilityZone": "", "GroupName": "", "Tenancy": ""},
    )["Instances"]
    instance = launched["InstanceId"]
    reaches(lambda: show(aws, instance)["State"]["Name"], "running", pending=("pending",))
    found = show(aws, instance)
    assert (found["InstanceType"], found["ImageId"], found["SubnetId"]) == ("t3.micro", image, subnet)
    assert found["MetadataOptions"]["HttpTokens"] == "required"
    own = {tag["Key"]: tag["Value"] for tag in found["Tags"]}
    assert own == {
        "Name": "call", "team": "blue", "aws:ec2launchtemplate:id": template, "aws:ec2launchtemplate:version": "1",
    }
    attribute = ec2.describe_instance_attribute(InstanceId=instance, Attribute="userData")["UserData"]["Value"]
    assert base64.b64decode(attribute) == b"theirs"
    [volume] = found["BlockDeviceMappings"]
    [volume] = ec2.describe_volumes(VolumeIds=[volume["Ebs"]["VolumeId"]])["Volumes"]
    assert (volume["Size"], volume["Tags"]) == (11, tags(of="it"))
    # How the provider finds the template of an instance.
    filters = [{"Name": "resource-id", "Values": [instance]}, {"Name": "key", "Values": ["aws:ec2launchtemplate:id"]}]
    [tag] = ec2.describe_tags(Filters=filters)["Tags"]
    assert tag["Value"] == template
    ec2.delete_tags(Resources=[instance])
    assert {tag["Key"] for tag in show(aws, instance)["Tags"]} == {key for key in own if key.startswith("aws:")}


def test_a_launch_from_a_template_is_held_to_what_it_comes_to(account, iam, image):  # noqa: F811
    """Who may launch in one VPC only may not launch elsewhere by a template."""
    subnets = [account.subnet(account.vpc(f"10.{number}.0.0/16"), f"10.{number}.0.0/24") for number in range(2)]
    [found] = account.ec2.describe_subnets(SubnetIds=subnets[:1])["Subnets"]
    vpc = f"arn:aws:ec2:us-east-1:{account.number}:vpc/{found['VpcId']}"
    of_subnets = may("ec2:RunInstances", resource="arn:aws:ec2:*:*:subnet/*", effect="Deny")
    elsewhere = when(of_subnets, ArnNotEquals={"ec2:Vpc": vpc})
    launcher = user(account, iam, "launcher", may("ec2:*"), elsewhere).ec2
    for subnet, code in zip(subnets, ("DryRunOperation", DENIED), strict=True):  # noqa: F402
        interfaces = [{"DeviceIndex": 0, "SubnetId": subnet}]
        template = make(account.ec2, subnet, ImageId=image, NetworkInterfaces=interfaces)["LaunchTemplateName"]
        asked = {"LaunchTemplate": {"LaunchTemplateName": template}, "MinCount": 1, "MaxCount": 1, "DryRun": True}
        assert refusal(launcher.run_instances, **asked)[0] == code
