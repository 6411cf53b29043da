"""Lets people talk on the local stage for minutes or hours while things break, and accounts for every message."""

import argparse
import os
import subprocess
import sys
from pathlib import Path

from dev_cli.paths import ROOT, python_environment

FAULTS = ("functions", "flush", "sockets", "redis", "mysql")
"""What breaks, all of it unless it is left out by an option."""

MINUTES = 5.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--minutes", type=float, help=f"how long (default {MINUTES:.0f}, unless --steps is given)")
    parser.add_argument("--steps", type=int, help="how many steps of clients at most, 1000000 for example")
    parser.add_argument("--users", type=int, default=12, help="how many people (default 12)")
    parser.add_argument("--groups", type=int, default=2, help="how many small groups, besides (default 2)")
    parser.add_argument(
        "--crowd", type=int, default=100, help="silent members of one large group of everybody (default 100; 0: none)"
    )
    parser.add_argument("--round", type=float, default=60.0, metavar="SECONDS", help="between two checks (default 60)")
    parser.add_argument("--seed", type=int, help="what people do; in which order it happens is another matter")
    parser.add_argument("--home", type=Path, metavar="FOLDER", help="the stage that runs there (default: ./dev up's)")
    for fault in FAULTS:
        parser.add_argument(f"--no-{fault}", action="store_true", help=f"leave {fault} in peace")


def run(arguments: argparse.Namespace) -> int:
    """Soak the running stage, or one of its own; 1 if anything was lost, doubled, misnumbered, drifted or not seen."""
    words = [f"--{name}={getattr(arguments, name)}" for name in ("users", "groups", "crowd", "round")]
    words += [f"--{name}={value}" for name in ("minutes", "steps", "seed") if (value := getattr(arguments, name))]
    words += [f"--no-{fault}" for fault in FAULTS if getattr(arguments, f"no_{fault}")]
    environment = python_environment()
    if arguments.home is not None:
        caller = Path(os.environ.get("GOCHAT_CALLER_CWD", ROOT))
        environment["GOCHAT_HOME"] = str((caller / arguments.home).absolute())
    command = [sys.executable, "-m", "tests.soak", *words]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
