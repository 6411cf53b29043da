import subprocess
import sys

import pytest

from dev_cli.paths import ROOT, python_environment
from tests.fixtures.stage import Stage


@pytest.mark.timeout(600)
def test_a_short_soak_with_faults_accounts_for_every_message(stage: Stage) -> None:
    words = ["soak", f"--home={stage.home}", "--minutes=0.4", "--round=12", "--users=5", "--no-mysql"]
    done = subprocess.run(
        [sys.executable, "-m", "dev_cli", *words],
        cwd=ROOT,
        env=python_environment(),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    report = dict(line.strip().split("  ", 1) for line in done.stdout.splitlines() if line.startswith("  "))
    account = {name: text.strip() for name, text in report.items()}
    assert account["accepted"] == account["stored"] != "0"
    assert [account[name] for name in ("lost", "doubled", "misnumbered", "drifted", "unseen", "other")] == ["0"] * 6
