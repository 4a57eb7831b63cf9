"""`linkway policy check`, `test` and `learn`, the records that the last reads, and `linkway advise`: each as a user
meets it, with endpoints that a stock client goes through."""

import json
import shlex
import stat

import pytest

from harness.aws import Account
from harness.wait import until
from test_gateway import Place, allow, policy, records

ACCOUNT = "arn:aws:iam::{}:root"


@pytest.fixture
def place(daemon, aws):
    """A place in the first account."""
    return Place(daemon, aws)


@pytest.fixture
def written(tmp_path):
    """Writes a file and returns its path."""

    def write(contents, name="policy.json"):
        path = tmp_path / name
        path.write_text(contents if isinstance(contents, str) else json.dumps(contents))
        return path

    return write


def check(daemon, path, *options):
    """The status of a check, and the severity and code of each finding."""
    done = daemon.linkway("policy", "check", path, *options, "--output", "json", check=False)
    return done.returncode, [(found["severity"], found["code"]) for found in json.loads(done.stdout)]


def advice(daemon, endpoint):
    """The status of `linkway advise`, and its findings by their ids."""
    done = daemon.linkway("advise", endpoint, "--output", "json", check=False)
    return done.returncode, {found["id"]: found for found in json.loads(done.stdout)}


def follow(account, finding):
    """Do what a finding says, by its command."""
    program, *arguments = shlex.split(finding["command"])
    assert program == "aws", finding
    done = account.cli(*arguments)
    assert done.returncode == 0, done.stderr


# check


def test_check_finds_what_can_never_be(daemon, written):
    sound = policy(allow("rds:Describe*"))
    assert check(daemon, written(sound)) == (0, [])
    assert check(daemon, written(sound), "--service", "com.amazonaws.us-east-1.rds") == (0, [])
    assert check(daemon, written(sound), "--service", "ec2") == (0, [("warning", "action-of-another-service")])
    status, found = check(daemon, written(policy(allow("ec2:DescribeVpcs", Resource="arn:aws:s3:::bucket"))))
    assert (status, found) == (0, [("warning", "never-applies"), ("warning", "allows-nothing")])
    addressed = allow("rds:*", Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}})
    status, found = check(daemon, written(policy(allow("sts:*"), addressed)))
    assert (status, found) == (0, [("warning", "never-applies"), ("warning", "absent-key")])


def test_check_tells_places_and_what_may_be_meant(daemon, written):
    path = written('{"Statement": [\n {"Effect": "Allow", "Principal": "*", "Action": "rds:DescribeDBInstance",\n'
                   '  "Resource": "*"}]}')
    done = daemon.linkway("policy", "check", path, check=False)
    assert done.returncode == 1
    assert f'{path}:2:50: error: there is no action "rds:DescribeDBInstance" [unknown-action]' in done.stdout
    assert "did you mean rds:DescribeDBInstances?" in done.stdout
    done = daemon.linkway("policy", "check", written('{"Statement": {"effect": "Allow"}}'), check=False)
    assert done.returncode == 1 and ":1:16: error:" in done.stdout and 'did you mean "Effect"?' in done.stdout
    assert check(daemon, written(policy(allow("rds:*")) + " " * 20481)) == (1, [("error", "syntax")])


# test


def test_a_request_is_tried_and_explained(daemon, written):
    text = policy(allow("rds:Describe*", Sid="Look"), allow("rds:DescribeEvents") | {"Effect": "Deny"})
    request = {
        "principal": {"type": "user", "arn": "arn:aws:iam::111122223333:user/a", "account": "111122223333"},
        "action": "rds:DescribeEvents", "resource": "*", "context": {},
    }
    files = "--policy", written(text), "--request", written(request, "request.json")
    done = daemon.linkway("policy", "test", *files, "--output", "json", check=False)
    found = json.loads(done.stdout)
    assert (done.returncode, found["verdict"], found["statements"]) == (1, "ExplicitDeny", [1])
    assert found["message"].endswith("on resource: * with an explicit deny in a VPC endpoint policy")
    asked = "--policy", written(text), "--action", "rds:DeleteDBInstance", "--principal", "111122223333"
    done = daemon.linkway("policy", "test", *asked, check=False)
    assert done.returncode == 1
    assert 'rds:DeleteDBInstance does not match "rds:Describe*"' in done.stdout, done.stdout
    assert "statement 0 (Look), Allow: does not match" in done.stdout, done.stdout
    done = daemon.linkway("policy", "test", *asked[:2], "--action", "rds:DescribeDBInstances")
    assert done.stdout.startswith("Allow\nstatement 0 (Look), Allow: matches\n")


def test_cases_fail_where_they_must_not(daemon, written):
    def case(number, expected, usage, decided_by=(0,)):
        return {
            "id": f"case-{number}", "policy": json.loads(policy(allow("rds:Describe*"))), "expected": expected,
            "request": {"action": "rds:DescribeEvents", "resource": "*", "context": {}},
            "use": usage, "decided_by": list(decided_by),
        }

    def run(*cases):
        path = written("\n".join(map(json.dumps, cases)), "cases.jsonl")
        return daemon.linkway("policy", "test", "--cases", path, check=False)

    right, undecided = case(1, "Allow", "gate"), case(2, "ImplicitDeny", "open")
    done = run(right, undecided)
    assert done.returncode == 0 and "case-2 (open): Allow, not ImplicitDeny" in done.stdout, done.stdout
    assert [line.split() for line in done.stdout.splitlines()[-2:]] == [["gate", "1", "1"], ["open", "0", "1"]]
    done = run(right, case(3, "ExplicitDeny", "doc"))
    assert done.returncode == 1 and "case-3 (doc): Allow, not ExplicitDeny" in done.stdout, done.stdout
    done = run(case(4, "Allow", "gate", [1]))
    assert done.returncode == 1 and "decided by statements [0], not [1]" in done.stdout, done.stdout


def test_an_endpoints_policy_is_tried_with_what_the_endpoint_adds(daemon, place):
    inside = {"Condition": {"StringEquals": {"aws:SourceVpc": place.vpc}}}
    endpoint = place.endpoint("ec2", policy=policy(allow("ec2:Describe*", **inside)))
    asked = "--endpoint", endpoint, "--action", "ec2:DescribeVpcs", "--principal", place.account.number

    def verdict(*more):
        done = daemon.linkway("policy", "test", *asked, *more, "--output", "json", check=False)
        return done.returncode, json.loads(done.stdout)["verdict"]

    assert verdict() == (0, "Allow")
    assert verdict("--context", "aws:SourceVpc=vpc-0123456789abcdef0") == (1, "ImplicitDeny")
    assert verdict("--context", "aws:SourceVpc=") == (1, "ImplicitDeny")
    # As the gateway decides.
    assert place.aws("ec2", "describe-vpcs").returncode == 0
    place.account.ec2.create_tags(Resources=[endpoint], Tags=[{"Key": "linkway:policy-mode", "Value": "audit"}])
    done = daemon.linkway("policy", "test", "--endpoint", endpoint, "--action", "ec2:CreateVpc", check=False)
    assert done.returncode == 1 and "the endpoint is in audit mode" in done.stdout
    done = daemon.linkway("policy", "test", *asked[2:], "--endpoint", "vpce-0123456789abcdef0", check=False)
    assert done.returncode == 1 and "there is no endpoint vpce-0123456789abcdef0" in done.stderr


# Records, and what is learnt from them


def test_records_survive_a_kill_and_belong_to_root_alone(own_daemon):
    daemon = own_daemon(arguments=()).start()
    place = Place(daemon, Account.first(daemon))
    endpoint = place.endpoint("sts")
    path = daemon.state_dir / "audit" / "network-activity.jsonl"

    def ids():
        its = map(json.loads, path.read_text().splitlines())
        return [record["requestID"] for record in its if record.get("vpcEndpointId") == endpoint]

    assert place.aws("sts", "get-caller-identity").returncode == 0
    before = until(lambda: ids() or None, "a record")
    daemon.kill()
    with path.open("a") as log:
        # What a machine that loses its power may leave.
        log.write('{"eventVersion": "1.09", "userIden')
    daemon.start()
    assert place.aws("sts", "get-caller-identity").returncode == 0
    after = until(lambda: ids() if len(ids()) > len(before) else None, "another record")
    assert after[: len(before)] == before
    lost = [record for record in map(json.loads, path.read_text().splitlines()) if record["eventName"] == "RecordsLost"]
    assert [record["additionalEventData"] for record in lost] == [{"tooFast": 0, "notWritten": 1}]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert daemon.stop() == 0
    # Without the daemon, too.
    learnt = daemon.linkway("policy", "learn", "--endpoint", endpoint)
    assert "requests that count: 2" in learnt.stderr and "1 records are lost" in learnt.stderr, learnt.stderr
    [statement] = json.loads(learnt.stdout)["Statement"]
    assert statement["Action"] == "sts:GetCallerIdentity", statement


def test_an_ephemeral_daemons_records_end_with_it(own_daemon):
    daemon = own_daemon().start()
    place = Place(daemon, Account.first(daemon))
    endpoint = place.endpoint("sts")
    assert place.aws("sts", "get-caller-identity").returncode == 0
    records(daemon, endpoint=endpoint)
    assert daemon.stop() == 0
    assert not list(daemon.state_dir.glob("audit*"))


def test_a_policy_is_learnt_in_audit_mode_and_then_bites(daemon, place, written):
    endpoint = place.endpoint("ec2", policy=policy(allow("ec2:DescribeVpcs")))
    absent = daemon.linkway("policy", "learn", "--endpoint", "vpce-00000000000000000", check=False)
    assert absent.returncode != 0 and "there is no endpoint vpce-00000000000000000" in absent.stderr, absent.stderr
    nothing = daemon.linkway("policy", "learn", "--endpoint", endpoint, check=False)
    assert nothing.returncode == 1 and nothing.stdout == "" and "nothing to allow" in nothing.stderr
    assert place.aws("ec2", "describe-vpcs").returncode == 0
    assert place.aws("ec2", "delete-subnet", "--subnet-id", place.subnets[1]).returncode != 0
    tag = [{"Key": "linkway:policy-mode", "Value": "audit"}]
    place.account.ec2.create_tags(Resources=[endpoint], Tags=tag)
    until(lambda: place.aws("ec2", "describe-subnets").returncode == 0, "audit mode")
    records(daemon, endpoint=endpoint, wanted=3)

    learnt = daemon.linkway("policy", "learn", "--endpoint", endpoint, "--since", "1h")
    assert "requests that were denied are left out" in learnt.stderr, learnt.stderr
    [statement] = json.loads(learnt.stdout)["Statement"]
    assert statement == {
        "Sid": "Learnt1", "Effect": "Allow", "Principal": {"AWS": ACCOUNT.format(place.account.number)},
        "Action": ["ec2:DescribeSubnets", "ec2:DescribeVpcs"], "Resource": "*",
    }
    assert check(daemon, written(learnt.stdout), "--service", "ec2") == (0, [])
    denied = daemon.linkway("policy", "learn", "--endpoint", endpoint, "--include-denied")
    assert "ec2:DeleteSubnet" in denied.stdout, denied.stdout

    place.account.ec2.delete_tags(Resources=[endpoint], Tags=tag)
    place.modify(endpoint, PolicyDocument=learnt.stdout)
    assert place.aws("ec2", "describe-vpcs").returncode == 0
    assert place.aws("ec2", "describe-subnets").returncode == 0
    done = place.aws("ec2", "describe-instances")
    assert "because no VPC endpoint policy allows the ec2:DescribeInstances action" in done.stderr, done.stderr


# advise


def test_a_sound_endpoint_needs_no_advice(daemon, place):
    endpoint = place.endpoint("rds", policy=policy(allow("rds:Describe*")))
    done = daemon.linkway("advise", endpoint)
    assert done.stdout == "nothing to remark\n"
    done = daemon.linkway("advise", "vpce-0123456789abcdef0", check=False)
    assert done.returncode == 1 and "there is no endpoint vpce-0123456789abcdef0" in done.stderr


def test_the_tutorials_mistake_is_explained_and_mended_by_the_command(daemon, place):
    place.door = place.account.group(place.vpc, ("tcp", 5432, "10.0.0.0/16"))
    endpoint = place.endpoint("rds", policy=policy(allow("rds:Describe*")))
    # This CLI's default for RDS in this region is a global name, which no endpoint has, on AWS neither.
    describe = "rds", "describe-db-instances", "--endpoint-url", "https://rds.us-east-1.amazonaws.com"
    assert "timeout" in place.aws(*describe, "--cli-connect-timeout", "2").stderr
    status, found = advice(daemon, endpoint)
    assert status == 1 and list(found) == ["ingress-closed"]
    assert "5432, the port of PostgreSQL" in found["ingress-closed"]["message"]
    follow(place.account, found["ingress-closed"])
    assert advice(daemon, endpoint) == (0, {})
    done = place.aws(*describe)
    assert done.returncode == 0, done.stderr


def test_a_sender_that_its_own_group_stops_is_named(daemon, place):
    members = place.members
    open_to_all = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    place.account.ec2.revoke_security_group_egress(GroupId=members, IpPermissions=open_to_all)
    endpoint = place.endpoint("sts", policy=policy(allow("sts:*")))
    status, found = advice(daemon, endpoint)
    assert status == 1 and place.instance in found["egress-closed"]["message"], found
    follow(place.account, found["egress-closed"])
    assert advice(daemon, endpoint) == (0, {})
    # Its groups let it ask for names, too, or it would not get so far.
    place.account.ec2.authorize_security_group_egress(GroupId=members, IpPermissions=open_to_all)
    assert place.aws("sts", "get-caller-identity").returncode == 0


def test_a_name_that_is_asked_for_in_public_is_noted(daemon, place):
    endpoint = place.endpoint("ec2", PrivateDnsEnabled=False)
    place.modify(endpoint, RemoveSubnetIds=place.subnets[1:])
    status, found = advice(daemon, endpoint)
    assert status == 0 and sorted(found) == ["policy-full-access", "single-zone"]
    place.resolved("ec2.us-east-1.amazonaws.com")
    status, found = advice(daemon, endpoint)
    assert status == 0 and sorted(found) == ["policy-full-access", "private-dns-off", "single-zone"]
    place.account.ec2.modify_vpc_attribute(VpcId=place.vpc, EnableDnsHostnames={"Value": False})
    follow(place.account, advice(daemon, endpoint)[1]["private-dns-off"])
    follow(place.account, advice(daemon, endpoint)[1]["private-dns-off"])
    follow(place.account, found["single-zone"])
    place.account.wait_for_endpoint(endpoint)
    assert list(advice(daemon, endpoint)[1]) == ["policy-full-access"]
    assert place.resolved("ec2.us-east-1.amazonaws.com") == sorted(place.account.endpoint_addresses(endpoint).values())


def test_services_without_a_backend_and_other_tags_are_told(daemon, place):
    endpoint = place.endpoint("sqs", policy=policy({"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}))
    place.account.ec2.create_tags(Resources=[endpoint], Tags=[{"Key": "linkway:policy-mode", "Value": "try"}])
    status, found = advice(daemon, endpoint)
    assert status == 1
    assert sorted(found) == ["no-backend", "policy-allows-nothing", "policy-mode-unknown"], found
    follow(place.account, found["policy-mode-unknown"])
    program, *arguments = shlex.split(found["no-backend"]["command"])
    assert program == "linkway"
    daemon.linkway(*arguments)
    assert list(advice(daemon, endpoint)[1]) == ["policy-allows-nothing"]
