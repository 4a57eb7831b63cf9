"""Runs in the server's namespace: sends a byte to whoever connects."""

import socket
import sys

with socket.create_server(("", int(sys.argv[1])), backlog=512) as server:
    while True:
        client, _ = server.accept()
        with client:
            try:
                client.sendall(b"!")
            except OSError:
                continue
