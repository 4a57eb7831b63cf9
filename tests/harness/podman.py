"""podman with storage, networks and an image of a test's own, where it is installed."""

import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

import pytest

from harness.daemon import ROOT

PACKAGES = ("podman", "runc")

# Where a Debian's programs and libraries are, for those who look elsewhere.
LINKS = {"bin": "usr/bin", "sbin": "usr/sbin", "lib": "usr/lib", "lib64": "usr/lib64"}

# Nothing of the host's configuration; limits that a process may set without CAP_SYS_RESOURCE.
CONFIGURATION = """
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
[network]
network_backend = "cni"
cni_plugin_dirs = ["{plugins}"]
network_config_dir = "{networks}"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
tmp_dir = "{directory}/tmp"
"""


class Podman:
    """podman, with the image `box`, which has the host's programs, and those of the tests in `/programs`."""

    def __init__(self, plugins):
        if not (shutil.which("podman") and shutil.which("runc")):
            pytest.skip(f"podman is not installed: apt-get install --no-install-recommends {' '.join(PACKAGES)}")
        # podman takes no path for what runs that is longer than 50 characters.
        self.directory = directory = Path(tempfile.mkdtemp(prefix="lwp-", dir="/tmp"))
        self.networks = directory / "networks"
        self.networks.mkdir()
        self.configuration = directory / "containers.conf"
        self.configuration.write_text(
            CONFIGURATION.format(plugins=plugins, networks=self.networks, directory=directory)
        )
        image = directory / "box.tar"
        with tarfile.open(image, "w") as archive:
            for name, target in LINKS.items():
                link = tarfile.TarInfo(name)
                link.type, link.linkname = tarfile.SYMTYPE, target
                archive.addfile(link)
        self("import", image, "box")

    def network(self, plugin):
        """Have the network that a plugin is configured for, by its name."""
        fields = dict(plugin.configuration)
        listed = {"cniVersion": "1.0.0", "name": fields.pop("name"), "plugins": [fields]}
        del fields["cniVersion"]
        (self.networks / f"{listed['name']}.conflist").write_text(json.dumps(listed))

    def run(self, network, *command, options=(), **others):
        """Run a command in a container of a network."""
        mounts = ["--volume", "/usr:/usr:ro", "--volume", f"{ROOT / 'tests/programs'}:/programs:ro"]
        return self("run", "--network", network, *mounts, *options, "box", *command, **others)

    def __call__(self, *arguments, check=True, **environment):
        """Run a command of podman's. Returns the finished process."""
        storage = ["--root", self.directory / "root", "--runroot", self.directory / "run", "--storage-driver", "vfs"]
        done = subprocess.run(
            ["podman", *storage, *map(str, arguments)], capture_output=True, text=True, timeout=120,
            env=os.environ | {"CONTAINERS_CONF": str(self.configuration)} | environment,
        )
        assert not check or done.returncode == 0, (arguments, done.stdout, done.stderr)
        return done

    def remove(self):
        """End all containers, and remove them and all else."""
        self("rm", "--all", "--force", "--time", "0")
        shutil.rmtree(self.directory)
