"""A container runtime's part: `linkway-cni` called as CNI's specification says."""

import json
import os
import subprocess

from harness.daemon import binary



class Plugin:
    """The plugin, under its name in a directory of its own, with a network's configuration."""

    def __init__(self, directory, daemon, **configuration):
        self.directory = directory
        self.path = directory / "linkway-cni"
        if not self.path.exists():
            self.path.symlink_to(binary())
        self.configuration = {
            "cniVersion": "1.1.0", "name": "net", "type": "linkway-cni", "stateDir": str(daemon.state_dir)
        } | configuration

    def configured(self, **configuration):
        """The same with other fields; those that are `None` are left out."""
        other = object.__new__(Plugin)
        other.directory, other.path = self.directory, self.path
        fields = self.configuration | configuration
        other.configuration = {name: value for name, value in fields.items() if value is not None}
        return other

    def run(self, command, configuration=None, stdout=subprocess.PIPE, **variables):
        """Run it, with a configuration as text instead of its own if one is given. Returns the finished process."""
        if configuration is None:
            configuration = json.dumps(self.configuration)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("CNI_")}
        variables = {"CNI_COMMAND": command, "CNI_PATH": str(self.directory)} | variables
        environment = kept | {name: str(value) for name, value in variables.items() if value is not None}
        done = subprocess.run(
            [self.path], env=environment, input=configuration, stdout=stdout, stderr=subprocess.PIPE, text=True,
            timeout=60, cwd="/",
        )
        assert done.stderr == "", done.stderr
        return done

    def call(self, command, **options):
        """Call it. Returns its status, and what it printed: JSON or nothing."""
        done = self.run(command, **options)
        return done.returncode, json.loads(done.stdout) if done.stdout else None

    def refused(self, command, **options):
        """Call it where it must refuse. Returns the error's code and details."""
        status, answer = self.call(command, **options)
        assert status == 1, answer
        assert set(answer) == {"cniVersion", "code", "msg", "details"}, answer
        return answer["code"], answer["details"]

    def add(self, container, box, ifname="eth0", **variables):
        """ADD. Returns the result."""
        status, answer = self.call("ADD", **names(container, box.path, ifname), **variables)
        assert status == 0, answer
        return answer

    def check(self, container, box, result, ifname="eth0"):
        """CHECK, with a result of ADD's. Returns `None`, or the error."""
        plugin = self.configured(prevResult=result)
        status, answer = plugin.call("CHECK", **names(container, box.path, ifname))
        assert (status == 0) == (answer is None)
        return answer

    def delete(self, container, box=None, ifname="eth0"):
        """DEL, which must succeed."""
        done = self.call("DEL", **names(container, box and box.path, ifname))
        assert done == (0, None), done


def names(container, path, ifname="eth0"):
    """The variables of a container's interface."""
    return {"CNI_CONTAINERID": container, "CNI_NETNS": path, "CNI_IFNAME": ifname}


def address(result, index=-1):
    """An address of a result, without the length of its prefix."""
    return result["ips"][index]["address"].split("/")[0]
