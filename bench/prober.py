"""Runs in the client's namespace. For each address on standard input: connect until a byte comes back, and say when.

A connection attempt that is not answered within a few milliseconds is given up for another: TCP's own
retransmission comes after a second, and would be measured instead.
"""

import select
import socket
import sys
import time

ATTEMPT = 0.004


def attempt(address, port):
    """Whether a byte came back."""
    with socket.socket() as client:
        client.setblocking(False)
        client.connect_ex((address, port))
        if not select.select([], [client], [], ATTEMPT)[1] or client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            return False
        client.settimeout(1)
        return len(client.recv(1)) == 1


def main():
    """One line `ADDRESS PORT` in, one line with the monotonic clock's seconds out, or `never`."""
    for line in sys.stdin:
        address, port = line.split()
        deadline = time.monotonic() + 10
        while not attempt(address, int(port)):
            if time.monotonic() > deadline:
                print("never", flush=True)
                break
        else:
            print(time.monotonic(), flush=True)


main()
