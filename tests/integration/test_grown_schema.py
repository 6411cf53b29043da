"""This code runs on a schema that is ahead of it: whoever goes back a release finds one, for migrations stay.

Any other test can be run so by hand: `./dev test --schema=grown tests/integration`.
"""

import re
import subprocess
import sys

import pytest

from dev_cli.paths import ROOT

REPRESENTATIVE = (
    "messages/test_rpc.py",
    "rest/test_conversations.py",
    "rest/test_groups.py",
    "rest/test_push_settings.py",
    "sweeps/test_rows.py",
)
"""Few with a database for each test: every one has to grow."""


@pytest.mark.timeout(400)
def test_messages_groups_and_push_settings_work_on_a_schema_that_is_ahead() -> None:
    modules = [f"tests/integration/{name}" for name in REPRESENTATIVE]
    arguments = ["--schema=grown", "-q", "-p", "no:cacheprovider", *modules]
    done = subprocess.run([sys.executable, "-m", "pytest", *arguments], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-10_000:]
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed is not None
    assert int(passed[1]) > 60
