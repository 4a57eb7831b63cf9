"""How Terraform's AWS provider waits, and writes tags."""

import botocore.exceptions

from harness.wait import until


def reaches(read, target, pending=()):
    """Poll as the provider does: until `read` answers a target state, by way of pending ones only."""
    targets = (target,) if isinstance(target, str) else target

    def look():
        state = read()
        assert state in (*targets, *pending), f"unexpected state {state!r}, wanted {targets}"
        return state if state in targets else None

    return until(look, f"the state {target}")


def gone(read, *codes):
    """Poll until reading answers that there is nothing, by a code or by an empty answer."""

    def look():
        try:
            return not read()
        except botocore.exceptions.ClientError as error:
            assert error.response["Error"]["Code"] in codes, error
            return True

    until(look, "nothing there")


def tags(**values):
    """Tags as a request has them."""
    return [{"Key": key, "Value": value} for key, value in values.items()]


def specification(kind, **values):
    """A tag specification."""
    return [{"ResourceType": kind, "Tags": tags(**values)}]
