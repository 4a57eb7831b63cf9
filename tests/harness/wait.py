"""Waiting for states, with a bound. Nothing here sleeps in place of a state."""

import os
import time

# Where the machine is slow, an emulated one for example, all bounds are so many times as long.
PATIENCE = float(os.environ.get("LINKWAY_PATIENCE", "1"))


class TookTooLong(AssertionError):
    """What was waited for did not come."""


def until(condition, what, within=20.0, period=0.02):
    """Call `condition` until what it returns is true, and return that. `what` is said when it does not come."""
    within *= PATIENCE
    deadline = time.monotonic() + within
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise TookTooLong(f"{what}: not within {within:g} s; last seen: {found!r}")
        time.sleep(period)
