"""Finds the programs that bundling starts: uv, and a Python of the release that will run the code."""

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent


@cache
def find_uv() -> Path:
    """Return uv: the one on the PATH, or the one that ./dev has put beside the checkout."""
    found = shutil.which("uv") or shutil.which("uv", path=str(_ROOT / ".gochat" / "bootstrap" / "bin"))
    if not found:
        raise FileNotFoundError("uv is not installed: run ./dev help once, or see https://docs.astral.sh/uv/")
    return Path(found)


@cache
def find_interpreter(release: str) -> Path | None:
    """Return an interpreter of this release (`3.13`), or None where this machine has none; downloads nothing."""
    if release == f"{sys.version_info.major}.{sys.version_info.minor}":
        return Path(sys.executable)
    found = subprocess.run(
        [str(find_uv()), "python", "find", "--no-python-downloads", "--no-project", "--system", release],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "UV_NO_CONFIG": "1"},
    )
    return Path(found.stdout.strip()) if found.returncode == 0 else _find_pyenv_interpreter(release)


def _find_pyenv_interpreter(release: str) -> Path | None:
    """Look where pyenv keeps its interpreters: what it puts on the PATH runs only in folders that select a release."""
    versions = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    found = sorted(versions.glob(f"{release}.*/bin/python{release}"))
    return found[-1] if found else None
