"""Connects to an echo server again and again until its standard input is closed; every attempt must be answered.

knock.py HOST PORT
"""

import os
import select
import socket
import sys

host, port = sys.argv[1], int(sys.argv[2])
count = 0
while not select.select([0], [], [], 0)[0] or os.read(0, 100):
    with socket.create_connection((host, port), 5) as client:
        client.sendall(b"knock")
        answer = b""
        while not answer.endswith(b"knock"):
            received = client.recv(1000)
            if not received:
                sys.exit(f"connection {count} was closed after {answer!r}")
            answer += received
    count += 1
print(count)
