"""Stops the local stage and removes what it kept, also after a crash."""

import argparse

from dev_cli.stage import stop_stage


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options: there are none."""
    del parser


def run(arguments: argparse.Namespace) -> int:
    """Stop everything; nothing to stop is fine too."""
    del arguments
    print("The stage is down." if stop_stage() else "No stage was running.")
    return 0
