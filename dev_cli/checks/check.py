"""What a check is: a name and a function that says what is wrong."""

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dev_cli.paths import ROOT, VENV_BIN, python_environment


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that `./dev check` holds; `find_faults` gives the faults as text, empty when there are none."""

    name: str
    find_faults: Callable[[], str]


def run_tool(program: str, arguments: Sequence[str]) -> str:
    """Run a program of the development environment over the checkout; give its output if it found faults."""
    result = subprocess.run(
        [VENV_BIN / program, *arguments],
        cwd=ROOT,
        env=python_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return (result.stdout.strip() or f"{program} ended with {result.returncode}") if result.returncode else ""
