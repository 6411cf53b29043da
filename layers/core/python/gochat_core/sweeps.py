"""Runs the duties of a scheduled sweep: each bounded in time, none stopped by another one's failure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools import Logger

from gochat_core.clock import Clock
from gochat_core.errors import Unavailable
from gochat_core.metrics import Metrics

Counts = Mapping[str, int]
"""What a duty did, by the name of its metric (`WentOffline`)."""


@dataclass(frozen=True, kw_only=True)
class TimeLimit:
    """Until when a duty may begin another piece of its work; every piece is short."""

    clock: Clock
    ends_at_ms: int

    def is_over(self) -> bool:
        """Tell whether to stop; what is left is done by the next sweep."""
        return self.clock.now_ms() >= self.ends_at_ms


@dataclass(frozen=True, kw_only=True)
class Duty:
    """One thing that a sweep does; idempotent, and safe while another sweep does the same."""

    name: str
    limit_s: float
    run: Callable[[TimeLimit], Counts]


def run_duties(duties: Sequence[Duty], *, clock: Clock, logger: Logger, metrics: Metrics) -> dict[str, Any]:
    """Run the duties one after the other, with one log line and one line of metrics each; never raises.

    Returns what each did, and under `failed` the names of those that did not come to their end. Those are not repeated:
    the next sweep is a minute away.
    """
    done: dict[str, Any] = {"failed": []}
    for duty in duties:
        began_ms = clock.now_ms()
        extra: dict[str, Any] = {"duty": duty.name}
        failed = 0
        counts: Counts = {}
        try:
            counts = duty.run(TimeLimit(clock=clock, ends_at_ms=began_ms + int(duty.limit_s * 1000)))
        except Unavailable as away:
            failed = 1
            logger.warning("duty put off", extra={**extra, "cause": repr(away.__cause__ or away)})
        except Exception:
            # The boundary of a duty: the others have nothing to do with what went wrong in this one.
            failed = 1
            logger.exception("duty failed", extra=extra)
        took_ms = clock.now_ms() - began_ms
        if failed:
            done["failed"].append(duty.name)
        else:
            done[duty.name] = dict(counts)
            logger.info("duty done", extra={**extra, **counts, "took_ms": took_ms})
        metrics.emit(
            {
                "DutyFailed": ("Count", failed),
                "DutyDuration": ("Milliseconds", took_ms),
                **{name: ("Count", count) for name, count in counts.items()},
            },
            duty=duty.name,
        )
    return done
