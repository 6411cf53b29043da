"""The command line of ./dev."""

import json
import os
import subprocess
import time
from pathlib import Path

import pytest

from dev_cli import __main__ as dev
from dev_cli.paths import ROOT
from dev_cli.registry import COMMANDS, load_command, summary


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_summary_and_tells_its_options(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert summary(load_command(name)).endswith((".", ")."))
    assert dev.main(["help", name]) == 0
    assert f"./dev {name}" in capsys.readouterr().out


def test_without_a_command_the_commands_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert dev.main([]) == 0
    listed = capsys.readouterr().out
    assert all(f"  {name} " in listed for name in COMMANDS)


def test_an_unknown_command_is_refused_with_a_way_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert dev.main(["fly"]) == 2
    assert "./dev help" in capsys.readouterr().err


def test_status_without_a_stage_says_so_and_exits_with_3(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GOCHAT_HOME", str(tmp_path))
    assert dev.main(["status", "--json"]) == 3
    told = json.loads(capsys.readouterr().out)
    assert (told["serving"], told["http_url"], told["websocket_url"]) == (False, None, None)


def test_down_without_a_stage_is_fine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOCHAT_HOME", str(tmp_path))
    assert dev.main(["down"]) == 0


def test_a_failure_is_told_without_a_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GOCHAT_HOME", str(tmp_path))
    assert dev.main(["logs"]) == 1
    told = capsys.readouterr().err
    assert "no local stage is serving" in told
    assert "./dev up" in told


def test_the_shell_script_hands_over_quickly_from_any_folder(tmp_path: Path) -> None:
    began = time.monotonic()
    result = subprocess.run(
        [ROOT / "dev", "help"], cwd=tmp_path, capture_output=True, text=True, check=True, env=os.environ
    )
    assert "Usage: ./dev COMMAND" in result.stdout
    assert time.monotonic() - began < 30, "a warm start takes tenths of a second"
