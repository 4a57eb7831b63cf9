"""Images that are imported, and instances of them."""

import os
import shutil
import subprocess
import tarfile

from harness.wait import until
from test_instances_run import Inside, console, subnet, wait  # noqa: F401 (a fixture)


def root_directory(place):
    """A small file system: a shell and what it takes, owned by another user here and there."""
    programs = ["/bin/sh", "/bin/cat", "/bin/ls", "/usr/bin/id", "/bin/sleep", "/usr/bin/stat"]
    files = set(programs)
    for program in programs:
        for line in subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout.splitlines():
            files |= {word for word in line.split() if word.startswith("/")}
    for file in files:
        target = place / file.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target)
    (place / "etc").mkdir()
    (place / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\napp:x:1000:1000::/:/bin/sh\n")
    (place / "srv").mkdir()
    (place / "srv/own").write_text("of the image\n")
    os.chown(place / "srv/own", 1000, 1000)


def test_images(daemon, aws, subnet, tmp_path):  # noqa: F811
    root_directory(tmp_path / "root")
    with tarfile.open(tmp_path / "root.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "root", ".")
    with tarfile.open(tmp_path / "evil.tar", "w") as archive:
        archive.add(tmp_path / "root/etc/passwd", "../../evil")
    done = daemon.linkway("image", "import", "evil", tmp_path / "evil.tar", check=False)
    assert done.returncode == 1 and "leads out" in done.stderr
    [one] = daemon.json("image", "import", "small", tmp_path / "root.tar.gz", "--description", "a shell")
    assert one["state"] == "available"
    [two] = daemon.json("image", "import", "as-a-directory", tmp_path / "root", "--account", aws.number)
    assert daemon.linkway("image", "import", "small", tmp_path / "root", check=False).returncode == 1
    names = {image["name"] for image in daemon.json("image", "list")}
    assert names >= {"small", "as-a-directory"} and "evil" not in names

    instances = []
    for image in (one, two):
        [found] = aws.ec2.describe_images(ImageIds=[image["id"]])["Images"]
        assert found["State"] == "available" and found["Name"] == image["name"]
        [made] = aws.ec2.run_instances(
            ImageId=image["id"], InstanceType="t3.micro", SubnetId=subnet, MinCount=1, MaxCount=1,
            UserData="#!/bin/sh\nid\ncat /srv/own\n",
        )["Instances"]
        instance = Inside(daemon, made["InstanceId"])
        wait(aws, instance.id, "running")
        until(lambda: "of the image" in console(aws, instance.id), "user data")
        assert instance.run("stat -c '%u:%g' /srv/own") == "1000:1000"
        assert not {"home", "opt", "boot"} & set(instance.run("ls /").split()), "of the host"
        instance.run("echo mine > /srv/own")
        instances.append(instance)

    # Removed, it is no image any more; its files stay while an instance is made of it.
    daemon.linkway("image", "remove", one["id"])
    directory = daemon.state_dir / "images-ephemeral"
    assert aws.ec2.describe_images(Filters=[{"Name": "name", "Values": ["small"]}])["Images"] == []
    aws.ec2.stop_instances(InstanceIds=[instances[0].id])
    wait(aws, instances[0].id, "stopped")
    aws.ec2.start_instances(InstanceIds=[instances[0].id])
    wait(aws, instances[0].id, "running")
    assert instances[0].run("cat /srv/own") == "mine"
    assert (directory / two["id"] / "srv/own").read_text() == "of the image\n"
    aws.ec2.terminate_instances(InstanceIds=[instances[0].id])
    wait(aws, instances[0].id, "terminated")
    until(lambda: not (directory / one["id"]).exists(), "the image's files are gone")
    aws.ec2.deregister_image(ImageId=two["id"])
    assert (directory / two["id"]).exists()
