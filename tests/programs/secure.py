"""Connects to an echo server by TLS, and says as a line of JSON what came of it.

secure.py HOST PORT CA NAME [ALPN,… [VERSION]]

NAME is asked for and verified; `-` asks for none. VERSION is the only one that is offered, as TLSv1_2.
"""

import json
import socket
import ssl
import sys

host, port, ca, name = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
context = ssl.create_default_context(cafile=ca)
if name == "-":
    context.check_hostname, name = False, None
if len(sys.argv) > 5 and sys.argv[5]:
    context.set_alpn_protocols(sys.argv[5].split(","))
if len(sys.argv) > 6:
    context.minimum_version = context.maximum_version = ssl.TLSVersion[sys.argv[6]]
try:
    with socket.create_connection((host, port), 5) as plain:
        with context.wrap_socket(plain, server_hostname=name) as client:
            said = {"version": client.version(), "cipher": client.cipher()[0], "alpn": client.selected_alpn_protocol()}
            subject = dict(part[0] for part in client.getpeercert()["subject"])
            lines = client.makefile("r")
            said |= {"name": subject["commonName"], "greeting": lines.readline().strip()}
            client.sendall(b"hello\n")
            said["echo"] = lines.readline().strip()
    print(json.dumps(said))
except ssl.SSLError as error:
    print(json.dumps({"error": error.reason or str(error)}))
except OSError as error:
    print(json.dumps({"error": str(error)}))
