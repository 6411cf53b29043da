"""This code runs on a schema that is ahead of it: whoever goes back a release finds one, for migrations stay.

Any other test can be run so by hand: `./dev test --schema=grown tests/integration`.
"""

import re
import subprocess
import sys

import pytest

from dev_cli.paths import ROOT

REPRESENTATIVE = (
    "gateway/test_messages.py",
    "messages/test_groups.py",
    "messages/test_receipts.py",
    "messages/test_rpc.py",
    "messages/test_mutations.py",
    "messages/test_pushes.py",
    "repo/test_connections.py",
    "rest/test_contacts.py",
    "rest/test_conversations.py",
    "rest/test_groups.py",
    "rest/test_history.py",
    "rest/test_idempotency.py",
    "rest/test_list_preferences.py",
    "rest/test_profiles.py",
    "rest/test_push_settings.py",
    "sweeps/test_retention.py",
    "sweeps/test_rows.py",
    "sync/test_sync.py",
)


@pytest.mark.timeout(400)
def test_accounts_messages_groups_contacts_pushes_and_sync_work_on_a_schema_that_is_ahead() -> None:
    modules = [f"tests/integration/{name}" for name in REPRESENTATIVE]
    arguments = ["--schema=grown", "-q", "-p", "no:cacheprovider", *modules]
    done = subprocess.run([sys.executable, "-m", "pytest", *arguments], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-10_000:]
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed is not None
    assert int(passed[1]) > 150
