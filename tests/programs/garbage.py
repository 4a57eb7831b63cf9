"""Sends servers what no client would: the beginnings of real messages, changed, cut and repeated.

garbage.py SEED COUNT KIND:HOST:PORT…: KIND is `udp` or `tcp`. Prints how many messages were taken.
"""

import random
import socket
import sys

NAME = b"\x03sts\x09us-east-1\x09amazonaws\x03com\x00"
QUERY = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00" + NAME + b"\x00\x01\x00\x01"
MESSAGES = (
    QUERY,
    # Answers, counts without entries, names that point at themselves, labels longer than the message.
    QUERY[:2] + b"\x85\x80" + QUERY[4:],
    QUERY[:4] + b"\xff\xff" * 4 + QUERY[12:],
    QUERY[:12] + b"\xc0\x0c\x00\x01\x00\x01",
    QUERY[:12] + b"\x3f" * 60,
    len(QUERY).to_bytes(2, "big") + QUERY,
    b"\xff\xff" + QUERY,
    b"GET / HTTP/1.1\r\nHost: sts.us-east-1.amazonaws.com\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\nffffffffffffffff\r\n",
    b"GET " + b"/" * 20000 + b" HTTP/1.1\r\n\r\n",
    b"PUT /latest/api/token HTTP/1.1\r\nX-aws-ec2-metadata-token-ttl-seconds: -1\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\xff\xff\x01\x05" * 20,
    # A client hello whose lengths go beyond it.
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(32) + b"\x00\xff\xff",
)


def changed(chance):
    """One of the messages, with a few bytes changed, cut, or sent twice."""
    message = bytearray(chance.choice(MESSAGES))
    for _ in range(chance.randrange(4)):
        message[chance.randrange(len(message))] = chance.getrandbits(8)
    return bytes(message[: chance.randrange(1, len(message) + 1)]) * chance.choice((1, 1, 2))


def main(seed, count, *servers):
    chance = random.Random(int(seed))
    taken = 0
    kept = []
    for _ in range(int(count)):
        kind, host, port = chance.choice(servers).split(":")
        message = changed(chance)
        try:
            if kind == "udp":
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                    client.sendto(message[:1400], (host, int(port)))
            else:
                client = socket.create_connection((host, int(port)), 5)
                client.settimeout(0.05)
                client.sendall(message)
                # Some wait for an answer that they will not read, some go at once.
                kept.append(client)
                if chance.random() < 0.9:
                    kept.pop(chance.randrange(len(kept))).close()
            taken += 1
        except (ConnectionResetError, BrokenPipeError):
            taken += 1
    print(taken)


main(*sys.argv[1:])
