"""A server that takes PROXY protocol version 2 and tells each client what it was told: proxied.py PORT

Source: the PROXY protocol's specification, version 2; AWS's Network Load Balancer guide for the TLV of type 0xEA.
"""

import json
import socket
import struct
import sys

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"


def exactly(connection, count):
    """So many bytes."""
    received = b""
    while len(received) < count:
        piece = connection.recv(count - len(received))
        if not piece:
            raise EOFError
        received += piece
    return received


def header(connection):
    """The header, taken apart."""
    start = exactly(connection, 16)
    assert start[:12] == SIGNATURE, start
    command, family, length = start[12], start[13], struct.unpack("!H", start[14:16])[0]
    rest = exactly(connection, length)
    told = {"command": command & 15, "family": family}
    if told["command"] == 1:
        source, destination, port, to = struct.unpack("!4s4sHH", rest[:12])
        told |= {"from": f"{socket.inet_ntoa(source)}:{port}", "to": f"{socket.inet_ntoa(destination)}:{to}"}
        rest = rest[12:]
        while rest:
            kind, size = rest[0], struct.unpack("!H", rest[1:3])[0]
            value = rest[3 : 3 + size]
            if kind == 0xEA and value[0] == 1:
                told["endpoint"] = value[1:].decode()
            rest = rest[3 + size :]
    return told


server = socket.create_server(("0.0.0.0", int(sys.argv[1])))
while True:
    connection, _ = server.accept()
    with connection:
        try:
            told = header(connection)
            # What the client says comes back, too: the connection goes on behind the header.
            told["said"] = connection.recv(100).decode() if told["command"] == 1 else ""
            connection.sendall(json.dumps(told).encode() + b"\n")
        except (EOFError, AssertionError, ConnectionError) as error:
            print(error, flush=True)
