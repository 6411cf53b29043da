# ruff: noqa: T201  # a command prints
"""Soaks the stage that runs in GOCHAT_HOME, or one of its own: `python -m tests.soak`, started by `./dev soak`."""

import argparse
import asyncio
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from dev_cli.commands.soak import FAULTS, MINUTES, add_arguments
from dev_cli.paths import STATE, stage_home
from dev_cli.stage import find_stage
from local_stage.supervisor.state import SERVING
from tests.fixtures.stage import Stage, running_stage
from tests.soak.auditing import hear_audit
from tests.soak.soak import Plan, Soak

OWN_HOME = STATE / "soak-stage"


def main() -> int:
    """Soak and report; 1 when anything was lost, doubled, misnumbered, drifted or not seen."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_arguments(parser)
    options = parser.parse_args()
    plan = Plan(
        users=options.users,
        groups=options.groups,
        crowd=options.crowd,
        minutes=options.minutes or (None if options.steps else MINUTES),
        steps=options.steps,
        round_s=options.round,
        faults=[kind for kind in FAULTS if not getattr(options, f"no_{kind}")],
        **({} if options.seed is None else {"seed": options.seed}),
    )
    with a_stage() as stage:
        soak = Soak(stage, plan, lambda line: print(f"{time.strftime('%H:%M:%S')}  {line}", flush=True))
        began_s = time.monotonic()
        began_ms = int(time.time() * 1000)
        tally = asyncio.run(soak.run())
        hear_audit(stage, tally, since_ms=began_ms)
    print(tally.report(seconds=time.monotonic() - began_s))
    return int(bool(tally.problems))


@contextmanager
def a_stage() -> Iterator[Stage]:
    """Give the stage that serves, and leave it running; or one of the soak's own, which ends with it."""
    state = find_stage()
    if state is not None and state.phase == SERVING and state.http_url and state.websocket_url and state.aws_url:
        yield Stage(
            home=stage_home(),
            http_url=state.http_url,
            websocket_url=state.websocket_url,
            web_url=state.web_url or "",
            gateways=dict(state.gateways),
            aws_url=state.aws_url,
            services=dict(state.services),
        )
        return
    shutil.rmtree(OWN_HOME, ignore_errors=True)
    print("No stage is serving: starting one for the soak …", flush=True)
    with running_stage(OWN_HOME) as stage:
        yield stage


if __name__ == "__main__":
    sys.exit(main())
