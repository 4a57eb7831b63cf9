#!/usr/bin/env python3
"""Run moto's tests of the services that Linkway answers for against a daemon, and say what was not expected.

moto's source distribution, which has its tests, is brought by pip into target/fidelity; `--moto` names a checkout to
use instead. What is expected of a test is in expected.toml: one that is not there passes. `--write` writes what was
seen to docs/fidelity.md.
"""

import argparse
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from expected import Expected  # noqa: E402
from harness.daemon import ROOT, Daemon  # noqa: E402
from report import report  # noqa: E402

WORK = ROOT / "target/fidelity"
MOTO = "5.2.3"
# What moto's tests import beside moto itself, and the botocore that our shapes are from.
PACKAGES = ["boto3==1.43.11", "botocore==1.43.11", "freezegun==1.5.5", "joserfc==1.8.0", "pytest==9.2.0"]


def main():
    """Returns the exit status: 0 if all went as expected."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--moto", type=Path, help="a checkout of moto, instead of its release")
    options.add_argument("--write", action="store_true", help="write docs/fidelity.md")
    options.add_argument("-k", metavar="EXPRESSION", help="only these tests, as pytest has it")
    options = options.parse_args()
    expected = Expected.read(HERE / "expected.toml")
    moto = (options.moto or brought()).resolve()
    outcomes = run(moto, expected.files(), options.k)
    surprises = expected.surprises(outcomes, whole=options.k is None)
    if options.write and options.k is None:
        (ROOT / "docs/fidelity.md").write_text(report(expected, outcomes, MOTO), encoding="utf-8")
    passed = sum(outcome["outcome"] == "passed" for outcome in outcomes)
    print("\n".join(surprises))
    print(f"{len(outcomes)} tests, {passed} passed, {len(surprises)} not as expected")
    return 1 if surprises or not outcomes else 0


def brought():
    """The directory of moto's release, brought and unpacked unless it is there."""
    directory = WORK / f"moto-{MOTO}"
    if not directory.exists():
        WORK.mkdir(parents=True, exist_ok=True)
        source = ["--no-deps", "--no-binary", "moto", "--dest", str(WORK), f"moto=={MOTO}"]
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", *source], check=True)
        with tarfile.open(WORK / f"moto-{MOTO}.tar.gz") as archive:
            archive.extractall(WORK, filter="data")
    return directory


def python(moto):
    """The interpreter of an environment of its own, with moto in it."""
    environment = WORK / "venv"
    stamp, wanted = environment / ".installed", f"{moto} {PACKAGES}"
    if not stamp.exists() or stamp.read_text() != wanted:
        subprocess.run([sys.executable, "-m", "venv", "--clear", environment], check=True)
        install = [environment / "bin/pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, moto, *PACKAGES], check=True)
        stamp.write_text(wanted)
    return environment / "bin/python"


def run(moto, files, expression):
    """Run these files of tests. Returns how each test ended."""
    outcomes = WORK / "outcomes.jsonl"
    interpreter = python(moto)
    outcomes.write_text("")
    with Daemon() as daemon:
        known = daemon.environment()
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | {
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "FIDELITY_KEY": known["AWS_ACCESS_KEY_ID"],
            "FIDELITY_OUTCOMES": str(outcomes),
            "FIDELITY_SECRET": known["AWS_SECRET_ACCESS_KEY"],
            "PYTHONPATH": str(HERE),
            "TEST_SERVER_MODE": "true",
            "TEST_SERVER_MODE_ENDPOINT": daemon.url,
        }
        pytest = [interpreter, "-m", "pytest", "-p", "against_linkway", "-p", "no:cacheprovider", "--tb=no", "-qq", "--color=no"]
        selected = ["-k", expression] if expression else []
        present = [f"tests/{file}" for file in files]
        subprocess.run([*pytest, "--no-summary", *selected, *present], cwd=moto, env=environment, check=False)
    ended = {}
    for line in outcomes.read_text().splitlines():
        outcome = json.loads(line)
        earlier = ended.get(outcome["test"])
        # One that passed may still fail when it tidies up.
        if earlier is None or earlier["outcome"] != "failed":
            ended[outcome["test"]] = outcome
    return list(ended.values())


if __name__ == "__main__":
    sys.exit(main())
