"""The client's side of `client.rs`: sends every operation's request, signed, and reads the answer to it.

Prints a request as a line of JSON, and reads a line back: `[what was decoded, the XML answer]`.
"""

import datetime
import json
import re
import sys
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.parsers import JSONParser, create_parser
from botocore.serialize import create_serializer

LEAVES = {
    "string": " <sample> & é ",
    "boolean": True,
    "integer": 7,
    "long": 7_000_000_000,
    "double": 1.5,
    "float": 1.5,
    "blob": b"\x00\xfe\xff",
    "timestamp": datetime.datetime(2026, 5, 1, 12, 0, 0, 500_000, tzinfo=datetime.timezone.utc),
}


def sample(shape):
    """The value in which nothing is absent."""
    if shape is None:
        return {}
    if shape.type_name == "structure":
        return {name: sample(member) for name, member in shape.members.items()}
    if shape.type_name == "list":
        return [sample(shape.member), sample(shape.member)]
    if shape.type_name == "map":
        return {"key": sample(shape.value)}
    return LEAVES[shape.type_name]


def leaves(value):
    """How many texts and numbers a value holds."""
    if isinstance(value, dict):
        return sum(map(leaves, value.values()))
    if isinstance(value, list):
        return sum(map(leaves, value))
    return 1


def send(method, form, signer, token, service, headers=None):
    """Signs a request, has it answered."""
    credentials = Credentials("AKIDEXAMPLE", "secret/+ of a sample", token)
    request = AWSRequest(method, "http://127.0.0.1:4820/", {"User-Agent": "sample  agent"} | (headers or {}), form)
    signer(credentials, service, "eu-west-1").add_auth(request)
    request = request.prepare()
    url = urlsplit(request.url)
    headers = {name: value.decode() if isinstance(value, bytes) else value for name, value in request.headers.items()}
    body = request.body or b""
    print(
        json.dumps(
            {
                "method": request.method,
                "path": url.path,
                "query": url.query,
                "headers": {"Host": url.netloc, **headers},
                "body": body.decode() if isinstance(body, bytes) else body,
                "secret_access_key": credentials.secret_key,
                "session_token": credentials.token,
            }
        ),
        flush=True,
    )
    return json.loads(sys.stdin.readline())


def check(operation, asked, decoded, answer, parser):
    """What is wrong with one call, a line each."""
    absent = re.findall(r"\w+: (?:None|\[\]|\{\})", decoded)
    if absent:
        yield f"not decoded: {', '.join(absent)}"
    texts = ('" <sample> & é "', "(7)", "(7000000000)", "(1.5)", "(true)", "Blob(3 bytes)", "(2026-05-01T12:00:00.5Z)")
    found = sum(map(decoded.count, texts))
    if found != leaves(asked):
        yield f"{leaves(asked)} values were sent and {found} decoded"

    headers = {"x-amzn-requestid": "request-id"} if isinstance(parser, JSONParser) else {}
    read = parser.parse({"status_code": 200, "headers": headers, "body": answer.encode()}, operation.output_shape)
    if read.pop("ResponseMetadata", {}).get("RequestId") != "request-id":
        yield f"no request id: {answer}"
    if read != sample(operation.output_shape):
        yield f"answer read as {read}"


def main(operations):
    """Goes through the list of operations, twice each: signed in the header, and in the URL."""
    faults = 0
    for line in open(operations, encoding="utf-8"):
        line = line.strip()
        if line.startswith("["):
            service, version = line[1:-1].split("/")
            model = ServiceModel(Loader().load_service_model(service, "service-2", version))
            serializer = create_serializer(model.metadata["protocol"], False)
            parser = create_parser(model.metadata["protocol"])
        elif line and not line.startswith("#"):
            operation = model.operation_model(line)
            asked = sample(operation.input_shape)
            serialized = serializer.serialize_to_request(asked, operation)
            form = serialized["body"]
            name = model.signing_name
            ways = [("POST", form, SigV4Auth, None, name), ("GET", form, SigV4QueryAuth, "a/session+token=", name)]
            if isinstance(parser, JSONParser):
                ways = [("POST", form, SigV4Auth, None, name, serialized["headers"])]
            for way in ways:
                for fault in check(operation, asked, *send(*way), parser):
                    print(f"{line}: {fault}", file=sys.stderr)
                    faults += 1
    sys.exit(faults > 0)


main(sys.argv[1])
