"""Instances: commands with an interface in a subnet; and namespaces that exist, given one."""

import os
import pty
import select
import signal
import subprocess

import pytest

from harness import netns
from harness.aws import refusal
from harness.daemon import binary
from harness.wait import until


@pytest.fixture
def subnet(aws):
    """A subnet of a VPC whose default group lets its members talk."""
    return aws.subnet(aws.vpc(), "10.0.0.0/24")


def state(aws, instance):
    """An instance's state."""
    [reservation] = aws.ec2.describe_instances(InstanceIds=[instance])["Reservations"]
    return reservation["Instances"][0]["State"]["Name"]


def test_in_the_foreground_the_status_is_the_commands(daemon, aws, subnet):
    def run(*command):
        return daemon.linkway("run", "--subnet", subnet, "--", *command, check=False)

    done = run("sh", "-c", "echo out; echo err >&2; exit 7")
    assert (done.returncode, done.stdout, done.stderr) == (7, "out\n", "err\n")
    assert run("true").returncode == 0
    assert run("sh", "-c", "kill -TERM $$").returncode == 128 + signal.SIGTERM
    assert run("/no/such/command").returncode == 127
    assert run("/etc/passwd").returncode == 126
    done = daemon.linkway("run", "--subnet", "subnet-0123456789abcdef0", "--", "true", check=False)
    assert done.returncode == 125 and "subnet-0123456789abcdef0" in done.stderr
    states = {
        instance["State"]["Name"]
        for reservation in aws.ec2.describe_instances()["Reservations"]
        for instance in reservation["Instances"]
    }
    assert states == {"terminated"}


def test_a_signal_reaches_the_command(daemon, subnet):
    ready = "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(5)); print('up', flush=True); signal.pause()"
    process = daemon.popen(
        "run", "--subnet", subnet, "--", "/usr/bin/python3", "-c", ready, stdout=subprocess.PIPE
    )
    with process:
        assert process.stdout.readline() == "up\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 5


def test_at_a_terminal(daemon, subnet):
    """Job control works as in any shell: Ctrl-C ends the command, and not the shell around it."""
    process, terminal = pty.fork()
    if process == 0:
        os.execv(binary(), ["linkway", "--state-dir", str(daemon.state_dir), "run", "--subnet", subnet, "--",
                            "bash", "--norc", "-i"])
    shown = ""

    def reads(text):
        nonlocal shown
        if select.select([terminal], [], [], 0.1)[0]:
            shown += os.read(terminal, 65536).decode()
        return text in shown

    os.write(terminal, b"sleep 12345\n")
    until(lambda: subprocess.run(["pgrep", "-f", "^sleep 12345$"], capture_output=True).returncode == 0, "the command")
    os.write(terminal, b"\x03")
    os.write(terminal, b"echo still-$((40+2)); exit 6\n")
    until(lambda: reads("still-42"), "the shell after Ctrl-C")
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 6
    os.close(terminal)


def test_killed_with_whoever_started_it(daemon, aws, subnet):
    process = daemon.popen("run", "--subnet", subnet, "--", "sh", "-c", "echo up; sleep 1000", stdout=subprocess.PIPE)
    with process:
        assert process.stdout.readline() == "up\n"
        [reservation] = aws.ec2.describe_instances()["Reservations"]
        process.kill()
        process.wait()
        until(lambda: state(aws, reservation["Instances"][0]["InstanceId"]) == "terminated", "the instance terminated")


def test_what_an_instance_sees(daemon, aws, subnet):
    instance = daemon.run(subnet, "sleep", "infinity", private_ip="10.0.0.77", name="web")

    def inside(command):
        return daemon.exec(instance, "sh", "-c", command, check=True).stdout.strip()

    assert inside("ip -brief address show dev eth0 | awk '{print $3}'") == "10.0.0.77/24"
    assert inside("ip route show default | awk '{print $3}'") == "10.0.0.1"
    assert inside("cat /sys/class/net/eth0/mtu") == "8500"
    assert "nameserver 10.0.0.2" in inside("cat /etc/resolv.conf")
    assert "10.0.0.77 ip-10-0-0-77.ec2.internal" in inside("cat /etc/hosts")
    assert inside("hostname") == "ip-10-0-0-77"
    assert inside("ls /sys/class/net").split() == ["eth0", "lo"]
    ours = daemon.linkway("ca").stdout
    for variable in ("AWS_CA_BUNDLE", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"):
        assert ours.strip() in inside(f"cat ${variable}")
    assert ours.strip() in inside("cat /etc/ssl/certs/ca-certificates.crt")
    with open("/etc/ssl/certs/ca-certificates.crt") as host:
        assert ours.strip() not in host.read()

    [reservation] = aws.ec2.describe_instances(InstanceIds=[instance])["Reservations"]
    [described] = reservation["Instances"]
    assert described["PrivateIpAddress"] == "10.0.0.77" and described["SubnetId"] == subnet
    assert {"Key": "Name", "Value": "web"} in described["Tags"]
    [interface] = aws.ec2.describe_network_interfaces(
        Filters=[{"Name": "attachment.instance-id", "Values": [instance]}]
    )["NetworkInterfaces"]
    assert interface["Status"] == "in-use" and interface["PrivateIpAddress"] == "10.0.0.77"
    assert inside("cat /sys/class/net/eth0/address") == interface["MacAddress"]


def test_exec_passes_status_input_and_output(daemon, subnet):
    instance = daemon.run(subnet, "sleep", "infinity")
    done = daemon.exec(instance, "sh", "-c", "cat; exit 9", input="through\n")
    assert (done.returncode, done.stdout) == (9, "through\n")
    assert daemon.exec(instance, "/no/such/command").returncode == 127
    assert daemon.exec("i-0123456789abcdef0", "true").returncode == 125


def test_detached_it_runs_on_until_it_ends(daemon, aws, subnet):
    short = daemon.run(subnet, "sh", "-c", "echo done; exit 3")
    until(lambda: state(aws, short) == "terminated", "the instance terminated")
    assert daemon.console(short) == "done\n"
    assert daemon.exec(short, "true").returncode == 125
    done = daemon.linkway("run", "--subnet", subnet, "--detach", "--", "/no/such/command", check=False)
    assert done.returncode == 127 and done.stdout == ""


@pytest.mark.parametrize("by", ["command", "api"])
def test_terminate_ends_everything_in_it(daemon, aws, subnet, by):
    instance = daemon.run(subnet, "sh", "-c", "sleep 1000 & sleep 1000")
    interface = aws.interface(instance)
    found = daemon.exec(instance, "sh", "-c", "ip -brief link").returncode
    assert found == 0
    if by == "command":
        daemon.linkway("terminate", instance)
        assert state(aws, instance) == "terminated"
    else:
        aws.ec2.terminate_instances(InstanceIds=[instance])
        until(lambda: state(aws, instance) == "terminated", "the instance terminated")
    code, _ = refusal(aws.ec2.describe_network_interfaces, NetworkInterfaceIds=[interface])
    assert code == "InvalidNetworkInterfaceID.NotFound"
    until(lambda: not [name for name in netns.names() if instance in name], "its namespace gone")
    assert not os.path.exists(f"/run/{daemon.name}/instances/{instance}/process")


def test_who_will_not_end_is_killed(daemon, aws, subnet):
    instance = daemon.run(subnet, "/usr/bin/python3", "-c", "import signal; signal.signal(15, 1); signal.pause()")
    daemon.linkway("terminate", instance)
    assert state(aws, instance) == "terminated"


def test_addresses_and_groups_that_do_not_fit(daemon, aws, subnet):
    foreign = aws.group(aws.vpc())
    for options, said in [
        (["--private-ip", "10.9.9.9"], "10.9.9.9"),
        (["--private-ip", "10.0.0.2"], "10.0.0.2"),
        (["--security-group", foreign], foreign),
    ]:
        done = daemon.linkway("run", "--subnet", subnet, *options, "--", "true", check=False)
        assert done.returncode == 125 and said in done.stderr, done.stderr
    assert aws.ec2.describe_network_interfaces()["NetworkInterfaces"] == []


@pytest.mark.parametrize("how", ["netns", "pid", "proc"])
def test_a_namespace_that_exists_is_given_an_interface(daemon, aws, subnet, how):
    group = aws.group(aws.ec2.describe_subnets(SubnetIds=[subnet])["Subnets"][0]["VpcId"], ("-1", None, "10.0.0.0/16"))
    instance = daemon.run(subnet, "sleep", "infinity", groups=[group])
    with netns.Namespace("box") as box:
        where = ["--netns", box.path]
        if how == "pid":
            where = ["--pid", netns_pid(box)]
        elif how == "proc":
            where = ["--netns", f"/proc/{netns_pid(box)}/ns/net"]
        interface = daemon.linkway(
            "attach", "--subnet", subnet, "--security-group", group, "--private-ip", "10.0.0.88",
            "--device", "vpc0", *where,
        ).stdout.strip()
        assert "10.0.0.88/24" in box.ip("-brief", "address", "show", "dev", "vpc0")
        box.run("ping", "-c", "1", "-W", "2", aws.address(instance))
        [described] = aws.ec2.describe_network_interfaces(NetworkInterfaceIds=[interface])["NetworkInterfaces"]
        assert described["PrivateIpAddress"] == "10.0.0.88" and described["Status"] == "in-use"
        daemon.linkway("detach", interface)
        assert "vpc0" not in box.ip("-brief", "link")
        code, _ = refusal(aws.ec2.describe_network_interfaces, NetworkInterfaceIds=[interface])
        assert code == "InvalidNetworkInterfaceID.NotFound"


def netns_pid(box):
    """A process in the namespace."""
    return box.start("sleep", "infinity").pid


def test_attaching_where_nothing_is(daemon, aws, subnet):
    done = daemon.linkway("attach", "--subnet", subnet, "--netns", "/run/netns/no-such", check=False)
    assert done.returncode == 1 and "/run/netns/no-such" in done.stderr
    with netns.Namespace("box") as box:
        box.ip("link", "add", "eth0", "type", "veth", "peer", "name", "other")
        done = daemon.linkway("attach", "--subnet", subnet, "--netns", box.path, check=False)
        assert done.returncode == 1 and "eth0" in done.stderr, done.stderr
    assert aws.ec2.describe_network_interfaces()["NetworkInterfaces"] == []
