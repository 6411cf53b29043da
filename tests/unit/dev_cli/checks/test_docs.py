"""The check that the docs name only what exists."""

import pytest

from dev_cli.checks import docs
from dev_cli.paths import ROOT
from dev_cli.registry import COMMANDS


def test_commands_are_found_in_shell_blocks_and_in_the_text() -> None:
    page = "Run `./dev check`.\n\n```sh\n./dev up --detach   # starts it\n$ ./dev down\nls\n```\n"
    assert sorted(docs.commands_in(page)) == ["./dev check", "./dev down", "./dev up --detach"]


@pytest.mark.parametrize("command", ["./dev fly", "./dev up --sideways", "./dev synth --stage moon"])
def test_a_command_that_would_be_refused_is_a_fault(command: str) -> None:
    assert docs.fault_of_command(command)


@pytest.mark.parametrize(
    "command", ["./dev", "./dev up --detach --kafka apache", "./dev test -k login", "./dev COMMAND"]
)
def test_a_command_that_runs_is_none(command: str) -> None:
    assert docs.fault_of_command(command) == ""


def test_only_paths_that_begin_in_the_root_are_taken_as_paths() -> None:
    assert list(docs.paths_in("See `docs/nowhere.md`, `dev_cli/paths.py` and `application/json`.")) == [
        "docs/nowhere.md",
        "dev_cli/paths.py",
    ]


def test_the_readme_names_the_commands_that_one_begins_with() -> None:
    named = {command.split()[1] for command in docs.commands_in((ROOT / "README.md").read_text())}
    assert {"up", "down", "test", "check", "chat", "deploy"} <= named
    assert named <= set(COMMANDS)
