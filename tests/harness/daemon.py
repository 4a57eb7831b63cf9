"""A daemon of one's own: started, asked, killed, started again, and taken down with every trace of it."""

import atexit
import itertools
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

from harness.wait import PATIENCE

ROOT = Path(__file__).resolve().parents[2]
NUMBERS = itertools.count(1)


class Failed(AssertionError):
    """A command of linkway's ended with another status than expected."""


def binary():
    """The binary under test: `$LINKWAY`, or what `cargo build` made."""
    return Path(os.environ.get("LINKWAY", ROOT / "target/debug/linkway")).resolve()


class Daemon:
    """One `linkway up`, its state directory, and the commands that go with them."""

    def __init__(self, name=None, state_dir=None, arguments=("--ephemeral",), listen="127.0.0.1:0", prefix=()):
        self.name = name or f"lwt-{os.getpid()}-{next(NUMBERS)}"
        self.own_state = state_dir is None
        self.state_dir = Path(state_dir or tempfile.mkdtemp(prefix="lwt-"))
        self.arguments = list(arguments)
        self.listen = listen
        self.prefix = list(prefix)
        self.process = None
        self.url = None
        self.log_path = Path(tempfile.mkstemp(prefix=f"{self.name}-", suffix=".log")[1])

    # Its life

    def command(self):
        """The command line of the daemon."""
        up = [str(binary()), "--state-dir", str(self.state_dir), "up", "--name", self.name, "--listen", self.listen]
        return [*self.prefix, *up, *self.arguments]

    def start(self, within=30):
        """Start it and wait for its `ready` line."""
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, cwd="/"
            )
        atexit.register(self._end_process)
        within *= PATIENCE
        deadline = time.monotonic() + within
        line = b""
        while not line.endswith(b"\n"):
            left = deadline - time.monotonic()
            if left < 0 or not select.select([self.process.stdout], [], [], left)[0]:
                raise Failed(f"the daemon is not ready within {within} s:\n{self.log()}")
            byte = os.read(self.process.stdout.fileno(), 1)
            if not byte:
                status = self.process.wait()
                raise Failed(f"the daemon ended with status {status} before it was ready:\n{self.log()}")
            line += byte
        word, self.url = line.decode().split()
        assert word == "ready", line
        # Started again, it listens where its clients knew it to.
        self.listen = self.url.removeprefix("http://")
        return self

    def refused(self, within=30):
        """Start it where it must not start. Returns what it says on standard error."""
        done = subprocess.run(self.command(), capture_output=True, text=True, timeout=within * PATIENCE, cwd="/")
        assert done.returncode != 0 and "ready" not in done.stdout, f"it started: {done.stdout}{done.stderr}"
        return done.stderr

    def kill(self):
        """SIGKILL: no chance to tidy anything up."""
        self.process.kill()
        self.wait(5)

    def stop(self, within=20):
        """SIGTERM. Returns its exit status."""
        return self.signal(signal.SIGTERM, within)

    def signal(self, number, within=20):
        """Send it a signal that ends it. Returns its exit status."""
        self.process.send_signal(number)
        return self.wait(within)

    def wait(self, within=10):
        """Wait until it has ended. Returns its exit status."""
        status = self.process.wait(within * PATIENCE)
        self.process.stdout.close()
        return status

    def down(self, *arguments):
        """`linkway down`, and what the harness itself made."""
        if not (self.state_dir / "linkway.sock").exists():
            # It could not be asked to stop.
            self._end_process()
        done = self.linkway("down", "--name", self.name, *arguments, check=False)
        self._end_process()
        if self.own_state:
            shutil.rmtree(self.state_dir, ignore_errors=True)
        if done.returncode != 0:
            raise Failed(f"linkway down: status {done.returncode}: {done.stderr}\n{self.log()}")
        self.log_path.unlink(missing_ok=True)

    def _end_process(self):
        if self.process:
            self.process.kill()
            self.wait(5)

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.down()
            raise

    def __exit__(self, *_):
        self.down()

    # Its commands

    def linkway(self, *arguments, check=True, timeout=60, **options):
        """Run a command of linkway's for this daemon."""
        command = [str(binary()), "--state-dir", str(self.state_dir), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout * PATIENCE, **options)
        if check and done.returncode != 0:
            raise Failed(f"{' '.join(command[3:])}: status {done.returncode}: {done.stdout}{done.stderr}")
        return done

    def json(self, *arguments):
        """What a command prints with `--output json`."""
        return json.loads(self.linkway(*arguments, "--output", "json").stdout)

    def status(self):
        """`linkway status`."""
        return self.json("status")

    def drops(self, interface=None):
        """Packets dropped, by reason: at one interface, or at all."""
        counts = {}
        for row in self.json("drops"):
            if interface in (None, row["interface"]):
                counts[row["reason"]] = counts.get(row["reason"], 0) + row["packets"]
        return counts

    def environment(self, *arguments):
        """What `linkway env` exports, as a dictionary."""
        lines = self.linkway("env", *arguments).stdout.splitlines()
        return dict(line.removeprefix("export ").split("=", 1) for line in lines)

    def run(self, subnet, *command, groups=(), private_ip=None, name=None):
        """Run a command as a detached instance. Returns the instance's id."""
        options = [word for group in groups for word in ("--security-group", group)]
        if private_ip:
            options += ["--private-ip", private_ip]
        if name:
            options += ["--name", name]
        done = self.linkway("run", "--subnet", subnet, *options, "--detach", "--", *command)
        return done.stdout.strip()

    def exec(self, instance, *command, check=False, timeout=60, **options):
        """Run a command inside an instance."""
        return self.linkway("exec", instance, "--", *command, check=check, timeout=timeout, **options)

    def popen(self, *arguments, **options):
        """Start a command of linkway's in the background."""
        command = [str(binary()), "--state-dir", str(self.state_dir), *map(str, arguments)]
        return subprocess.Popen(command, text=True, **options)

    def console(self, instance):
        """What a detached instance has written."""
        path = self.state_dir / "instances" / instance / "console.log"
        return path.read_text() if path.exists() else ""

    def reset(self):
        """Wipe all state, as test suites do."""
        request = urllib.request.Request(f"{self.url}/_linkway/reset", method="POST")
        with urllib.request.urlopen(request, timeout=30 * PATIENCE) as answer:
            assert answer.status == 200

    def log(self, last=60):
        """The last lines of its log."""
        return "\n".join(self.log_path.read_text(errors="replace").splitlines()[-last:])
