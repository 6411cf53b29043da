"""Tries a deployed stage: two fresh users talk to each other over every door, and delete themselves."""

import argparse
import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from dev_cli.failure import Failure
from dev_cli.stage_names import STAGES

if TYPE_CHECKING:
    from gochat_client.steps import Timing

PATIENCE_S = 90.0
"""A paused Aurora takes up to 30 s to resume, and every function starts cold once."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--stage", choices=STAGES, help="a deployed stage: its URL is read from its stack")
    where.add_argument("--http-url", metavar="URL", help="or the HTTP URL of any stage")
    parser.add_argument(
        "--patience", type=float, default=PATIENCE_S, metavar="SECONDS", help=f"per step (default {PATIENCE_S:.0f})"
    )
    parser.add_argument("--json", action="store_true", help="print the timings as one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """Take the walk; exit code 1 with the step that failed."""
    url = arguments.http_url or find_http_url(arguments.stage)
    return smoke(str(url), patience_s=arguments.patience, as_json=arguments.json)


def find_http_url(stage: str) -> str:
    """Give the URL of a deployed stage; Failure if it is not deployed."""
    from dev_cli.aws.errors import told_as_failures
    from dev_cli.aws.stacks import output
    from dev_cli.aws.target import find_target

    with told_as_failures():
        return output(find_target(stage), "HttpUrl")


def smoke(http_url: str, *, patience_s: float = PATIENCE_S, as_json: bool = False) -> int:
    """Take the walk against this URL and tell of each step; Failure with the step that failed."""
    from dev_cli.smoke.walk import Walk
    from gochat_client.door import Door
    from gochat_client.faults import StepFailedError

    walk = Walk(
        lambda: Door(http_url, patience_s=patience_s),
        patience_s=patience_s,
        tell=_tell_nothing if as_json else _tell,
    )
    failure: StepFailedError | None = None
    try:
        walk.take()
    except StepFailedError as caught:
        failure = caught
    if as_json:
        steps = [asdict(timing) for timing in walk.steps.timings]
        print(json.dumps({"http_url": http_url, "ok": failure is None, "steps": steps}))
    if failure is not None:
        failed = walk.steps.failed or "the walk"
        raise Failure(f"{failed}: {failure.message}", advice=failure.advice)
    if not as_json:
        print(f"{http_url} works: {sum(timing.seconds for timing in walk.steps.timings):.1f} s in all.")
    return 0


def _tell(timing: "Timing") -> None:
    print(f"{'ok' if timing.ok else 'FAILED':<7}{timing.seconds * 1000:>7.0f} ms  {timing.step}", flush=True)


def _tell_nothing(timing: "Timing") -> None:
    del timing
