"""Tries once to reach an echo server, and says in one word and a status what became of it.

connect.py tcp|udp HOST PORT [TIMEOUT]
"""

import socket
import sys

kind, host, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
patience = float(sys.argv[4]) if len(sys.argv) > 4 else 2.0
try:
    if kind == "udp":
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as client:
            client.settimeout(patience)
            client.sendto(b"hello", (host, port))
            print("echoed" if client.recv(100) == b"hello" else "altered")
    else:
        with socket.create_connection((host, port), patience) as client:
            greeting = client.makefile("r").readline()
            client.sendall(b"hello")
            print(greeting.strip() if client.recv(100) == b"hello" else "altered")
except TimeoutError:
    print("timeout")
    sys.exit(3)
except ConnectionRefusedError:
    print("refused")
    sys.exit(4)
except OSError as error:
    print(f"error {error}")
    sys.exit(5)
