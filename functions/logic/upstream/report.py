"""Tells what a batch did: one log line, one line of metrics, and its part in the messages' traces."""

import traceback
from collections.abc import Sequence

from gochat_aws.kafka_event import IncomingRecord
from gochat_core.tracing import parse_trace
from logic.upstream.batch import Verdicts
from logic.upstream.wiring import Wiring

MAX_TRACES = 20
"""Trace ids that a log line names: enough to find a batch by one of its messages, not to double its price."""

SAMPLED = "Sampled=1"

COUNTED = {
    "Stored": "stored",
    "Duplicates": "duplicate",
    "Changed": "changed",
    "Unchanged": "unchanged",
    "Marked": "marked",
    "DeadLetters": "dead_letters",
}
"""Metrics by what became of commands; which actions they were stands in the log line."""


def report_batch(
    wiring: Wiring,
    records: Sequence[IncomingRecord],
    verdicts: Verdicts,
    *,
    started_at_ms: int,
    round_trips_before: tuple[int, int],
) -> None:
    """Write the report; ids and counts only, never what anybody wrote."""
    now_ms = wiring.clock.now_ms()
    lags_ms = [now_ms - one.accepted_at_ms for one in verdicts.submissions]
    database_trips = wiring.database.round_trips - round_trips_before[0]
    cache_trips = wiring.cache.round_trips - round_trips_before[1]
    summary: dict[str, object] = {
        "records": len(records),
        "failed": len(verdicts.failed),
        "actions": dict(verdicts.actions),
        "counts": dict(verdicts.counts),
        "rejected": dict(verdicts.rejected),
        "duration_ms": now_ms - started_at_ms,
        "max_lag_ms": max(lags_ms, default=0),
        "database_round_trips": database_trips,
        "cache_round_trips": cache_trips,
        "traces": [one.trace for one in verdicts.submissions if one.trace][:MAX_TRACES],
    }
    _log(wiring, verdicts, summary)
    wiring.metrics.emit(
        {
            **{metric: ("Count", verdicts.counts[outcome]) for metric, outcome in COUNTED.items()},
            "Rejected": ("Count", verdicts.rejected.total()),
            # What of the topic is done with, whatever became of it: the other side of what frames have produced.
            "Settled": ("Count", len(records) - len(verdicts.failed)),
            "Failed": ("Count", len(verdicts.failed)),
            "BatchSize": ("Count", len(records)),
            "DatabaseRoundTrips": ("Count", database_trips),
            "CacheRoundTrips": ("Count", cache_trips),
            "StoreLag": ("Milliseconds", lags_ms),
        }
    )


def _log(wiring: Wiring, verdicts: Verdicts, summary: dict[str, object]) -> None:
    if verdicts.outage is not None:
        wiring.logger.warning("batch failed", extra={**summary, "cause": repr(verdicts.outage.__cause__)})
    else:
        wiring.logger.info("batch applied", extra=summary)
    for fault in verdicts.faults:
        wiring.logger.error("record refused by a fault of ours", extra=_describe(fault))


def trace_messages(wiring: Wiring, verdicts: Verdicts, *, started_at_ms: int) -> None:
    """Send a segment for each sampled message, so that its own trace shows this hop."""
    now_ms = wiring.clock.now_ms()
    for one in verdicts.submissions:
        if one.trace and one.trace.endswith(SAMPLED):
            wiring.tracer.segment(
                parse_trace(one.trace, now_ms=now_ms),
                "upstream",
                started_at_ms=started_at_ms,
                ended_at_ms=now_ms,
                conversation_id=one.command.conversation_id,
            )


def _describe(fault: Exception) -> dict[str, object]:
    """Tell where a fault arose, but not its text: MySQL's errors may quote what somebody wrote."""
    frames = traceback.extract_tb(fault.__traceback__)
    return {
        "fault": type(fault).__name__,
        "errno": getattr(fault, "errno", None),
        "frames": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-5:]],
    }
