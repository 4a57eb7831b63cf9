"""Requests as AWS's own client library spells them: a line of JSON each, for the tests beside this.

Without an argument, one for every operation of every service, with what it requires and nothing else. With a file of
lines `service Operation {members}`, those.
"""

import base64
import datetime
import json
import sys
from urllib.parse import urlencode, urlsplit

import botocore.session
from botocore.awsrequest import prepare_request_dict
from botocore.config import Config
from botocore.serialize import create_serializer

REGION = "us-east-1"

LEAVES = {
    "boolean": True,
    "integer": 7,
    "long": 7,
    "double": 1.5,
    "float": 1.5,
    "blob": b"data",
    "timestamp": datetime.datetime(2026, 5, 1, tzinfo=datetime.timezone.utc),
}


def sample(shape, service, name="", depth=0):
    """A value with the members that must be there."""
    kind = shape.type_name
    if kind == "structure":
        if depth > 8:
            return {}
        if getattr(shape, "is_tagged_union", False):
            for name, member in shape.members.items():
                return {name: sample(member, service, name, depth + 1)}
        return {name: sample(shape.members[name], service, name, depth + 1) for name in shape.required_members}
    if kind == "list":
        return [sample(shape.member, service, name, depth + 1)]
    if kind == "map":
        return {"key": sample(shape.value, service, "", depth + 1)}
    if kind == "string":
        if name.lower().endswith(("arn", "arns")):
            return f"arn:aws:{service}:{REGION}:111122223333:sample/name"
        return (shape.enum or ["sample"])[0]
    return LEAVES[kind]


def spell(model, operation, members, client=None):
    """The request for an operation. With a client, also with its host name and what it adds."""
    shape = operation.input_shape
    if client is None:
        protocol = model.resolved_protocol
        serializer = create_serializer(protocol, False)
        request = serializer.serialize_to_request(members, operation)
        prefix = (operation.endpoint or {}).get("hostPrefix", "")
        host = "" if "{" in prefix else prefix
        request["url_path"] = request["url_path"] or "/"
        prepare_request_dict(request, f"https://{host}{model.endpoint_prefix}.{REGION}.amazonaws.com")
    else:
        context = {"client_region": REGION, "client_config": client.meta.config, "has_streaming_input": False,
                   "auth_type": operation.auth_type}
        members = client._emit_api_params(dict(members), operation, context)
        endpoint, additional, properties = client._resolve_endpoint_ruleset(operation, members, context)
        request = client._convert_to_request_dict(members, operation, endpoint, context, headers=additional)
    url = urlsplit(request["url"])
    body = request["body"]
    if hasattr(body, "read"):
        body = body.read()
    if isinstance(body, dict):
        body = urlencode(body)
    if isinstance(body, str):
        body = body.encode()
    query = url.query
    return {
        "service": model.service_name,
        "operation": operation.name,
        "signing_name": model.signing_name,
        "method": request["method"],
        "host": url.netloc,
        "path": url.path,
        "query": query,
        "headers": {name: value.decode() if isinstance(value, bytes) else str(value)
                    for name, value in request["headers"].items()},
        "body": base64.b64encode(body or b"").decode(),
    }


def every(session):
    """Every operation of every service."""
    for name in session.get_available_services():
        model = session.get_service_model(name)
        for operation in model.operation_names:
            operation = model.operation_model(operation)
            members = sample(operation.input_shape, model.signing_name) if operation.input_shape else {}
            yield spell(model, operation, members)


def listed(session, path):
    """The requests that a file lists, from real clients."""
    clients = {}
    for line in open(path, encoding="utf-8"):
        line = line.split("=>")[0].strip()
        if not line or line.startswith("#"):
            continue
        name, operation, members = line.split(" ", 2)
        client = clients.get(name) or session.create_client(
            name, REGION, aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="secret",
            config=Config(parameter_validation=False))
        clients[name] = client
        model = client.meta.service_model
        yield spell(model, model.operation_model(operation), json.loads(members), client)


def main():
    session = botocore.session.Session(profile=None)
    session.set_config_variable("region", REGION)
    for request in every(session) if len(sys.argv) == 1 else listed(session, sys.argv[1]):
        print(json.dumps(request))


main()
