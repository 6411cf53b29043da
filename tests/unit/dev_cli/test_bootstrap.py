"""The shell script ./dev on machines without a usable Python."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from dev_cli.paths import ROOT

UTILITIES = ("cat", "cmp", "cp", "dirname", "id", "mkdir", "rm", "sh", "tail")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Make a checkout with the script and nothing else, and a PATH with the most common programs."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    shutil.copy(ROOT / "dev", folder / "dev")
    (folder / "uv.lock").touch()
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in UTILITIES:
        found = shutil.which(name)
        assert found is not None
        (programs / name).symlink_to(found)
    return folder


def run_dev(checkout: Path) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": str(checkout.parent / "bin"), "HOME": os.environ.get("HOME", "/")}
    return subprocess.run(
        [checkout / "dev", "help"],
        env=environment,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )


def test_without_python_it_says_which_one_to_install_and_how(checkout: Path) -> None:
    result = run_dev(checkout)
    assert result.returncode == 1
    assert "GoChat needs Python 3.11 to 3.14" in result.stderr
    assert "apt-get install python3 python3-venv" in result.stderr
    assert "brew install" in result.stderr


def test_a_python_that_is_too_old_is_not_taken(checkout: Path) -> None:
    old = checkout.parent / "bin" / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    assert "GoChat needs Python 3.11 to 3.14" in run_dev(checkout).stderr


def test_a_failing_apt_shows_its_last_words(checkout: Path) -> None:
    apt = checkout.parent / "bin" / "apt-get"
    apt.write_text("#!/bin/sh\necho 'E: no space left'\nexit 100\n")
    apt.chmod(0o755)
    for name, script in (("sudo", 'shift; exec "$@"'), ("env", 'shift; exec "$@"')):
        path = checkout.parent / "bin" / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
    result = run_dev(checkout)
    assert result.returncode == 1
    assert "E: no space left" in result.stderr
