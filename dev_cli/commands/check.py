"""Holds the house rules: format, lint, types, imports, sizes, docs, SQL and generated files."""

import argparse
import os
import time
from concurrent.futures import ThreadPoolExecutor, as_completed

from dev_cli.checks.check import Check
from dev_cli.checks.every_check import every_check
from dev_cli.failure import Failure

# Of one failed check, where several run: the rest is a command away, and the other checks stay in sight.
MAX_LINES = 40


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("names", nargs="*", metavar="CHECK", help="run only these (default: all)")


def run(arguments: argparse.Namespace) -> int:
    """Run every check, print each with its outcome and time, and fail if one failed."""
    checks = [check for check in every_check() if not arguments.names or check.name in arguments.names]
    if unknown := set(arguments.names) - {check.name for check in every_check()}:
        names = ", ".join(check.name for check in every_check())
        raise Failure(f"there is no check {', '.join(sorted(unknown))}", advice=f"There are: {names}.")
    failed = 0
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for done in as_completed([pool.submit(_run_timed, check) for check in checks]):
            name, faults, seconds = done.result()
            print(f"{'failed' if faults else 'ok':<7} {name} ({seconds:.1f} s)", flush=True)
            if faults:
                failed += 1
                _print_faults(name, faults.splitlines(), everything=len(checks) == 1)
    print(f"{len(checks) - failed} of {len(checks)} checks passed.")
    return 1 if failed else 0


def _run_timed(check: Check) -> tuple[str, str, float]:
    began = time.monotonic()
    faults = check.find_faults().strip()
    return check.name, faults, time.monotonic() - began


def _print_faults(name: str, lines: list[str], *, everything: bool) -> None:
    shown = lines if everything else lines[:MAX_LINES]
    print("\n".join(f"        {line}" for line in shown), flush=True)
    if len(lines) > len(shown):
        print(f"        … and {len(lines) - len(shown)} lines more: ./dev check '{name}'", flush=True)
