"""Network namespaces made for a test or a benchmark, and what runs in them."""

import contextlib
import ctypes
import itertools
import os
import subprocess
import time

NUMBERS = itertools.count(1)
CLONE_NEWNET = 0x40000000


def ip(*arguments, check=True):
    """Run `ip`."""
    return subprocess.run(["ip", *arguments], check=check, capture_output=True, text=True).stdout


class Namespace:
    """A named network namespace with its loopback device up, and the processes that were started in it."""

    def __init__(self, purpose="ns"):
        self.name = f"lwt-{os.getpid()}-{purpose}{next(NUMBERS)}"
        self.path = f"/run/netns/{self.name}"
        self.processes = []
        ip("netns", "add", self.name)
        ip("-n", self.name, "link", "set", "lo", "up")

    def ip(self, *arguments):
        """Run `ip` for the namespace."""
        return ip("-n", self.name, *arguments)

    def run(self, *command, check=True, timeout=60, **options):
        """Run a command inside."""
        command = ["ip", "netns", "exec", self.name, *map(str, command)]
        return subprocess.run(command, check=check, capture_output=True, text=True, timeout=timeout, **options)

    def start(self, *command, **options):
        """Start a server inside; it ends with the namespace."""
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        command = ["ip", "netns", "exec", self.name, *map(str, command)]
        process = subprocess.Popen(command, **(quiet | options))
        self.processes.append(process)
        return process

    def listens(self, port):
        """Whether something inside listens on the TCP port."""
        return bool(self.run("ss", "-Htln", f"sport = :{port}").stdout)

    @contextlib.contextmanager
    def entered(self):
        """Have this thread, and what it starts, be in the namespace: sockets of clients, and commands."""
        with open("/proc/thread-self/ns/net") as before, open(self.path) as own:
            _enter(own)
            try:
                yield
            finally:
                _enter(before)

    def delete(self):
        """End what was started inside, and remove it."""
        for process in self.processes:
            process.terminate()
        deadline = time.monotonic() + 5
        for process in self.processes:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        ip("netns", "delete", self.name, check=False)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.delete()


def _enter(namespace):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(namespace.fileno(), CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def names():
    """All named namespaces of the machine."""
    return [line.split()[0] for line in ip("netns", "list").splitlines()]
