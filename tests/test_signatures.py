"""Who may call: Signature Version 4, as SDKs sign, and what is refused."""

import datetime
import socket
import urllib.error
import urllib.parse
import urllib.request
import xml.etree.ElementTree as ElementTree

import botocore.auth
import botocore.awsrequest
import botocore.config
import botocore.credentials
import pytest

from harness.aws import Account, refusal

VERSIONS = {"ec2": "2016-11-15", "sts": "2011-06-15", "elasticloadbalancing": "2015-12-01"}
ACTIONS = {"ec2": "DescribeVpcs", "sts": "GetCallerIdentity", "elasticloadbalancing": "DescribeLoadBalancers"}


class Call:
    """A request that botocore signs and that is then sent as it is, or altered."""

    def __init__(self, account, service="ec2", at=None, presigned=None, secret=None, **parameters):
        body = urllib.parse.urlencode({"Action": ACTIONS[service], "Version": VERSIONS[service]} | parameters)
        credentials = botocore.credentials.Credentials(account.key, secret or account.secret)
        if presigned is None:
            self.request = botocore.awsrequest.AWSRequest(
                "POST", account.url + "/", data=body,
                headers={"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"},
            )
            signer = botocore.auth.SigV4Auth(credentials, service, account.region)
        else:
            self.request = botocore.awsrequest.AWSRequest("GET", f"{account.url}/?{body}")
            signer = botocore.auth.SigV4QueryAuth(credentials, service, account.region, expires=presigned)
        with clock(at):
            signer.add_auth(self.request)

    def send(self, **altered):
        """The answer's status, and its error's code, if it is one."""
        prepared = self.request.prepare()
        body = prepared.body.encode() if isinstance(prepared.body, str) else prepared.body
        # urllib gives the length of what is sent, altered or not.
        headers = {name: value for name, value in prepared.headers.items() if name.lower() != "content-length"}
        request = urllib.request.Request(
            altered.get("url", prepared.url), altered.get("body", body),
            headers | altered.get("headers", {}), method=prepared.method,
        )
        for name in altered.get("without", ()):
            request.headers = {key: value for key, value in request.headers.items() if key.lower() != name}
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, None
        except urllib.error.HTTPError as error:
            with error:
                return error.code, code_of(error.read())


class clock:
    """botocore's clock, moved."""

    def __init__(self, offset):
        self.offset = offset

    def __enter__(self):
        self.real = botocore.auth.get_current_datetime
        if self.offset is not None:
            moved = datetime.timedelta(seconds=self.offset)
            botocore.auth.get_current_datetime = lambda *arguments, **options: self.real(*arguments, **options) + moved

    def __exit__(self, *_):
        botocore.auth.get_current_datetime = self.real


def code_of(xml):
    """The code of an error, wherever the protocol has it."""
    tree = ElementTree.fromstring(xml)
    return next(element.text for element in tree.iter() if element.tag.split("}")[-1] == "Code")


@pytest.mark.parametrize("service", ACTIONS)
def test_signed_requests_are_answered(aws, service):
    call = Call(aws, service)
    assert call.send() == (200, None)
    # SDKs send the same signature twice within a second; that is no attack.
    assert call.send() == (200, None)
    assert Call(aws, service, presigned=60).send() == (200, None)


@pytest.mark.parametrize("service", ACTIONS)
def test_a_wrong_secret(aws, service):
    assert Call(aws, service, secret="wrong").send() == (403, "SignatureDoesNotMatch")
    assert Call(aws, service, presigned=60, secret="wrong").send() == (403, "SignatureDoesNotMatch")


@pytest.mark.parametrize(("service", "code"), [("ec2", "AuthFailure"), ("sts", "InvalidClientTokenId")])
def test_an_unknown_key(aws, service, code):
    stranger = Account(aws.url, "AKIAIOSFODNN7EXAMPLE", "secret")
    status, refused = Call(stranger, service).send()
    assert status in (401, 403) and refused == code


def test_an_unsigned_request(aws):
    status, code = Call(aws).send(without=["authorization"])
    assert status in (400, 401, 403) and code in ("MissingAuthenticationToken", "AuthFailure")


def test_altered_requests(aws):
    assert Call(aws).send(body=b"Action=DeleteVpc&VpcId=vpc-1&Version=2016-11-15") == (403, "SignatureDoesNotMatch")
    call = Call(aws, presigned=60)
    altered = call.request.url.replace("DescribeVpcs", "DescribeSubnets")
    assert call.send(url=altered) == (403, "SignatureDoesNotMatch")
    longer = call.request.url.replace("X-Amz-Expires=60", "X-Amz-Expires=600")
    assert call.send(url=longer) == (403, "SignatureDoesNotMatch")


@pytest.mark.parametrize(
    ("offset", "answered"), [(-270, True), (270, True), (-330, False), (330, False), (-86400, False)]
)
def test_clocks_may_differ_by_five_minutes(aws, offset, answered):
    status, code = Call(aws, at=offset).send()
    assert (status, code) == (200, None) if answered else code == "RequestExpired"
    status, code = Call(aws, "sts", at=offset).send()
    assert (status, code) == (200, None) if answered else (status, code) == (403, "SignatureDoesNotMatch")


def test_a_presigned_url_expires(aws):
    # Its own life counts, whatever the skew.
    assert Call(aws, presigned=60, at=-30).send() == (200, None)
    assert Call(aws, presigned=3600, at=-3000).send() == (200, None)
    status, code = Call(aws, presigned=60, at=-400).send()
    assert status >= 400 and code == "RequestExpired"
    assert Call(aws, presigned=700000).send()[0] == 400


def test_a_signature_for_another_service_or_region(aws):
    # The region that was signed for is the region that is asked.
    elsewhere = Account(aws.url, aws.key, aws.secret, "eu-west-1")
    aws.ec2.create_vpc(CidrBlock="10.0.0.0/16")
    assert elsewhere.vpcs() == []
    nowhere = Account(aws.url, aws.key, aws.secret, "mars-north-1")
    code, message = refusal(nowhere.ec2.describe_vpcs)
    assert code == "SignatureDoesNotMatch" and "valid region, not 'mars-north-1'" in message
    strange = aws.client("sqs")
    code, _ = refusal(strange.list_queues)
    assert code


def test_keys_are_made_given_and_deleted(daemon, aws):
    daemon.linkway("account", "create", "--id", "111122223333", "--name", "suite")
    assert {"111122223333", "123456789012"} <= {account["id"] for account in daemon.json("account", "list")}
    daemon.linkway(
        "key", "create", "--account", "111122223333", "--access-key-id", "AKIATESTSUITE0000001",
        "--secret-access-key", "a-secret-that-a-suite-knows",
    )
    suite = Account(aws.url, "AKIATESTSUITE0000001", "a-secret-that-a-suite-knows")
    assert suite.sts.get_caller_identity()["Account"] == "111122223333"
    listed = daemon.json("key", "list", "--account", "111122223333")
    assert [key["access_key_id"] for key in listed] == ["AKIATESTSUITE0000001"]
    assert "a-secret-that-a-suite-knows" not in str(listed)
    known = daemon.environment("--access-key-id", "AKIATESTSUITE0000001")
    assert known["AWS_SECRET_ACCESS_KEY"] == "a-secret-that-a-suite-knows"
    daemon.linkway("key", "delete", "AKIATESTSUITE0000001")
    assert refusal(suite.sts.get_caller_identity)[0] == "InvalidClientTokenId"
    twice = daemon.linkway("account", "create", "--id", "111122223333", check=False)
    assert twice.returncode == 1 and "111122223333" in twice.stderr


def test_the_first_key_is_private(daemon):
    mode = (daemon.state_dir / "admin-key").stat().st_mode & 0o777
    assert mode == 0o600


def raw(aws, data, patience=5, broken_off=False):
    """What comes back for bytes that no SDK would send, until the connection ends."""
    host, port = aws.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), patience) as client:
        client.sendall(data)
        if broken_off:
            client.shutdown(socket.SHUT_WR)
        return client.makefile("rb").read()


def test_bytes_that_no_sdk_would_send(aws):
    assert raw(aws, b"\0\xff garbage\r\n\r\n").startswith(b"HTTP/1.1 400")
    assert raw(aws, b"DELETE / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").startswith(b"HTTP/1.1 405")
    answer = raw(aws, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n" + b"A=b&" * 300_000)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 413"), answer[:200]
    half = raw(aws, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nAction=Desc", broken_off=True)
    assert half == b"" or half.startswith(b"HTTP/1.1 400"), half
    encoded = Call(aws).send(body=b"Action=%zz&Version=2016-11-15")
    assert encoded[0] in (400, 403)
    assert aws.vpcs() == []


def test_parameters_that_are_missing_or_malformed(aws):
    lax = botocore.config.Config(parameter_validation=False, retries={"total_max_attempts": 1})
    ec2, elbv2 = aws.client("ec2", config=lax), aws.client("elbv2", config=lax)
    code, message = refusal(ec2.create_subnet, CidrBlock="10.0.0.0/24")
    assert code == "MissingParameter" and "VpcId" in message
    code, _ = refusal(elbv2.create_listener, Protocol="TCP", Port=1)
    assert code == "ValidationError"
    code, _ = refusal(ec2.describe_vpcs, MaxResults="many")
    assert code in ("InvalidParameterValue", "MalformedQueryString")
    assert Call(aws, DryRun="perhaps").send() == (400, "InvalidParameterValue")
    assert Call(aws, Action="DescribeNothing").send() == (400, "InvalidAction")
    assert Call(aws, Action="").send() == (400, "MissingAction")


def test_no_secret_is_logged(own_daemon):
    daemon = own_daemon(arguments=["--ephemeral", "--log", "trace"]).start()
    account = Account.first(daemon)
    daemon.linkway(
        "key", "create", "--access-key-id", "AKIATESTSUITE0000002", "--secret-access-key", "not-for-anyones-eyes"
    )
    account.ec2.create_vpc(CidrBlock="10.0.0.0/16")
    Call(account, presigned=60).send()
    log = daemon.log(1 << 20)
    assert "CreateVpc" in log
    assert account.secret not in log and "not-for-anyones-eyes" not in log
