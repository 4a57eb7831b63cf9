"""Makes idle connections from addresses in turn, says "ready", and keeps them until its input ends."""

import socket
import sys

gateway, port, number, *sources = sys.argv[1:]
held = [
    socket.create_connection((gateway, int(port)), source_address=(sources[at % len(sources)], 0))
    for at in range(int(number))
]
print("ready", flush=True)
sys.stdin.read()
for connection in held:
    connection.setblocking(False)
    try:
        raise SystemExit(f"a connection was closed: {connection.recv(1)!r}")
    except BlockingIOError:
        pass
