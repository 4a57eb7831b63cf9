"""The networks that are compared: a client and a server, each in a namespace of its own, and what is between them.

All have the MTU of an interface endpoint, 8500, and wide port ranges, so that only the way between differs.
"""

import contextlib
import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

MTU = 8500
IPERF, HTTP, BANNER = 5201, 8080, 8081
CLIENT_CPU, SERVER_CPU = 0, 1

NGINX = """
daemon off; worker_processes 1; pid {dir}/nginx.pid; error_log stderr crit;
events {{ worker_connections 4096; }}
http {{
    access_log off; keepalive_requests 1000000000; client_body_temp_path {dir}; proxy_temp_path {dir};
    fastcgi_temp_path {dir}; uwsgi_temp_path {dir}; scgi_temp_path {dir};
    server {{ listen {port} backlog=4096; location / {{ return 200 "a small answer, as of an API\\n"; }} }}
}}
"""

STREAM = """
daemon off; worker_processes auto; pid {dir}/nginx.pid; error_log stderr crit;
load_module /usr/lib/nginx/modules/ngx_stream_module.so;
events {{ worker_connections 4096; }}
stream {{
{servers}
}}
"""

HAPROXY = """
global
    maxconn 8192
defaults
    mode tcp
    timeout connect 5s
    timeout client 60s
    timeout server 60s
{listeners}
"""

NFTABLES = """
table ip nat {{
    chain prerouting {{ type nat hook prerouting priority dstnat; ip daddr {router} dnat to {server}; }}
    chain postrouting {{ type nat hook postrouting priority srcnat; ip daddr {server} masquerade; }}
}}
"""


@dataclass
class Subject:
    """One way from a client to a server."""

    name: str
    client: str  # namespace
    address: str  # where the client finds the server


def run(*command, **options):
    """Run a command that must succeed."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **options)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}: {done.stdout}{done.stderr}")
    return done.stdout


def inside(namespace, *command):
    """A command line that runs in a namespace."""
    return ["ip", "netns", "exec", namespace, *map(str, command)]


def on_cpu(number, *command):
    """A command line that runs on one CPU: left to the scheduler, where the two ends run decides more than the way."""
    if os.cpu_count() < 2:
        return list(command)
    return ["taskset", "--cpu-list", number, *command]


class Networks(contextlib.ExitStack):
    """Makes namespaces and servers, and takes them away in the end."""

    def __init__(self):
        super().__init__()
        self.prefix = f"lwb-{os.getpid()}"
        self.scratch = Path(self.enter_context(tempfile.TemporaryDirectory(prefix="lwb-")))

    def namespace(self, name):
        """A namespace, with its loopback up."""
        name = f"{self.prefix}-{name}"
        run("ip", "netns", "add", name)
        self.callback(run, "ip", "netns", "del", name)
        run("ip", "-n", name, "link", "set", "lo", "up")
        run(*inside(name, "sysctl", "-qw", "net.ipv4.ip_local_port_range=1024 65535"))
        run(*inside(name, "sysctl", "-qw", "net.core.somaxconn=4096"))
        return name

    def link(self, one, one_device, one_address, other, other_device, other_address):
        """A veth pair between two namespaces."""
        run("ip", "-n", one, "link", "add", one_device, "mtu", MTU, "type", "veth",
            "peer", "name", other_device, "netns", other, "mtu", MTU)
        for namespace, device, address in ((one, one_device, one_address), (other, other_device, other_address)):
            run("ip", "-n", namespace, "addr", "add", address, "dev", device)
            run("ip", "-n", namespace, "link", "set", device, "up")

    def start(self, namespace, *command):
        """Start a server in a namespace; it is ended with everything else."""
        process = subprocess.Popen(
            inside(namespace, *command), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        self.callback(process.wait)
        self.callback(process.terminate)
        return process

    def servers(self, namespace):
        """What every server answers with: iperf3, and HTTP."""
        directory = self.scratch / namespace
        directory.mkdir()
        config = directory / "nginx.conf"
        config.write_text(NGINX.format(dir=directory, port=HTTP))
        self.start(namespace, *on_cpu(SERVER_CPU, "iperf3", "--server", "--port", IPERF))
        self.start(namespace, *on_cpu(SERVER_CPU, "nginx", "-p", directory, "-c", config))

    def direct(self):
        """One veth pair and nothing else: the limit."""
        client, server = self.namespace("dc"), self.namespace("ds")
        self.link(client, "eth0", "192.0.2.1/24", server, "eth0", "192.0.2.2/24")
        self.servers(server)
        return Subject("direct veth", client, "192.0.2.2")

    def _routed(self, letter):
        client, router, server = (self.namespace(letter + role) for role in "crs")
        self.link(client, "eth0", "192.0.2.1/24", router, "client", "192.0.2.2/24")
        self.link(server, "eth0", "198.51.100.1/24", router, "server", "198.51.100.2/24")
        self.servers(server)
        return client, router

    def nftables(self):
        """Kernel routing with nftables: destination and source are both translated, as an endpoint does."""
        client, router = self._routed("n")
        run(*inside(router, "sysctl", "-qw", "net.ipv4.ip_forward=1"))
        rules = self.scratch / "rules.nft"
        rules.write_text(NFTABLES.format(router="192.0.2.2", server="198.51.100.1"))
        run(*inside(router, "nft", "-f", rules))
        return Subject("nftables NAT", client, "192.0.2.2")

    def haproxy(self):
        """HAProxy in TCP mode."""
        client, router = self._routed("h")
        listeners = "".join(
            f"listen port{port}\n    bind 192.0.2.2:{port}\n    server target 198.51.100.1:{port}\n"
            for port in (IPERF, HTTP)
        )
        config = self.scratch / "haproxy.cfg"
        config.write_text(HAPROXY.format(listeners=listeners))
        self.start(router, "haproxy", "-db", "-f", config)
        return Subject("HAProxy TCP", client, "192.0.2.2")

    def nginx(self):
        """nginx as a TCP proxy."""
        client, router = self._routed("x")
        directory = self.scratch / "stream"
        directory.mkdir()
        servers = "".join(
            f"    server {{ listen 192.0.2.2:{port}; proxy_pass 198.51.100.1:{port}; }}\n" for port in (IPERF, HTTP)
        )
        config = directory / "nginx.conf"
        config.write_text(STREAM.format(dir=directory, servers=servers))
        self.start(router, "nginx", "-p", directory, "-c", config)
        return Subject("nginx TCP", client, "192.0.2.2")
