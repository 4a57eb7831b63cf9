"""IAM and STS: users, roles and policies by stock clients; what they let call whom, also through endpoints."""

import json
from types import SimpleNamespace

import botocore.exceptions
import pytest

from harness.aws import Account, refusal
from harness.wait import until
from test_gateway import Place, allow, policy

REGION = "us-east-1"


@pytest.fixture
def account(daemon):
    return Account.first(daemon)


@pytest.fixture
def iam(account):
    return account.client("iam")


def document(*statements):
    """A policy of an identity's."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def trusting(**principal):
    """A trust policy."""
    return document({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"})


def may(*actions, resource="*", effect="Allow"):
    """A statement of an identity's policy."""
    return {"Effect": effect, "Action": list(actions), "Resource": resource}


def signing(account, credentials):
    """Clients with temporary credentials."""
    options = {
        "aws_access_key_id": credentials["AccessKeyId"],
        "aws_secret_access_key": credentials["SecretAccessKey"],
        "aws_session_token": credentials["SessionToken"],
    }
    return SimpleNamespace(**{name: account.client(name, **options) for name in ("ec2", "iam", "rds", "sts")})


def user(account, iam, name, *statements):
    """An account's clients that sign as a new user."""
    iam.create_user(UserName=name)
    if statements:
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=document(*statements))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return Account(account.url, key["AccessKeyId"], key["SecretAccessKey"], REGION)


def test_a_user_may_what_its_policies_say(account, iam):
    alice = user(account, iam, "alice")
    number = account.number
    assert alice.sts.get_caller_identity()["Arn"] == f"arn:aws:iam::{number}:user/alice"
    denied = refusal(alice.ec2.describe_vpcs)
    assert denied == (
        "UnauthorizedOperation",
        f"You are not authorized to perform this operation. User: arn:aws:iam::{number}:user/alice is not authorized "
        "to perform: ec2:DescribeVpcs on resource: * because no identity-based policy allows the ec2:DescribeVpcs action",
    )
    denied = refusal(alice.elbv2.describe_load_balancers)
    assert denied[0] == "AccessDenied" and "elasticloadbalancing:DescribeLoadBalancers" in denied[1], denied
    iam.attach_user_policy(UserName="alice", PolicyArn="arn:aws:iam::aws:policy/AmazonVPCFullAccess")
    vpc = alice.vpc()
    # A dry run is denied as the real one would be.
    assert refusal(alice.ec2.delete_vpc, VpcId=vpc, DryRun=True)[0] == "DryRunOperation"
    iam.put_user_policy(
        UserName="alice", PolicyName="no", PolicyDocument=document(may("ec2:DeleteVpc", effect="Deny"))
    )
    for dry in (False, True):
        code, message = refusal(alice.ec2.delete_vpc, VpcId=vpc, DryRun=dry)
        assert code == "UnauthorizedOperation", message
        assert message.endswith(f":vpc/{vpc} with an explicit deny in an identity-based policy")
    iam.delete_user_policy(UserName="alice", PolicyName="no")
    alice.ec2.delete_vpc(VpcId=vpc)


def test_keys_are_switched_off_and_deleted(account, iam):
    alice = user(account, iam, "alice")
    [key] = iam.list_access_keys(UserName="alice")["AccessKeyMetadata"]
    assert key["Status"] == "Active" and key["AccessKeyId"] == alice.key
    iam.update_access_key(UserName="alice", AccessKeyId=alice.key, Status="Inactive")
    assert refusal(alice.sts.get_caller_identity)[0] == "InvalidClientTokenId"
    assert refusal(alice.ec2.describe_vpcs)[0] == "AuthFailure"
    iam.update_access_key(UserName="alice", AccessKeyId=alice.key, Status="Active")
    alice.sts.get_caller_identity()
    iam.delete_access_key(UserName="alice", AccessKeyId=alice.key)
    assert refusal(alice.sts.get_caller_identity)[0] == "InvalidClientTokenId"


def test_errors_have_iams_statuses(iam):
    iam.create_user(UserName="alice")
    for status, code, call, arguments in (
        (404, "NoSuchEntity", iam.get_user, {"UserName": "bob"}),
        (404, "NoSuchEntity", iam.get_role, {"RoleName": "bob"}),
        (409, "EntityAlreadyExists", iam.create_user, {"UserName": "alice"}),
        (400, "ValidationError", iam.create_user, {"UserName": "a b"}),
        (400, "MalformedPolicyDocument", iam.create_policy, {"PolicyName": "p", "PolicyDocument": "{}"}),
    ):
        with pytest.raises(botocore.exceptions.ClientError) as refused:
            call(**arguments)
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
        assert refused.value.response["Error"]["Code"] == code
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.get_instance_profile(InstanceProfileName="none")


def test_what_terraform_asks_for_a_role_with_policies(iam, account):
    """Create, read back, change and destroy, as `aws_iam_role`, `aws_iam_policy`, `aws_iam_role_policy`,
    `aws_iam_role_policy_attachment` and `aws_iam_instance_profile` do it."""
    trust = json.loads(trusting(Service="ec2.amazonaws.com"))
    iam.create_role(
        RoleName="app", Path="/", AssumeRolePolicyDocument=json.dumps(trust), MaxSessionDuration=3600,
        Tags=[{"Key": "env", "Value": "test"}],
    )
    iam.get_waiter("role_exists").wait(RoleName="app", WaiterConfig={"Delay": 1, "MaxAttempts": 1})
    role = iam.get_role(RoleName="app")["Role"]
    assert role["AssumeRolePolicyDocument"] == trust
    assert role["Tags"] == [{"Key": "env", "Value": "test"}] and "PermissionsBoundary" not in role
    assert iam.list_role_policies(RoleName="app")["PolicyNames"] == []
    assert iam.list_attached_role_policies(RoleName="app")["AttachedPolicies"] == []

    text = document(may("ec2:Describe*"))
    created = iam.create_policy(PolicyName="see", PolicyDocument=text, Description="to see")["Policy"]
    arn = created["Arn"]
    iam.get_waiter("policy_exists").wait(PolicyArn=arn, WaiterConfig={"Delay": 1, "MaxAttempts": 1})
    got = iam.get_policy(PolicyArn=arn)["Policy"]
    version = iam.get_policy_version(PolicyArn=arn, VersionId=got["DefaultVersionId"])["PolicyVersion"]
    assert version["Document"] == json.loads(text) and got["Description"] == "to see"
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=document(may("s3:*")), SetAsDefault=True)
    versions = iam.list_policy_versions(PolicyArn=arn)["Versions"]
    assert [(found["VersionId"], found["IsDefaultVersion"]) for found in versions] == [("v2", True), ("v1", False)]
    iam.attach_role_policy(RoleName="app", PolicyArn=arn)
    iam.put_role_policy(RoleName="app", PolicyName="in", PolicyDocument=text)
    assert iam.get_role_policy(RoleName="app", PolicyName="in")["PolicyDocument"] == json.loads(text)

    iam.create_instance_profile(InstanceProfileName="app")
    iam.get_waiter("instance_profile_exists").wait(InstanceProfileName="app")
    iam.add_role_to_instance_profile(InstanceProfileName="app", RoleName="app")
    profile = iam.get_instance_profile(InstanceProfileName="app")["InstanceProfile"]
    assert [role["RoleName"] for role in profile["Roles"]] == ["app"]
    assert len(iam.list_instance_profiles_for_role(RoleName="app")["InstanceProfiles"]) == 1

    # Destroyed in an order that is not yet right, then in one that is.
    for call, arguments in (
        (iam.delete_role, {"RoleName": "app"}),
        (iam.delete_policy, {"PolicyArn": arn}),
        (iam.delete_instance_profile, {"InstanceProfileName": "app"}),
    ):
        assert refusal(call, **arguments)[0] == "DeleteConflict"
    iam.remove_role_from_instance_profile(InstanceProfileName="app", RoleName="app")
    iam.delete_instance_profile(InstanceProfileName="app")
    iam.detach_role_policy(RoleName="app", PolicyArn=arn)
    iam.delete_role_policy(RoleName="app", PolicyName="in")
    iam.delete_role(RoleName="app")
    iam.delete_policy_version(PolicyArn=arn, VersionId="v1")
    iam.delete_policy(PolicyArn=arn)
    assert iam.list_roles()["Roles"] == [] and iam.list_policies(Scope="Local")["Policies"] == []


def test_tags_and_descriptions_are_told_where_aws_tells_them(iam):
    tags = [{"Key": "team", "Value": "blue"}]
    for name, given in (("plain", {}), ("tagged", {"Tags": tags})):
        trust = trusting(Service="ec2.amazonaws.com")
        policy = {"PolicyName": name, "PolicyDocument": document(may("ec2:*")), "Description": "for a test"}
        made = iam.create_policy(**policy, **given)["Policy"]
        assert "Description" not in made
        described = iam.get_policy(PolicyArn=made["Arn"])["Policy"]
        assert (described["Description"], described["Tags"]) == ("for a test", given.get("Tags", []))
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust, **given)["Role"]
        user = iam.create_user(UserName=name, **given)["User"]
        got = (iam.get_role(RoleName=name)["Role"], iam.get_user(UserName=name)["User"])
        for found in (made, role, user, *got):
            assert found.get("Tags") == given.get("Tags"), found
    policies = iam.list_policies(Scope="Local")["Policies"]
    lists = (policies, iam.list_roles()["Roles"], iam.list_users()["Users"])
    assert all(len(found) >= 2 for found in lists)
    assert not any({"Tags", "Description"} & found.keys() for list_of in lists for found in list_of)
    assert iam.list_role_tags(RoleName="plain")["Tags"] == []


def test_lists_are_paged(iam):
    for number in range(5):
        iam.create_group(GroupName=f"group-{number}")
    pages = list(iam.get_paginator("list_groups").paginate(PaginationConfig={"PageSize": 2}))
    assert [len(page["Groups"]) for page in pages] == [2, 2, 1]
    assert [page["IsTruncated"] for page in pages] == [True, True, False]


def test_a_role_is_assumed_by_the_cli_as_a_profile_says(account, iam, tmp_path):
    alice = user(account, iam, "alice")
    role = f"arn:aws:iam::{account.number}:role/app"
    iam.create_role(
        RoleName="app", AssumeRolePolicyDocument=trusting(AWS=f"arn:aws:iam::{account.number}:user/alice")
    )
    iam.attach_role_policy(RoleName="app", PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    config = tmp_path / "config"
    config.write_text(
        f"[profile app]\nrole_arn = {role}\nrole_session_name = deploy\ncredential_source = Environment\n"
        f"region = {REGION}\n"
    )
    # The CLI keeps what it was given under its home.
    asked = lambda *words: alice.cli(*words, "--profile", "app", AWS_CONFIG_FILE=str(config), HOME=str(tmp_path))
    who = asked("sts", "get-caller-identity")
    assert who.returncode == 0, who.stderr
    assert json.loads(who.stdout)["Arn"] == f"arn:aws:sts::{account.number}:assumed-role/app/deploy"
    vpcs = asked("ec2", "describe-vpcs")
    assert vpcs.returncode == 0, vpcs.stderr
    made = asked("ec2", "create-vpc", "--cidr-block", "10.0.0.0/16")
    assert made.returncode != 0 and "UnauthorizedOperation" in made.stderr, made.stderr
    assert "assumed-role/app/deploy is not authorized to perform: ec2:CreateVpc" in made.stderr, made.stderr


def test_temporary_credentials_need_their_token(account, iam):
    iam.create_role(RoleName="app", AssumeRolePolicyDocument=trusting(AWS=account.number))
    iam.attach_role_policy(RoleName="app", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    role = f"arn:aws:iam::{account.number}:role/app"
    made = account.sts.assume_role(RoleArn=role, RoleSessionName="me", DurationSeconds=900)["Credentials"]
    session = signing(account, made)
    session.ec2.describe_vpcs()
    for token in ("", "other"):
        wrong = signing(account, made | {"SessionToken": token or None})
        assert refusal(wrong.ec2.describe_vpcs)[0] == "AuthFailure"
        assert refusal(wrong.sts.get_caller_identity)[0] == "InvalidClientTokenId"
    # A session of a role that is no more may nothing more.
    iam.detach_role_policy(RoleName="app", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    iam.delete_role(RoleName="app")
    assert refusal(session.ec2.describe_vpcs)[0] == "UnauthorizedOperation"


def test_tokens_of_users_and_of_those_they_vouch_for(account, iam):
    alice = user(account, iam, "alice", may("ec2:*", "sts:*"))
    own = signing(account, alice.sts.get_session_token()["Credentials"])
    assert own.sts.get_caller_identity()["Arn"].endswith(":user/alice")
    own.ec2.describe_vpcs()
    assert refusal(own.iam.list_users)[0] == "InvalidClientTokenId"
    answer = alice.sts.get_federation_token(Name="guest", Policy=document(may("ec2:DescribeVpcs")))
    guest = signing(account, answer["Credentials"])
    assert guest.sts.get_caller_identity()["Arn"] == f"arn:aws:sts::{account.number}:federated-user/guest"
    guest.ec2.describe_vpcs()
    code, message = refusal(guest.ec2.describe_subnets)
    assert code == "UnauthorizedOperation" and "no session policy allows the ec2:DescribeSubnets action" in message
    assert alice.sts.get_access_key_info(AccessKeyId=alice.key)["Account"] == account.number


def test_users_of_the_command_line_are_administrators_until_a_policy_says_otherwise(daemon, account, iam):
    [key] = daemon.json("key", "create", "--account", account.number, "--user", "operator")
    operator = Account(account.url, key["id"], key["secret"], REGION)
    assert operator.client("iam").get_user()["User"]["UserName"] == "operator"
    attached = iam.list_attached_user_policies(UserName="operator")["AttachedPolicies"]
    assert [found["PolicyName"] for found in attached] == ["AdministratorAccess"]
    operator.vpc()
    iam.detach_user_policy(UserName="operator", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    assert refusal(operator.ec2.describe_vpcs)[0] == "UnauthorizedOperation"
    account.sts.get_caller_identity()


def test_an_assumed_role_calls_through_an_endpoint_under_a_policy_on_its_arn(daemon, account, iam):
    place = Place(daemon, account)
    number = account.number
    for name in ("app", "other"):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trusting(AWS=number))
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=document(may("ec2:Describe*")))
    app = f"arn:aws:iam::{number}:role/app"
    place.endpoint("ec2", policy=policy(allow("ec2:*", Principal={"AWS": app})))
    until(lambda: place.aws("ec2", "describe-vpcs").stderr, "an answer")

    def asked(role, *words):
        made = account.sts.assume_role(RoleArn=f"arn:aws:iam::{number}:role/{role}", RoleSessionName="me")
        made = made["Credentials"]
        return place.aws(
            "ec2", *words, key=made["AccessKeyId"], secret=made["SecretAccessKey"],
            AWS_SESSION_TOKEN=made["SessionToken"],
        )

    done = asked("app", "describe-vpcs")
    assert done.returncode == 0 and place.vpc in done.stdout, done.stderr
    done = asked("other", "describe-vpcs")
    assert "no VPC endpoint policy allows the ec2:DescribeVpcs action" in done.stderr, done.stderr
    # What the endpoint's policy lets pass, the role's has to allow as well.
    done = asked("app", "create-vpc", "--cidr-block", "10.9.0.0/16")
    assert "UnauthorizedOperation" in done.stderr, done.stderr
    assert "no identity-based policy allows the ec2:CreateVpc action" in done.stderr, done.stderr
    # The role's policy knows through which endpoint a request came.
    condition = {"Condition": {"StringEquals": {"aws:SourceVpc": place.vpc}}}
    iam.put_role_policy(RoleName="app", PolicyName="p", PolicyDocument=document(may("ec2:Describe*") | condition))
    assert asked("app", "describe-vpcs").returncode == 0
    made = account.sts.assume_role(RoleArn=app, RoleSessionName="me")["Credentials"]
    assert refusal(signing(account, made).ec2.describe_vpcs)[0] == "UnauthorizedOperation"


def test_iam_is_served_behind_its_endpoint(daemon, account, iam):
    place = Place(daemon, account)
    account.ec2.create_vpc_endpoint(
        VpcEndpointType="Interface", VpcId=place.vpc, ServiceName="com.amazonaws.iam", SubnetIds=place.subnets,
        SecurityGroupIds=[place.door],
    )
    iam.create_user(UserName="alice")
    done = until(
        lambda: (done := place.aws("iam", "get-user", "--user-name", "alice")).returncode == 0 and done,
        "an answer of IAM", 30,
    )
    assert json.loads(done.stdout)["User"]["Arn"] == f"arn:aws:iam::{account.number}:user/alice"


def test_of_other_credentials_users_have_none(iam):
    iam.create_user(UserName="alice")
    refused = refusal(iam.get_login_profile, UserName="alice")
    assert refused == ("NoSuchEntity", "Login Profile for User alice cannot be found.")
    lists = {
        iam.list_mfa_devices: "MFADevices", iam.list_ssh_public_keys: "SSHPublicKeys",
        iam.list_signing_certificates: "Certificates",
        iam.list_service_specific_credentials: "ServiceSpecificCredentials",
    }
    for call, name in lists.items():
        assert call(UserName="alice")[name] == []
        assert refusal(call, UserName="bob") == ("NoSuchEntity", "The user with name bob cannot be found.")
