"""Runs the checks, then every test; names of tests and options of pytest run just those, without the checks."""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

from dev_cli.commands import check
from dev_cli.failure import Failure
from dev_cli.paths import LOGS, ROOT, python_environment
from dev_cli.setup.machine import NETWORK, set_up_machine
from dev_cli.setup.node import node_environment

PASSES_ARGUMENTS_ON = True

ON_THE_STAGE = ("tests/flows", "tests/web")
"""Tests that wait for the deployed stage most of their time: they run beside all others, in a process of their own."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("rest", nargs="*", metavar="PYTEST-ARGUMENT", help="passed on to pytest, for example -k login")


def run(arguments: argparse.Namespace) -> int:
    """Install what the tests need, then run the selected tests, or without a selection the checks and every test."""
    set_up_machine(with_java=True, with_browser=True)
    if arguments.rest:
        return subprocess.call(_pytest(*map(_from_caller, arguments.rest)), cwd=ROOT, env=_environment())
    _build_packages()
    return _run_everything()


def _build_packages() -> None:
    """Build the bundles that tests look through: from here on no test needs the package index."""
    print("Building the packages for Lambda …", flush=True)
    if subprocess.call([sys.executable, "-m", "cdk_app.bundling", "dev", "local"], cwd=ROOT, env=_environment()):
        raise Failure("the packages could not be built; the lines above say why.", advice=NETWORK)


def _environment() -> dict[str, str]:
    """Give the environment that finds our modules, and our Node where the machine has none."""
    return {**python_environment(), "JSII_NODE": node_environment()["JSII_NODE"]}


def _run_everything() -> int:
    """Run the stage's tests beside the checks and all other tests; show theirs when the others are done."""
    LOGS.mkdir(parents=True, exist_ok=True)
    report = LOGS / "test-stage.log"
    began_s = time.monotonic()
    print(f"{' and '.join(ON_THE_STAGE)} run beside the rest: {report.relative_to(ROOT)}", flush=True)
    with report.open("wb") as output:
        beside = subprocess.Popen(
            _pytest(*ON_THE_STAGE),
            cwd=ROOT,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    faults = check.run(argparse.Namespace(names=[]))
    others = subprocess.call(_pytest(*(f"--ignore={folder}" for folder in ON_THE_STAGE)), cwd=ROOT, env=_environment())
    if beside.poll() is None:
        print(f"Waiting for {' and '.join(ON_THE_STAGE)} …", flush=True)
    on_the_stage = beside.wait()
    print(report.read_text(errors="replace"))
    outcomes = {"checks": faults, "tests on the stage": on_the_stage, "all other tests": others}
    for name, code in outcomes.items():
        print(f"{'failed' if code else 'ok':<7} {name}")
    print(f"{time.monotonic() - began_s:.0f} s", flush=True)
    return next((code for code in outcomes.values() if code), 0)


def _pytest(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "pytest", *arguments]


def _from_caller(argument: str) -> str:
    """Turn a path that is relative to where ./dev was called into an absolute one; leave all else alone."""
    path, *selection = argument.split("::")
    found = Path(os.environ.get("GOCHAT_CALLER_CWD", ROOT)) / path
    return "::".join([str(found), *selection]) if path and found.exists() else argument
