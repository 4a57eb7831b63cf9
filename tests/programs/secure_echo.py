"""Greets who comes by TLS with what it sees of them, and echoes.

secure_echo.py PORT CERTIFICATE KEY
"""

import socket
import ssl
import sys
import threading

context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[2], sys.argv[3])
context.set_alpn_protocols(["h2", "http/1.1"])


def serve(plain):
    """One connection. A health check says nothing, and is gone."""
    try:
        with context.wrap_socket(plain, server_side=True) as client:
            client.sendall(f"tls {client.selected_alpn_protocol()}\n".encode())
            while data := client.recv(1 << 16):
                client.sendall(data)
    except OSError:
        plain.close()


with socket.create_server(("0.0.0.0", int(sys.argv[1]))) as listener:
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
