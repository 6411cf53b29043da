"""Everything but presence, rate limits and counted round trips passes with Redis stopped, each call within its time.

Any other test can be run so by hand: `./dev test --redis=stopped tests/integration`.
"""

import re
import subprocess
import sys

import pytest

from dev_cli.paths import ROOT

REPRESENTATIVE = (
    "gateway/test_messages.py",
    "messages/test_mutations.py",
    "messages/test_offline_tasks.py",
    "messages/test_receipts.py",
    "messages/test_rpc.py",
    "messages/test_upstream_batch.py",
    "rest/test_conversations.py",
    "rest/test_ending_logins.py",
    "rest/test_profiles.py",
    "sync/test_sync.py",
)


@pytest.mark.timeout(400)
def test_with_redis_stopped_accounts_messages_conversations_and_sync_work() -> None:
    modules = [f"tests/integration/{name}" for name in REPRESENTATIVE]
    arguments = ["--redis=stopped", "-q", "-p", "no:cacheprovider", *modules]
    done = subprocess.run([sys.executable, "-m", "pytest", *arguments], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-10_000:]
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed is not None
    assert int(passed[1]) > 120
