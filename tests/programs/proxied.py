"""Answers every connection with what PROXY protocol's header says of it, as a line of JSON, and then echoes.

proxied.py PORT
"""

import asyncio
import json
import socket
import struct
import sys

# TCP over IPv4 and over IPv6.
FAMILIES = {0x11: ("!4s4sHH", socket.AF_INET), 0x21: ("!16s16sHH", socket.AF_INET6)}
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def records(block):
    """Type and value of each of the header's records."""
    while block:
        kind, length = struct.unpack("!BH", block[:3])
        yield kind, block[3 : 3 + length]
        block = block[3 + length :]


async def header(reader):
    """The header, which must come first. Source: "The PROXY protocol", 2.2."""
    start = await reader.readexactly(16)
    version_command, family, length = struct.unpack("!BBH", start[12:])
    rest = await reader.readexactly(length)
    said = {"signature": start[:12] == SIGNATURE, "version": version_command >> 4, "command": version_command & 15}
    if family in FAMILIES:
        form, spoken = FAMILIES[family]
        size = struct.calcsize(form)
        source, destination, source_port, destination_port = struct.unpack(form, rest[:size])
        said["source"] = [socket.inet_ntop(spoken, source), source_port]
        said["destination"] = [socket.inet_ntop(spoken, destination), destination_port]
        said["records"] = {f"{kind:#04x}": value.decode("latin-1") for kind, value in records(rest[size:])}
    return said


async def tcp(reader, writer):
    try:
        said = await header(reader)
        said["peer"] = writer.get_extra_info("peername")[0]
        print(json.dumps(said), flush=True)
        writer.write(json.dumps(said).encode() + b"\n")
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    except (ConnectionError, asyncio.IncompleteReadError) as error:
        print(f"broken: {error!r}", flush=True)
    finally:
        writer.close()


async def main(port):
    server = await asyncio.start_server(tcp, None, port)
    await server.serve_forever()


asyncio.run(main(int(sys.argv[1])))
