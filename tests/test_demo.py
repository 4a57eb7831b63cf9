"""The demo, to its last row."""

import os
import re
import select
import signal
import subprocess
import sys
import time

import pytest

from harness.daemon import ROOT, binary
from harness.netns import names


def test_every_row_is_as_expected():
    done = subprocess.run(
        [sys.executable, ROOT / "demo/demo.py", "--linkway", binary()],
        env=os.environ | {"DEMO_ONCE": "1"}, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=240,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    # Each command is shown before it runs.
    assert len(re.findall(r"^\w+\$ aws ec2 ", done.stdout, re.MULTILINE)) > 15
    assert not [name for name in names() if name.startswith("linkway-demo")]


def read(controller):
    """What the terminal shows next; nothing once nobody has it open any more."""
    try:
        return os.read(controller, 65536).decode(errors="replace")
    except OSError:
        return ""


def test_at_a_terminal_it_stays_until_told_to_end():
    """Under a terminal of its own, it says how to look around, and cleans up on Ctrl-C."""
    controller, terminal = os.openpty()
    demo = subprocess.Popen(
        [sys.executable, ROOT / "demo/demo.py", "--linkway", binary()],
        stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True,
        env={name: value for name, value in os.environ.items() if name != "DEMO_ONCE"},
    )
    os.close(terminal)
    shown = ""
    try:
        deadline = time.monotonic() + 240
        while not re.search(r"In another terminal:.*drops --follow", shown, re.DOTALL):
            assert select.select([controller], [], [], max(0, deadline - time.monotonic()))[0], shown
            shown += read(controller) or pytest.fail(f"it ended with status {demo.wait()}:\n{shown}")
        # What it tells people to type works.
        command = re.search(r'eval "\$\((?:sudo )?(.*? env .*?)\)"', shown)[1]
        exports = subprocess.run(command.split(), capture_output=True, text=True, check=True).stdout
        assert "export AWS_ENDPOINT_URL=" in exports
    finally:
        demo.send_signal(signal.SIGINT)
        status = demo.wait(60)
        os.close(controller)
    assert status == 0, shown
    assert not [name for name in names() if name.startswith("linkway-demo")]
