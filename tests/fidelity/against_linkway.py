"""A plugin of pytest: moto's tests ask a daemon of Linkway's, which is wiped where they would reset moto's server.

moto's decorator points boto3 at `$TEST_SERVER_MODE_ENDPOINT` when `TEST_SERVER_MODE` is set. What is left to do is to
sign with a key that the daemon knows (`$FIDELITY_KEY`, `$FIDELITY_SECRET`), to reset by the daemon's own path, to end
a test that waits for what never comes, and to write down how each test ended: to `$FIDELITY_OUTCOMES`, a line of JSON
a test.
"""

import datetime
import json
import os
import signal
import time
import urllib.request

import pytest

# A waiter of boto3's gives up after ten minutes; nothing that a test waits for here takes one.
SECONDS = 60


class TooLong(Exception):
    """A test waited for something that did not come."""


def pytest_configure():
    """Before any test is imported, since its decorators make their mocks then."""
    from moto.core.models import ServerModeMockAWS

    made = ServerModeMockAWS.__init__

    def make(mock, *arguments, **options):
        made(mock, *arguments, **options)
        mock._fake_creds = {
            "AWS_ACCESS_KEY_ID": os.environ["FIDELITY_KEY"],
            "AWS_SECRET_ACCESS_KEY": os.environ["FIDELITY_SECRET"],
        }

    ServerModeMockAWS.__init__ = make
    sign_at_the_real_time()
    ServerModeMockAWS.reset = lambda mock: reset()


def sign_at_the_real_time():
    """Some tests set the clock; a request of another day is refused before it says what it is about."""
    from botocore import auth

    real = datetime.datetime

    def now(remove_tzinfo=True):
        # This clock is one that freezegun leaves alone.
        moment = real.fromtimestamp(time.clock_gettime(time.CLOCK_REALTIME), datetime.UTC)
        return moment.replace(tzinfo=None) if remove_tzinfo else moment

    auth.get_current_datetime = now


def reset():
    """Wipe the daemon's state."""
    url = f"{os.environ['TEST_SERVER_MODE_ENDPOINT']}/_linkway/reset"
    with urllib.request.urlopen(urllib.request.Request(url, method="POST"), timeout=30):
        pass


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """End a test that takes too long."""

    def end(*_):
        raise TooLong(f"{item.nodeid} is not through after {SECONDS} s")

    signal.signal(signal.SIGALRM, end)
    signal.alarm(SECONDS)
    try:
        return (yield)
    finally:
        signal.alarm(0)


def pytest_runtest_logreport(report):
    """Write down how a test ended: once, whichever of its phases it was that failed."""
    if report.when != "call" and report.passed:
        return
    # moto marks those of its tests that it has run against AWS itself.
    verified = "aws_verified" in report.keywords
    outcome = {"test": report.nodeid, "outcome": report.outcome, "why": why(report), "verified": verified}
    with open(os.environ["FIDELITY_OUTCOMES"], "a", encoding="utf-8") as file:
        file.write(json.dumps(outcome) + "\n")


def why(report):
    """The line that says why a test failed or was skipped."""
    if report.skipped and isinstance(report.longrepr, tuple):
        return report.longrepr[2]
    crash = getattr(report.longrepr, "reprcrash", None)
    return crash.message if crash else str(report.longrepr or "")
