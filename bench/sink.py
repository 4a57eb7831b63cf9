"""A server that takes requests with bodies of a stated length, reads them to the end, and answers."""

import re
import socket
import sys
import threading

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def serve(client):
    """Answers the requests of one connection."""
    buffer, head = bytearray(1 << 20), b""
    while True:
        while b"\r\n\r\n" not in head:
            piece = client.recv(1 << 16)
            if not piece:
                return
            head += piece
        head, _, body = head.partition(b"\r\n\r\n")
        left = int(re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)[1]) - len(body)
        while left > 0:
            taken = client.recv_into(buffer, min(left, len(buffer)))
            if not taken:
                return
            left -= taken
        client.sendall(ANSWER)
        head = b""


def serve_quietly(client):
    """Clients may break off: a measurement ends so."""
    with client:
        try:
            serve(client)
        except OSError:
            pass


with socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=512) as server:
    while True:
        threading.Thread(target=serve_quietly, args=(server.accept()[0],), daemon=True).start()
