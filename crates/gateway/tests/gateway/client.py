"""Makes one call with botocore, and prints "ok", or the error's code and message.

The service's public name leads to the gateway, as it would through a resolver.
"""

import json
import sys

import botocore.config
import botocore.session
import urllib3.util.connection
from botocore.exceptions import ClientError

service, operation, arguments, host, gateway, source = sys.argv[1:]
connect = urllib3.util.connection.create_connection


def connect_to_gateway(address, *args, **options):
    name, port = address
    assert (name == host or name.endswith("." + host)) and port == 443, address
    options["source_address"] = (source, 0)
    there, port = gateway.rsplit(":", 1)
    return connect((there, int(port)), *args, **options)


urllib3.util.connection.create_connection = connect_to_gateway
config = botocore.config.Config(retries={"total_max_attempts": 1}, connect_timeout=20, read_timeout=20)
client = botocore.session.get_session().create_client(
    service, endpoint_url=f"https://{host}", config=config
)
try:
    client._make_api_call(operation, json.loads(arguments))
    print("ok")
except ClientError as error:
    print(f"{error.response['Error']['Code']}: {error.response['Error']['Message']}")
