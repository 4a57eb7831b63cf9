"""Watches all that arrives at eth0, and tells what has no business there.

capture.py ALLOWED…: the addresses that may send here, and `arp` where answers of the router to ARP may come. Says
`ready`, watches until its standard input is closed, then prints a line of JSON: `seen`, how many frames came, and
`wrong`, the first of those that should not have, in hexadecimal. Wrong is what the router did not address to this
device, what comes from no address that is allowed, and all that bears the mark of a forger: see forge.py.
"""

import json
import select
import socket
import struct
import sys
from pathlib import Path

MARK = b"FORGED"
PACKET_STATISTICS = 6
SO_RCVBUFFORCE = 33
SOL_PACKET = 263
ETH_P_ALL = 3


def is_wrong(frame, own, allowed):
    """Whether a frame should not have come."""
    router, kind = frame[6:12], frame[12:14]
    if MARK in frame or frame[:6] != own or router[0] & 1:
        return True
    if kind == b"\x08\x06":
        return "arp" not in allowed or frame[20:22] != b"\x00\x02" or frame[22:28] != router
    if kind == b"\x86\xdd":
        return socket.inet_ntop(socket.AF_INET6, frame[22:38]) not in allowed
    return kind != b"\x08\x00" or socket.inet_ntoa(frame[26:30]) not in allowed


def main(allowed):
    own = bytes.fromhex(Path("/sys/class/net/eth0/address").read_text().strip().replace(":", ""))
    seen, wrong = 0, []
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL)) as device:
        device.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 27)
        device.bind(("eth0", ETH_P_ALL))
        # What is for others' addresses would be seen, too.
        index = socket.if_nametoindex("eth0")
        device.setsockopt(SOL_PACKET, 1, struct.pack("iHH8s", index, 1, 0, b""))
        print("ready", flush=True)
        while True:
            ready, _, _ = select.select([0, device], [], [])
            if device in ready:
                frame, sender = device.recvfrom(1 << 16)
                if sender[2] == socket.PACKET_OUTGOING:
                    continue
                seen += 1
                if is_wrong(frame, own, allowed) and len(wrong) < 20:
                    wrong.append(frame[:100].hex())
            elif not sys.stdin.readline():
                break
        _, lost = struct.unpack("II", device.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))
    print(json.dumps({"seen": seen, "lost": lost, "wrong": wrong}))


main(sys.argv[1:])
