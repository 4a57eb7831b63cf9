"""A name server for the daemon's upstream: it knows the records that a test gives it, and no others."""

import socket
import socketserver
import struct
import threading

TYPES = {"A": 1, "TXT": 16}
NXDOMAIN = 3


def encode_name(name):
    """A name on the wire."""
    return b"".join(bytes([len(label)]) + label.encode() for label in name.rstrip(".").split(".")) + b"\0"


def encode_data(kind, value):
    """A record's data on the wire."""
    if kind == "A":
        return socket.inet_aton(value)
    text = value.encode()
    return bytes([len(text)]) + text


def on_one_port(udp, tcp):
    """A server for each transport, both on one port that is free for both."""
    for _ in range(20):
        first = socketserver.ThreadingUDPServer(("127.0.0.1", 0), udp)
        try:
            return [first, socketserver.ThreadingTCPServer(first.server_address, tcp)]
        except OSError:
            first.server_close()
    raise OSError("no port of 127.0.0.1 is free for both UDP and TCP")


class Upstream:
    """Answers on a free port of 127.0.0.1, by UDP and TCP. `records` maps (name, type) to a list of values."""

    def __init__(self):
        self.records = {}
        self.questions = []
        answer = self.answer

        class Udp(socketserver.BaseRequestHandler):
            def handle(self):
                question, sender = self.request
                sender.sendto(answer(question), self.client_address)

        class Tcp(socketserver.StreamRequestHandler):
            def handle(self):
                while length := self.rfile.read(2):
                    reply = answer(self.rfile.read(struct.unpack("!H", length)[0]))
                    self.wfile.write(struct.pack("!H", len(reply)) + reply)

        socketserver.ThreadingTCPServer.allow_reuse_address = True
        self.servers = on_one_port(Udp, Tcp)
        self.address = f"127.0.0.1:{self.servers[0].server_address[1]}"
        for server in self.servers:
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, daemon=True).start()

    def answer(self, question):
        """The answer to a question, both as bytes."""
        labels, at = [], 12
        while length := question[at]:
            labels.append(question[at + 1 : at + 1 + length].decode())
            at += 1 + length
        at += 5
        name = ".".join(labels).lower()
        number = struct.unpack("!H", question[at - 4 : at - 2])[0]
        kind = next((word for word, value in TYPES.items() if value == number), None)
        self.questions.append((name, kind or number))
        values = self.records.get((name, kind), [])
        known = any(known == name for known, _ in self.records)
        code = 0 if known else NXDOMAIN
        records = b""
        for value in values:
            data = encode_data(kind, value)
            records += b"\xc0\x0c" + struct.pack("!HHIH", number, 1, 60, len(data)) + data
        header = question[:2] + struct.pack("!HHHHH", 0x8580 | code, 1, len(values), 0, 0)
        return header + question[12:at] + records

    def close(self):
        """Answer no more."""
        for server in self.servers:
            server.shutdown()
            server.server_close()
