#!/usr/bin/env python3
"""Measure the gateway beside nginx as a TLS reverse proxy to the same backend, and the backend itself.

The gateway ends TLS, checks every request's signature, finds out what it asks for, asks a policy of four statements
and seven conditions, and writes an audit record; nginx ends TLS and passes on. Everything is on the loopback
interface: client and backend on one CPU, what is between them on another. Rounds and ratios are those of `report`.
"""

import argparse
import contextlib
import os
import random
import re
import socket
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import measures
import report
import signed
from networks import CLIENT_CPU, SERVER_CPU, on_cpu, run

sys.path.insert(0, str(report.ROOT / "tests"))

from harness.wait import until  # noqa: E402

BASE = "nginx"
BACKEND_CPU, BETWEEN_CPU = CLIENT_CPU, SERVER_CPU
# Bytes of what is fetched and stored whole.
LARGE = 16 << 20
UNITS = {"calls": "1/s", "CPU": "us", "latency": "us", "download": "MB/s", "upload": "MB/s"}

NGINX = """
daemon off; worker_processes 1; pid {dir}/nginx-{name}.pid; error_log stderr crit;
events {{ worker_connections 4096; }}
http {{
    access_log off; keepalive_requests 1000000000; client_max_body_size 0; sendfile on;
    client_body_temp_path {dir}; proxy_temp_path {dir}; fastcgi_temp_path {dir}; uwsgi_temp_path {dir};
    scgi_temp_path {dir};
    {servers}
}}
"""

BACKEND = """
server {{
    listen 127.0.0.1:{port} backlog=4096; root {dir};
    location = / {{ return 200 "<DescribeDBInstancesResponse/>"; }}
    location /examplebucket/home/alice/ {{ alias {dir}/; }}
}}
"""

# Bodies are passed on as they come, as the gateway passes them on.
BETWEEN = """
upstream backend {{ server 127.0.0.1:{backend}; keepalive 64; keepalive_requests 1000000000; }}
upstream sink {{ server 127.0.0.1:{sink}; keepalive 64; keepalive_requests 1000000000; }}
server {{
    listen 127.0.0.1:{port} ssl backlog=4096; ssl_certificate {dir}/nginx.pem; ssl_certificate_key {dir}/nginx.key;
    proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host;
    proxy_request_buffering off; proxy_max_temp_file_size 0;
    location / {{ proxy_pass http://backend; }}
    location /examplebucket/home/alice/stored {{ proxy_pass http://sink; }}
}}
"""


@dataclass
class Subject:
    """A way to the backend."""

    name: str
    scheme: str
    ports: dict  # of RDS, of S3 to fetch from, of S3 to store to
    addresses: dict  # of RDS, of S3
    scratch: Path
    process: subprocess.Popen | None = None  # what is between

    def cpu(self):
        """Seconds of CPU that what is between has taken."""
        pids = [self.process.pid, *Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()]
        fields = (Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split() for pid in pids)
        return sum(int(field[11]) + int(field[12]) for field in fields) / os.sysconf("SC_CLK_TCK")

    def wrk(self, service, port, script, seconds, connections):
        """What wrk prints of a run. The service's name is its own, for TLS and the signature."""
        hosts, lua = self.scratch / "hosts", self.scratch / "request.lua"
        hosts.write_text("".join(f"{address} {signed.host(name)}\n" for name, address in self.addresses.items()))
        lua.write_text(script)
        answer = run("unshare", "--mount", "sh", "-c", 'mount --bind "$0" /etc/hosts && exec "$@"', hosts, *on_cpu(
            CLIENT_CPU, "wrk", "--latency", "--threads", 1, "--connections", connections, "--timeout", "20s",
            "--duration", f"{seconds}s", "--script", lua, f"{self.scheme}://{signed.host(service)}:{self.ports[port]}/",
        ))
        if re.search(r"Socket errors|Non-2xx", answer):
            raise RuntimeError(f"{self.name}: {answer}")
        return answer


def calls(subject, seconds):
    """Signed calls a second over 16 connections that stay open, and microseconds of CPU for each between."""
    before = subject.process and subject.cpu()
    answer = subject.wrk("rds", "rds", signed.describe(), seconds, 16)
    values = {"calls": measures.rate(answer)}
    if subject.process:
        values["CPU a call"] = (subject.cpu() - before) * 1e6 / measures.requests_made(answer)
    return values


def latency(subject, seconds):
    """Microseconds of a signed call alone."""
    answer = subject.wrk("rds", "rds", signed.describe(), seconds, 1)
    return {f"latency p{percent}": measures.percentile(answer, percent) for percent in (50, 99)}


def download(subject, seconds):
    """Megabytes a second of large answers, four at a time."""
    script = signed.download("/examplebucket/home/alice/large")
    return {"download": measures.rate(subject.wrk("s3", "fetch", script, seconds, 4)) * LARGE / 1e6}


def upload(subject, seconds):
    """Megabytes a second of large requests whose hash is signed, four at a time."""
    script = signed.upload("/examplebucket/home/alice/stored", LARGE)
    return {"upload": measures.rate(subject.wrk("s3", "store", script, seconds, 4)) * LARGE / 1e6}


MEASURES = {measure.__name__: measure for measure in (calls, latency, download, upload)}


class World(contextlib.ExitStack):
    """Starts servers, and ends them in the end."""

    def __init__(self, binary):
        super().__init__()
        self.binary = binary
        self.scratch = Path(self.enter_context(tempfile.TemporaryDirectory(prefix="lwb-", dir="/dev/shm")))
        (self.scratch / "large").write_bytes(bytes(LARGE))

    def start(self, port, cpu, *command):
        """Start a server on a CPU, and wait until it listens."""
        process = subprocess.Popen(
            [str(word) for word in on_cpu(cpu, *command)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        )
        self.callback(process.wait)
        self.callback(process.terminate)

        def listens():
            if process.poll() is not None:
                raise RuntimeError(f"{command[0]} has ended")
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                return True
            return False

        until(listens, f"{command[0]} listens")
        return process

    def nginx(self, name, cpu, servers, **values):
        """An nginx: its port and its process."""
        port = free_port()
        config = self.scratch / f"{name}.conf"
        servers = servers.format(port=port, dir=self.scratch, **values)
        config.write_text(NGINX.format(dir=self.scratch, name=name, servers=servers))
        return port, self.start(port, cpu, "nginx", "-p", self.scratch, "-c", config)

    def subjects(self):
        """The backend itself, nginx before it, and the gateway before it."""
        backend, _ = self.nginx("backend", BACKEND_CPU, BACKEND)
        sink, fetch, store = free_port(), free_port(), free_port()
        self.start(sink, BACKEND_CPU, sys.executable, Path(__file__).with_name("sink.py"), sink)
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
            f"/CN={signed.host('rds')}", "-keyout", self.scratch / "nginx.key", "-out", self.scratch / "nginx.pem")
        nginx, nginx_process = self.nginx("between", BETWEEN_CPU, BETWEEN, backend=backend, sink=sink)
        gateway = self.start(fetch, BETWEEN_CPU, self.binary, fetch, f"127.0.0.1:{backend}", self.scratch)
        self.start(store, BETWEEN_CPU, self.binary, store, f"127.0.0.1:{sink}", self.scratch)

        def subject(name, scheme, fetch, store, addresses, process=None):
            ports = {"rds": fetch, "fetch": fetch, "store": store}
            return Subject(name, scheme, ports, dict(zip(("rds", "s3"), addresses)), self.scratch, process)

        loopback = ("127.0.0.1", "127.0.0.1")
        return [
            subject("backend itself", "http", backend, sink, loopback),
            subject(BASE, "https", nginx, nginx, loopback, nginx_process),
            subject("Linkway gateway", "https", fetch, store, ("127.100.0.1", "127.100.0.2"), gateway),
        ]


def free_port():
    """A port that nothing uses now, below those that clients get."""
    while True:
        port = random.randrange(20_000, 32_000)
        with contextlib.suppress(OSError), socket.create_server(("0.0.0.0", port)):
            return port


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3, help="of each measurement")
    parser.add_argument("--only", choices=MEASURES, action="append", help="measure only this")
    parser.add_argument(
        "--gateway", default=report.ROOT / "target/release/examples/loopback", help="the binary to measure"
    )
    options = parser.parse_args()
    report.begin()
    chosen = {name: measure for name, measure in MEASURES.items() if not options.only or name in options.only}
    with World(options.gateway) as world:
        values = report.rounds(world.subjects(), chosen, options.rounds, options.seconds)
    report.write("gateway", report.table(values, UNITS, BASE, "way"))


main()
