"""Fixtures: daemons of the tests' own, always taken down, with an upstream name server that the tests answer for."""

import os
import signal
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from harness.aws import Account  # noqa: E402
from harness.daemon import Daemon, binary  # noqa: E402
from harness.dns import Upstream  # noqa: E402
from harness.postgres import Cluster  # noqa: E402

PROGRAMS = Path(__file__).parent / "programs"
DAEMONS = []


def pytest_sessionstart():
    """Say at once what would otherwise fail a hundred times."""
    # Run in the background of a script, everything would inherit that Ctrl-C is ignored; some tests press it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if os.geteuid() != 0:
        pytest.exit("these tests make network namespaces and load packet programs: run them as root", 2)
    if not binary().exists():
        pytest.exit(f"there is no {binary()}: run `cargo build --package linkway`, or set LINKWAY", 2)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Where a test fails, what the daemons logged is part of the report."""
    report = yield
    if report.failed:
        for daemon in DAEMONS:
            if daemon.log_path.exists():
                report.sections.append((f"log of the daemon {daemon.name}", daemon.log(40)))
    return report


@pytest.fixture(scope="session")
def upstream():
    """The name server that daemons ask for names that are not theirs."""
    server = Upstream()
    yield server
    server.close()


@pytest.fixture(scope="session")
def shared_daemon(upstream):
    """One daemon for all tests that do no harm to it."""
    with Daemon(arguments=["--ephemeral", "--upstream", upstream.address]) as daemon:
        DAEMONS.append(daemon)
        yield daemon
        DAEMONS.remove(daemon)


@pytest.fixture
def daemon(shared_daemon, upstream):
    """That daemon, with nothing in it."""
    upstream.records.clear()
    upstream.questions.clear()
    yield shared_daemon
    shared_daemon.reset()


@pytest.fixture
def own_daemon(upstream):
    """Makes daemons for a test alone; call it with what `Daemon` takes."""
    made = []

    def make(arguments=("--ephemeral",), **options):
        daemon = Daemon(arguments=[*arguments, "--upstream", upstream.address], **options)
        made.append(daemon)
        DAEMONS.append(daemon)
        return daemon

    yield make
    errors = []
    for daemon in made:
        DAEMONS.remove(daemon)
        try:
            daemon.down()
        except AssertionError as error:
            errors.append(error)
    if errors:
        raise errors[0]


@pytest.fixture
def aws(daemon):
    """boto3 and the AWS CLI for the first account."""
    return Account.first(daemon)


@pytest.fixture
def other(daemon):
    """The same for another account."""
    return Account.new(daemon, "210987654321")


@pytest.fixture
def postgres():
    """A PostgreSQL cluster that nothing serves yet."""
    cluster = Cluster()
    yield cluster
    cluster.remove()


@pytest.fixture(scope="session")
def programs():
    """The directory of small programs that run as instances."""
    return PROGRAMS
