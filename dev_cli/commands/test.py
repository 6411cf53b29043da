"""Runs the checks, then every test; names of tests and options of pytest run just those, without the checks."""

import argparse
import os
import subprocess
import sys
from pathlib import Path

from dev_cli.commands import check
from dev_cli.failure import Failure
from dev_cli.paths import ROOT, python_environment
from dev_cli.setup.machine import NETWORK, set_up_machine
from dev_cli.setup.node import node_environment

PASSES_ARGUMENTS_ON = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("rest", nargs="*", metavar="PYTEST-ARGUMENT", help="passed on to pytest, for example -k login")


def run(arguments: argparse.Namespace) -> int:
    """Install what the tests need, hold the checks unless single tests are asked for, and run pytest."""
    set_up_machine(with_java=True)
    if not arguments.rest:
        _fetch_packages()
    checks = 0 if arguments.rest else check.run(argparse.Namespace(names=[]))
    pytest = subprocess.run(
        [sys.executable, "-m", "pytest", *map(_from_caller, arguments.rest)],
        cwd=ROOT,
        env=_environment(),
        check=False,
    )
    return pytest.returncode or checks


def _fetch_packages() -> None:
    """Build the bundles that tests look through: from here on no test needs the network."""
    print("Building the packages for Lambda …", flush=True)
    command = [sys.executable, "-m", "cdk_app.bundling", "dev", "local"]
    if subprocess.run(command, cwd=ROOT, env=_environment(), check=False).returncode:
        raise Failure("the packages could not be built; the lines above say why.", advice=NETWORK)


def _environment() -> dict[str, str]:
    """Give the environment that finds our modules, and our Node where the machine has none."""
    return {**python_environment(), "JSII_NODE": node_environment()["JSII_NODE"]}


def _from_caller(argument: str) -> str:
    """Turn a path that is relative to where ./dev was called into an absolute one; leave all else alone."""
    path, *selection = argument.split("::")
    found = Path(os.environ.get("GOCHAT_CALLER_CWD", ROOT)) / path
    return "::".join([str(found), *selection]) if path and found.exists() else argument
