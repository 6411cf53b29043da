"""Makes the Python environments beside .venv, each from one group of uv.lock."""

import os
from pathlib import Path

from dev_cli.paths import ROOT, UV, VENV_BIN
from local_stage.supervisor.steps import StepContext

_STAMP = "gochat-uv.lock"


def is_synced(environment: Path) -> bool:
    """Tell whether an environment was made from uv.lock as it is now."""
    stamp = environment / _STAMP
    python = environment / "bin" / "python"
    return python.exists() and stamp.is_file() and stamp.read_bytes() == (ROOT / "uv.lock").read_bytes()


def sync_group(context: StepContext, group: str, environment: Path) -> None:
    """Make an environment hold just one group of uv.lock."""
    context.run(
        [UV, "sync", "--frozen", "--only-group", group, "--python", (VENV_BIN / "python").resolve()],
        env={**os.environ, "UV_PROJECT_ENVIRONMENT": str(environment)},
        cwd=ROOT,
    )
    (environment / _STAMP).write_bytes((ROOT / "uv.lock").read_bytes())
