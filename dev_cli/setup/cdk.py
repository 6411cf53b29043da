"""Installs the pinned packages from npm, the CDK CLI and the compiler for Lambda, and tells how to run the CLI."""

import shutil
from pathlib import Path

from dev_cli.paths import NODE
from dev_cli.setup.node import node_environment, npm_command
from local_stage.supervisor.steps import StepContext

# Written by `npm install --package-lock-only --omit-lockfile-registry-resolved`: a lock that names no registry.
LOCK_FOLDER = Path(__file__).with_name("node_packages")
_FILES = ("package.json", "package-lock.json")
_STAMP = "gochat-package-lock.json"


def is_installed() -> bool:
    """Tell whether the packages of our lock file are there."""
    stamp = NODE / _STAMP
    return stamp.is_file() and stamp.read_bytes() == (LOCK_FOLDER / "package-lock.json").read_bytes()


def install(context: StepContext) -> None:
    """Install the packages that the lock file names, with their hashes."""
    NODE.mkdir(parents=True, exist_ok=True)
    for name in _FILES:
        shutil.copyfile(LOCK_FOLDER / name, NODE / name)
    context.run([*npm_command(), "ci", "--no-audit", "--no-fund", "--loglevel=error"], env=node_environment(), cwd=NODE)
    shutil.copyfile(LOCK_FOLDER / "package-lock.json", NODE / _STAMP)


def cdk_command() -> list[str]:
    """Give the words that run the CLI."""
    return [node_environment()["JSII_NODE"], str(NODE / "node_modules" / "aws-cdk" / "bin" / "cdk")]


def cdk_environment() -> dict[str, str]:
    """Give the environment for the CLI: with Node, without telemetry."""
    return {**node_environment(), "CDK_DISABLE_CLI_TELEMETRY": "true"}
