"""Stops the local stage and forgets all that it and the set-up have kept in .gochat."""

import argparse
import shutil

from dev_cli.paths import STATE
from dev_cli.stage import stop_stage

# The Python tools of ./dev itself, which is running from them.
KEPT = {"bootstrap", "uv.lock.installed"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options: there are none."""
    del parser


def run(arguments: argparse.Namespace) -> int:
    """Leave a checkout as after its first ./dev help; the next ./dev up installs and synthesizes anew."""
    del arguments
    stop_stage()
    for path in STATE.iterdir():
        if path.name in KEPT:
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    print("The stage is down, and .gochat holds nothing but the tools of ./dev.")
    return 0
