"""Writes what is generated: the protobuf stubs, docs/code-map.md and docs/errors.md."""

import argparse

from dev_cli.generation.generated import stale_files
from dev_cli.paths import ROOT


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options: there are none."""
    del parser


def run(arguments: argparse.Namespace) -> int:
    """Write every generated file that is not as its source says."""
    del arguments
    stale = stale_files()
    for path, text in stale.items():
        if text is None:
            path.unlink()
            print(f"removed {path.relative_to(ROOT)}")
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            print(f"wrote {path.relative_to(ROOT)}")
    if not stale:
        print("Everything generated is up to date.")
    return 0
