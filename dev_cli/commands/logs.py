"""Shows what the functions of the local stage have logged."""

import argparse
import time

from dev_cli.failure import Failure
from dev_cli.stage import serving_stage

_POLL_S = 0.5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("function", nargs="?", metavar="FUNCTION", help="for example logic-upstream (default: all)")
    parser.add_argument("--follow", action="store_true", help="go on showing new lines until Ctrl-C")


def run(arguments: argparse.Namespace) -> int:
    """Print the log lines in order of time, each with its function."""
    from local_stage.supervisor.function_logs import FunctionLogs, LogLine

    logs = FunctionLogs(str(serving_stage().aws_url))
    functions = _chosen(logs.functions(), arguments.function)
    since_ms = 0
    shown: set[LogLine] = set()
    while True:
        for line in logs.lines(functions, since_ms=since_ms):
            if line not in shown:
                shown.add(line)
                since_ms = line.timestamp_ms
                print(f"{line.function}  {line.text}", flush=True)
        if not arguments.follow:
            return 0
        time.sleep(_POLL_S)


def _chosen(known: list[str], wanted: str | None) -> list[str]:
    functions = [name for name in known if wanted is None or wanted in name]
    if not functions:
        raise Failure(
            f"there is no log of {wanted or 'any function'}.", advice=f"There are: {', '.join(known) or 'none'}."
        )
    return functions
