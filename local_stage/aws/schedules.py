"""Fire schedules on time: MiniStack looks only every ten seconds, by which each minute would last up to seventy."""

from __future__ import annotations

from ministack.services import scheduler

from local_stage.aws.pinned import replace, require

LOOK_EVERY_S = 1.0

require(scheduler, "_ticker_loop", "_tick_schedules")


def install() -> None:
    """Look every second which schedules are due; the Lambda functions among their targets run as if invoked."""
    replace(scheduler, "_SCHEDULE_TICK_INTERVAL", LOOK_EVERY_S)
