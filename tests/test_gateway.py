"""AWS services behind interface endpoints: signed requests of stock clients inside an instance, and what policies,
names, keys and backends make of them."""

import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest

from harness.daemon import ROOT
from harness.wait import until

REGION = "us-east-1"
CLI = ROOT / ".venv/bin/aws"


def policy(*statements):
    """An endpoint policy's text."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(*actions, **more):
    """A statement that allows everyone these actions on everything."""
    return {"Effect": "Allow", "Principal": "*", "Action": list(actions), "Resource": "*"} | more


class Place:
    """A VPC with an instance that has no way out, and a door for endpoints that lets the instance in on 443."""

    def __init__(self, daemon, account):
        self.daemon, self.account = daemon, account
        self.vpc = account.vpc()
        self.subnets = [account.subnet(self.vpc, f"10.0.{number}.0/24", zone) for number, zone in enumerate("ab")]
        self.members = account.group(self.vpc)
        self.door = account.group(self.vpc, ("tcp", 443, self.members))
        self.instance = daemon.run(self.subnets[0], "sleep", "infinity", groups=[self.members])

    def endpoint(self, service, **options):
        """An available endpoint to an AWS service, in both zones."""
        options = {"PolicyDocument": options.pop("policy")} | options if "policy" in options else options
        made = self.account.ec2.create_vpc_endpoint(
            VpcEndpointType="Interface", VpcId=self.vpc, ServiceName=f"com.amazonaws.{REGION}.{service}",
            SubnetIds=self.subnets, SecurityGroupIds=[self.door], **options,
        )["VpcEndpoint"]["VpcEndpointId"]
        self.account.wait_for_endpoint(made)
        return made

    def modify(self, endpoint, **options):
        """Change an endpoint, and wait until the change is in force."""
        self.account.ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, **options)
        self.account.wait_for_endpoint(endpoint)

    def aws(self, *arguments, key=None, secret=None, **environment):
        """The stock AWS CLI inside the instance, with a key and a region and nothing else."""
        variables = {
            "AWS_ACCESS_KEY_ID": key or self.account.key,
            "AWS_SECRET_ACCESS_KEY": secret or self.account.secret,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_MAX_ATTEMPTS": "1",
            # This CLI's default for S3 in this region is a global name, which no endpoint has, on AWS neither.
            "AWS_S3_US_EAST_1_REGIONAL_ENDPOINT": "regional",
            "AWS_PAGER": "",
        } | environment
        words = [f"{name}={value}" for name, value in variables.items()]
        return self.daemon.exec(self.instance, "env", *words, str(CLI), *arguments)

    def resolved(self, name):
        """The addresses that a name has inside the instance."""
        done = self.daemon.exec(self.instance, "dig", "+short", "+time=2", "+tries=1", name)
        return sorted(line for line in done.stdout.split() if line[0].isdigit())


def records(daemon, *, endpoint, wanted=1):
    """The audit records of an endpoint, once there are so many."""
    # The daemon of the tests keeps no state, and no records either.
    path = daemon.state_dir / "audit-ephemeral" / "network-activity.jsonl"

    def found():
        lines = path.read_text().splitlines() if path.exists() else []
        its = [record for record in map(json.loads, lines) if record["vpcEndpointId"] == endpoint]
        return its if len(its) >= wanted else None

    return until(found, f"{wanted} audit records of {endpoint}")


@pytest.fixture
def place(daemon, aws):
    """A place in the first account."""
    return Place(daemon, aws)


def test_an_own_service_under_its_public_name(place):
    endpoint = place.endpoint("sts")
    addresses = sorted(place.account.endpoint_addresses(endpoint).values())
    assert place.resolved(f"sts.{REGION}.amazonaws.com") == addresses
    done = place.aws("sts", "get-caller-identity")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["Account"] == place.account.number
    [record] = records(place.daemon, endpoint=endpoint)
    assert record["eventCategory"] == "NetworkActivity" and record["eventSource"] == "sts.amazonaws.com"
    assert record["eventName"] == "GetCallerIdentity" and "errorCode" not in record
    assert record["userIdentity"]["accountId"] == place.account.number
    assert record["sourceIPAddress"] == place.account.address(place.instance)


def test_the_policy_bites(place):
    endpoint = place.endpoint("ec2", policy=policy(allow("ec2:DescribeVpcs")))
    assert place.aws("ec2", "describe-vpcs").returncode == 0
    done = place.aws("ec2", "describe-subnets")
    assert done.returncode != 0
    assert (
        f"User: arn:aws:iam::{place.account.number}:root is not authorized to perform: ec2:DescribeSubnets on resource: "
        "* because no VPC endpoint policy allows the ec2:DescribeSubnets action" in done.stderr
    ), done.stderr
    denied = records(place.daemon, endpoint=endpoint, wanted=2)[-1]
    assert denied["errorCode"] == "VpceAccessDenied"
    place.modify(endpoint, PolicyDocument=policy(allow("*"), allow("ec2:DescribeVpcs") | {"Effect": "Deny"}))
    done = place.aws("ec2", "describe-vpcs")
    assert "with an explicit deny in a VPC endpoint policy" in done.stderr, done.stderr
    assert place.aws("ec2", "describe-subnets").returncode == 0
    place.modify(endpoint, ResetPolicy=True)
    assert place.aws("ec2", "describe-vpcs").returncode == 0


def test_a_policy_knows_vpcs_and_endpoints(daemon, aws, place):
    inside = {"Condition": {"StringEquals": {"aws:SourceVpc": place.vpc}}}
    text = policy(allow("ec2:Describe*", **inside))
    place.endpoint("ec2", policy=text)
    stranger = Place(daemon, aws)
    stranger.endpoint("ec2", policy=text)
    assert place.aws("ec2", "describe-vpcs").returncode == 0
    done = stranger.aws("ec2", "describe-vpcs")
    assert "because no VPC endpoint policy allows the ec2:DescribeVpcs action" in done.stderr, done.stderr


def test_audit_mode_lets_pass_and_records(place):
    endpoint = place.endpoint("ec2", policy=policy(allow("s3:*")))
    assert place.aws("ec2", "describe-vpcs").returncode != 0
    place.account.ec2.create_tags(
        Resources=[endpoint], Tags=[{"Key": "linkway:policy-mode", "Value": "audit"}]
    )
    until(lambda: place.aws("ec2", "describe-vpcs").returncode == 0, "audit mode")
    last = records(place.daemon, endpoint=endpoint, wanted=2)[-1]
    assert last["additionalEventData"]["denied"]["passed"] is True


def test_only_the_endpoints_own_names_and_keys(place, other):
    endpoint = place.endpoint("sts")
    done = place.aws("sts", "get-caller-identity", secret="x" * 40)
    assert "SignatureDoesNotMatch" in done.stderr, done.stderr
    done = place.aws("sts", "get-caller-identity", key="AKIAUNKNOWNUNKNOWN00")
    assert "InvalidClientTokenId" in done.stderr, done.stderr
    # Another account's key is good, for its own account.
    done = place.aws("sts", "get-caller-identity", key=other.key, secret=other.secret)
    assert json.loads(done.stdout)["Account"] == other.number
    # Neither the name of another service, nor TLS for it.
    [address, *_] = place.account.endpoint_addresses(endpoint).values()
    name = f"ec2.{REGION}.amazonaws.com"
    done = place.daemon.exec(
        place.instance, "curl", "-sS", "--max-time", "5", "--resolve", f"{name}:443:{address}", f"https://{name}/"
    )
    assert done.returncode != 0 and "SSL" in done.stderr, done.stderr
    done = place.daemon.exec(
        place.instance, "curl", "-sS", "--max-time", "5", "-H", f"Host: {name}", "--resolve",
        f"sts.{REGION}.amazonaws.com:443:{address}", f"https://sts.{REGION}.amazonaws.com/",
    )
    assert "does not answer for the host" in done.stdout, done.stdout + done.stderr


def test_ports_are_https_alone_as_the_groups_say(place):
    endpoint = place.endpoint("sts")
    [address, *_] = place.account.endpoint_addresses(endpoint).values()
    knock = lambda port: place.daemon.exec(place.instance, "nc", "-z", "-w", "1", address, str(port)).returncode
    assert knock(443) == 0
    assert knock(5432) != 0 and knock(80) != 0
    drops = place.daemon.drops(place.account.interface(place.instance))
    assert drops.get("IngressDenied", 0) >= 2, drops


def test_without_private_dns_the_public_name_leads_elsewhere(place, upstream):
    name = f"sts.{REGION}.amazonaws.com"
    upstream.records[name, "A"] = ["192.0.2.80"]
    endpoint = place.endpoint("sts", PrivateDnsEnabled=False)
    assert place.resolved(name) == ["192.0.2.80"]
    regional = place.account.endpoint(endpoint)["DnsEntries"][0]["DnsName"]
    done = place.aws("sts", "get-caller-identity", "--endpoint-url", f"https://{regional}")
    assert done.returncode == 0, done.stderr
    place.modify(endpoint, PrivateDnsEnabled=True)
    assert place.resolved(name) == sorted(place.account.endpoint_addresses(endpoint).values())


class Backend(BaseHTTPRequestHandler):
    """A service on the host that tells what it was asked."""

    protocol_version = "HTTP/1.1"
    asked = []

    def answer(self):
        """Lists nothing, whatever is asked."""
        self.asked.append((self.command, self.headers["Host"], self.path, self.body()))
        body = b'<?xml version="1.0"?><ListAllMyBucketsResult><Buckets/></ListAllMyBucketsResult>'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body if self.command != "HEAD" else b"")

    def body(self):
        """What was sent, without the chunks that HTTP cuts it into."""
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        pieces = []
        while size := int(self.rfile.readline(), 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(pieces)

    do_GET = do_PUT = do_POST = do_HEAD = answer

    def log_message(self, *_):
        """Nothing."""


@pytest.fixture
def backend():
    """An S3 of the test's own, on the host."""
    Backend.asked = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Backend)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield SimpleNamespace(url=f"http://127.0.0.1:{server.server_port}", asked=Backend.asked)
    server.shutdown()
    server.server_close()


def test_a_backend_of_the_operators(place, backend):
    name = f"com.amazonaws.{REGION}.s3"
    place.endpoint("s3", policy=policy(allow("s3:ListAllMyBuckets", "s3:PutObject")))
    done = place.aws("s3api", "list-buckets")
    assert "NotImplemented" in done.stderr and f"linkway service set {name} --backend URL" in done.stderr, done.stderr
    place.daemon.linkway("service", "set", name, "--backend", backend.url)
    until(lambda: place.aws("s3api", "list-buckets").returncode == 0, "the backend")
    # Under the bucket's own name, which is below the service's. S3's own encoding of the body passes as it is.
    body = os.urandom(1000)
    path = place.daemon.state_dir / "body"
    path.write_bytes(body)
    done = place.aws("s3api", "put-object", "--bucket", "shop", "--key", "a/b", "--body", str(path))
    assert done.returncode == 0, done.stderr
    method, host, target, received = backend.asked[-1]
    assert (method, host, target) == ("PUT", f"shop.s3.{REGION}.amazonaws.com", "/a/b")
    assert body in received
    done = place.aws("s3api", "get-object", "--bucket", "shop", "--key", "a/b", "/dev/null")
    assert "AccessDenied" in done.stderr and "s3:GetObject" in done.stderr, done.stderr
    assert len(backend.asked) == 2
    place.daemon.linkway("service", "unset", name)
    until(lambda: "NotImplemented" in place.aws("s3api", "list-buckets").stderr, "no backend")


def test_a_policy_knows_users_their_tags_and_their_organization(place):
    endpoint = place.endpoint("sts")
    daemon, account = place.daemon, place.account
    daemon.linkway("account", "create", "--id", "222222222222", "--organization", "o-a1b2c3d4e5")
    key = lambda number, *words: daemon.json("key", "create", "--account", number, *words)[0]
    anna = key(account.number, "--user", "anna", "--tag", "team=blue")
    bert = key(account.number, "--user", "bert", "--tag", "team=green")
    member = key("222222222222")

    def allowed(**statement):
        place.modify(endpoint, PolicyDocument=policy(allow("sts:GetCallerIdentity", **statement)))
        done = {
            name: place.aws("sts", "get-caller-identity", key=found["id"], secret=found["secret"]).returncode == 0
            for name, found in (("anna", anna), ("bert", bert), ("member", member))
        }
        return {name for name, passed in done.items() if passed}

    assert allowed(Principal={"AWS": f"arn:aws:iam::{account.number}:user/anna"}) == {"anna"}
    assert allowed(Principal={"AWS": account.number}) == {"anna", "bert"}
    assert allowed(Condition={"StringEquals": {"aws:PrincipalTag/team": "green"}}) == {"bert"}
    assert allowed(Condition={"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}) == {"member"}
    assert allowed(Condition={"StringLike": {"aws:username": "a*"}}) == {"anna"}
