"""The client's side of `client.rs`: spells every operation's request and reads the answer to it.

Prints a line for each call, `VERSION FORM`, and reads a line back: `[what was decoded, the XML answer]`.
"""

import datetime
import json
import re
import sys
from urllib.parse import urlencode

from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.parsers import create_parser
from botocore.serialize import create_serializer

LEAVES = {
    "string": " <sample> & é ",
    "boolean": True,
    "integer": 7,
    "long": 7_000_000_000,
    "double": 1.5,
    "float": 1.5,
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


def check(operation, version, serializer, parser):
    """What is wrong with one operation, a line each."""
    asked = sample(operation.input_shape)
    body = serializer.serialize_to_request(asked, operation)["body"]
    print(version, urlencode(body), flush=True)
    decoded, answer = json.loads(sys.stdin.readline())

    absent = re.findall(r"\w+: (?:None|\[\]|\{\})", decoded)
    if absent:
        yield f"not decoded: {', '.join(absent)}"
    texts = ('" <sample> & é "', "(7)", "(7000000000)", "(1.5)", "(true)")
    found = sum(map(decoded.count, texts))
    if found != leaves(asked):
        yield f"{leaves(asked)} values were sent and {found} decoded"

    read = parser.parse({"status_code": 200, "headers": {}, "body": answer.encode()}, operation.output_shape)
    if read.pop("ResponseMetadata", {}).get("RequestId") != "request-id":
        yield f"no request id: {answer}"
    if read != sample(operation.output_shape):
        yield f"answer read as {read}"


def main(operations):
    faults = 0
    for line in open(operations, encoding="utf-8"):
        line = line.strip()
        if line.startswith("["):
            service, version = line[1:-1].split("/")
            model = ServiceModel(Loader().load_service_model(service, "service-2", version))
            protocol = model.metadata["protocol"]
            tools = version, create_serializer(protocol, False), create_parser(protocol)
        elif line and not line.startswith("#"):
            for fault in check(model.operation_model(line), *tools):
                print(f"{line}: {fault}", file=sys.stderr)
                faults += 1
    sys.exit(faults > 0)


main(sys.argv[1])
