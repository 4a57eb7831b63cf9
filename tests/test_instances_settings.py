"""What instances are told and shown beside their launch: attributes, types, key pairs, profiles, volumes."""

import base64
import json
import subprocess

from harness.aws import Account
from harness.instances import UNKNOWN, ids, image, launch, reaches, refused, running, show, state, subnet  # noqa: F401
from harness.terraform import specification, tags


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
