"""Measures the hot paths beside their naive twins, and the running stage end to end."""

import argparse
import subprocess
import sys

from dev_cli.failure import Failure
from dev_cli.paths import ROOT, python_environment

_FOLDER = ROOT / "tests" / "benchmarks"


def benchmarks() -> list[str]:
    """List the benchmarks: every module with a command line of its own."""
    return sorted(path.stem for path in _FOLDER.glob("*.py") if 'if __name__ == "__main__"' in path.read_text())


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take the benchmarks' names."""
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"all, when none is given: {', '.join(benchmarks())}")


def run(arguments: argparse.Namespace) -> int:
    """Run them one after the other: side by side they would measure each other."""
    unknown = sorted(set(arguments.names) - set(benchmarks()))
    if unknown:
        raise Failure(f"no such benchmark: {', '.join(unknown)}.", advice=f"There are: {', '.join(benchmarks())}")
    failed = []
    for name in arguments.names or benchmarks():
        print(f"\n== {name}", flush=True)
        command = [sys.executable, "-m", f"tests.benchmarks.{name}"]
        if subprocess.run(command, cwd=ROOT, env=python_environment(), check=False).returncode:
            failed.append(name)
    if failed:
        print(f"\ncould not measure: {', '.join(failed)}", file=sys.stderr)
    return int(bool(failed))
