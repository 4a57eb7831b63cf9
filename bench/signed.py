"""Signed requests for wrk: a signature covers a request's bytes and holds for minutes, so wrk sends the same again."""

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

# As `crates/gateway/examples/loopback.rs` has it.
CREDENTIALS = Credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
REGION = "us-east-1"
DESCRIBE = "Action=DescribeDBInstances&Version=2014-10-31"


def host(service):
    """The public name of a service."""
    return f"{service}.{REGION}.amazonaws.com"


def describe():
    """A call to RDS."""
    headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    request = AWSRequest("POST", f"https://{host('rds')}/", data=DESCRIBE.encode(), headers=headers)
    SigV4Auth(CREDENTIALS, "rds", REGION).add_auth(request)
    return _script(request, f'"{DESCRIBE}"')


def download(path):
    """An object fetched from S3."""
    request = AWSRequest("GET", f"https://{host('s3')}{path}")
    S3SigV4Auth(CREDENTIALS, "s3", REGION).add_auth(request)
    return _script(request, "nil")


def upload(path, size):
    """An object of zeros stored in S3, its hash signed, too."""
    request = AWSRequest("PUT", f"https://{host('s3')}{path}", data=bytes(size))
    S3SigV4Auth(CREDENTIALS, "s3", REGION).add_auth(request)
    return _script(request, f'string.rep("\\0", {size})')


def _script(request, body):
    _, _, name, path = request.url.split("/", 3)
    # Without this, wrk would add the port.
    fields = {"Host": name, **request.headers}
    headers = "".join(f'wrk.headers["{name}"] = "{value}"\n' for name, value in fields.items())
    return f'wrk.method, wrk.path, wrk.body = "{request.method}", "/{path}", {body}\n{headers}'
