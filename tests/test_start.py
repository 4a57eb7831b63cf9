"""Starting where one cannot, ending without a trace, and starting over."""

import contextlib
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from harness.aws import Account, refusal
from harness.daemon import Daemon
from harness.netns import Namespace, names
from harness.wait import until

BPFFS = Path("/sys/fs/bpf")


def traces(daemon):
    """What a daemon has left on the machine: namespaces, pins, files in /run, processes."""
    left = [name for name in names() if name == daemon.name or name.startswith(daemon.name + "-")]
    left += [str(path) for path in (BPFFS / daemon.name, Path("/run") / daemon.name) if path.exists()]
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if daemon.name.encode() in (process / "cmdline").read_bytes():
                left.append(f"process {process.name}: {(process / 'cmdline').read_bytes()}")
    return left


def test_down_leaves_nothing(own_daemon, programs):
    daemon = own_daemon().start()
    aws = Account.first(daemon)
    subnet = aws.subnet(aws.vpc(), "10.0.0.0/24")
    daemon.run(subnet, "/usr/bin/python3", programs / "echo.py", "7000")
    stubborn = "import signal; signal.signal(15, signal.SIG_IGN); signal.pause()"
    daemon.run(subnet, "/usr/bin/python3", "-c", stubborn)
    with Namespace("box") as box:
        daemon.linkway("attach", "--subnet", subnet, "--netns", box.path)
        assert traces(daemon)
        daemon.linkway("down", "--name", daemon.name)
        assert traces(daemon) == []
        assert "eth0" not in box.ip("-brief", "link")


@pytest.mark.parametrize("killed", [False, True])
def test_down_without_a_daemon(own_daemon, killed):
    daemon = own_daemon().start()
    aws = Account.first(daemon)
    daemon.run(aws.subnet(aws.vpc(), "10.0.0.0/24"), "sleep", "infinity")
    if killed:
        daemon.kill()
    else:
        daemon.stop()
    daemon.linkway("down", "--name", daemon.name)
    assert traces(daemon) == []
    # Twice is no error.
    daemon.linkway("down", "--name", daemon.name)


def test_two_daemons_side_by_side(own_daemon):
    first, second = own_daemon().start(), own_daemon().start()
    here, there = Account.first(first), Account.first(second)
    vpc = here.vpc()
    assert there.vpcs() == []
    second.down()
    assert here.vpcs() == [vpc]
    assert traces(first)


def test_a_port_that_is_taken(own_daemon):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        said = own_daemon(listen=address).refused()
    assert address in said and "--listen" in said


def test_a_name_that_is_taken(own_daemon):
    daemon = own_daemon().start()
    said = own_daemon(name=daemon.name).refused()
    assert daemon.name in said and "--name" in said
    daemon.status()


@pytest.mark.parametrize("arguments", [(), ("--ephemeral",)])
def test_a_state_directory_that_another_daemon_holds(own_daemon, arguments):
    daemon = own_daemon(arguments=()).start()
    said = own_daemon(state_dir=daemon.state_dir, arguments=arguments).refused()
    assert str(daemon.state_dir) in said and "another" in said
    daemon.status()


def test_without_privileges(own_daemon):
    daemon = own_daemon(prefix=["setpriv", "--bounding-set=-all", "--inh-caps=-all"])
    said = daemon.refused()
    assert "CAP_NET_ADMIN, CAP_BPF, CAP_SYS_ADMIN" in said and len(said.strip().splitlines()) == 1, said


def test_as_another_user(own_daemon):
    daemon = own_daemon(prefix=["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"])
    assert "CAP_NET_ADMIN" in daemon.refused()


def test_tables_of_another_version(own_daemon):
    daemon = own_daemon()
    other = BPFFS / daemon.name / "v999"
    other.mkdir(parents=True)
    said = daemon.refused()
    assert str(other) in said and "linkway down" in said
    assert other.exists()
    daemon.linkway("down", "--name", daemon.name)
    assert not other.parent.exists()
    daemon.start()


@contextlib.contextmanager
def small_disk(size):
    """A directory on a file system of this size."""
    directory = tempfile.mkdtemp(prefix="lwt-disk-")
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "none", directory], check=True)
    try:
        yield Path(directory)
    finally:
        subprocess.run(["umount", "--lazy", directory], check=True)
        os.rmdir(directory)


def test_a_full_disk(own_daemon):
    with small_disk("2m") as directory:
        daemon = own_daemon(arguments=(), state_dir=directory).start()
        aws = Account.first(daemon)
        vpc = aws.vpc()
        ballast = directory / "ballast"
        with open(ballast, "wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(b"x" * 4096)

        def refused_at_last():
            try:
                aws.ec2.create_vpc(CidrBlock="10.0.0.0/16")
            except Exception as error:
                return error
            return None

        error = until(refused_at_last, "a write that the disk has no room for", 30)
        assert error.response["Error"]["Code"] in ("InternalError", "InternalFailure"), error
        count = len(aws.vpcs())
        # What failed left nothing behind, what was there still is, and reading goes on.
        refusal(aws.ec2.create_vpc, CidrBlock="10.0.0.0/16")
        assert len(aws.vpcs()) == count
        ballast.unlink()
        until(lambda: refused_at_last() is None, "writing again")
        assert len(aws.vpcs()) == count + 1
        daemon.kill()
        daemon.start()
        assert len(aws.vpcs()) == count + 1
        assert vpc in aws.vpcs()
        daemon.down()


def test_a_full_disk_from_the_start(own_daemon):
    with small_disk("4k") as directory:
        said = own_daemon(arguments=(), state_dir=directory).refused()
        assert str(directory) in said, said


def test_reset_is_for_ephemeral_daemons(own_daemon):
    daemon = own_daemon().start()
    aws = Account.first(daemon)
    subnet = aws.subnet(aws.vpc(), "10.0.0.0/24")
    instance = daemon.run(subnet, "sleep", "infinity")
    daemon.reset()
    assert aws.vpcs() == []
    assert aws.ec2.describe_instances()["Reservations"] == []
    until(lambda: f"{daemon.name}-{instance}" not in names(), "the instance's namespace gone")
    lasting = own_daemon(arguments=()).start()
    with pytest.raises(urllib.error.HTTPError) as refused:
        lasting.reset()
    assert refused.value.code == 403
    refused.value.close()
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{daemon.url}/_linkway/reset", timeout=10)
    assert refused.value.code == 405
    refused.value.close()


def test_an_ephemeral_daemon_forgets(own_daemon):
    daemon = own_daemon().start()
    aws = Account.first(daemon)
    instance = daemon.run(aws.subnet(aws.vpc(), "10.0.0.0/24"), "sleep", "infinity")
    daemon.kill()
    daemon.start()
    again = Account.first(daemon)
    assert again.vpcs() == []
    until(lambda: f"{daemon.name}-{instance}" not in names(), "the instance's namespace gone")


def test_the_state_directory_is_private(own_daemon):
    daemon = own_daemon(arguments=(), state_dir=Path(tempfile.mkdtemp(prefix="lwt-")) / "made").start()
    assert stat.S_IMODE(daemon.state_dir.stat().st_mode) == 0o700
    for path in daemon.state_dir.iterdir():
        if path.is_file() and path.suffix != ".pem":
            assert not path.stat().st_mode & 0o077, path
    daemon.down()
    shutil.rmtree(daemon.state_dir.parent)


def test_interrupted_it_stops(own_daemon):
    daemon = own_daemon().start()
    assert daemon.signal(signal.SIGINT) == 0


def test_the_service_manager_is_told(own_daemon):
    with tempfile.TemporaryDirectory(prefix="lwt-") as directory:
        path = f"{directory}/notify"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(path)
            manager.settimeout(10)
            daemon = own_daemon(prefix=["env", f"NOTIFY_SOCKET={path}"]).start()
            assert "READY=1" in manager.recv(1000).decode()
            daemon.stop()
            assert "STOPPING=1" in manager.recv(1000).decode()


def test_only_what_is_needed_is_kept(own_daemon):
    """Capabilities, thread by thread: one keeps what the packet path needs, the others nothing."""
    daemon = own_daemon().start()
    kept = {}
    for task in Path(f"/proc/{daemon.process.pid}/task").iterdir():
        lines = dict(line.split(":", 1) for line in (task / "status").read_text().splitlines())
        kept[lines["Name"].strip(), task.name] = int(lines["CapEff"], 16)
    privileged = {name for (name, _), capabilities in kept.items() if capabilities}
    assert "linkway" not in privileged and "tokio" not in str(privileged), privileged
    everything = (1 << 41) - 1
    assert all(capabilities != everything for capabilities in kept.values())


def test_doctor_finds_this_machine_fit():
    daemon = Daemon()
    done = daemon.linkway("doctor", "--output", "json")
    checks = json.loads(done.stdout)
    assert checks and all(check["ok"] for check in checks), checks
    poor = subprocess.run(
        ["setpriv", "--bounding-set=-all", "--inh-caps=-all", *daemon.command()[:1], "doctor"],
        capture_output=True, text=True,
    )
    assert poor.returncode == 1 and "MISSING" in poor.stdout
    daemon.down()


def test_doctor_on_an_old_kernel(tmp_path):
    """A kernel's version is all that can be made up; what is said about it is what a real one gets."""
    release = tmp_path / "osrelease"
    release.write_text("5.10.0-28-amd64\n")
    daemon = Daemon()
    script = f"mount --bind {release} /proc/sys/kernel/osrelease && exec {daemon.command()[0]} doctor"
    done = subprocess.run(["unshare", "--mount", "sh", "-c", script], capture_output=True, text=True)
    assert done.returncode == 1 and "5.10.0-28-amd64" in done.stdout and "6.1 or newer" in done.stdout
    daemon.down()


def test_listening_on_every_address(own_daemon):
    daemon = own_daemon(listen="0.0.0.0:0").start()
    assert daemon.environment()["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")
    assert Account.first(daemon).sts.get_caller_identity()["Account"] == "123456789012"


def test_commands_without_a_daemon_say_so():
    daemon = Daemon()
    for command in (["status"], ["env"], ["account", "list"], ["drops"]):
        done = daemon.linkway(*command, check=False)
        assert done.returncode == 1 and "linkway up" in done.stderr and str(daemon.state_dir) in done.stderr
    daemon.down()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completions(shell):
    daemon = Daemon()
    assert "terminate" in daemon.linkway("completions", shell).stdout
    daemon.down()
