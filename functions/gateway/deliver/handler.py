"""Consumes a cell's downstream topic: reads a batch, posts it, reports what could not be posted."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from gateway.deliver.delivery import Verdict, deliver_lanes
from gateway.deliver.lanes import plan_lanes
from gateway.deliver.reports import hand_back, report_dead, report_unreadable
from gateway.deliver.wiring import Wiring, wiring
from gochat_aws.kafka_event import BatchAnswer, IncomingRecord, answer_with_failures, read_kafka_event
from gochat_contracts.records import DownstreamRecord, UnreadableRecordError, decode
from gochat_core.errors import Unavailable
from gochat_core.tracing import parse_trace

TRACES_TOLD = 20


def handle(event: Mapping[str, Any], context: object) -> BatchAnswer:  # noqa: ARG001  # Lambda's signature
    """Deliver one batch.

    A record fails only if its posts were put off (throttled, for one) or the hand-over of what they missed was refused.
    Where the mapping honours partial answers it alone comes again, else the whole batch, so that posts may come twice.
    """
    parts = wiring()
    began_s = time.perf_counter()
    now_ms = parts.clock.now_ms()
    incoming = read_kafka_event(event)
    records, unreadable = _read(incoming)
    lanes = plan_lanes(records, now_ms=now_ms)
    verdict = deliver_lanes(parts.connections, lanes, now_ms=now_ms)
    if verdict.dead:
        verdict.failed |= report_dead(parts.invoker(), verdict.dead)
    if verdict.early:
        verdict.failed |= hand_back(parts.invoker(), verdict.early)
    if unreadable:
        verdict.failed |= report_unreadable(parts.invoker(), unreadable, now_ms=now_ms)
    _tell(parts, incoming, records, verdict, began_ms=now_ms, took_ms=(time.perf_counter() - began_s) * 1000)
    if verdict.failed and not parts.honours_partial_batch:
        raise Unavailable(f"{len(verdict.failed)} of {len(incoming)} records could not be delivered")
    return answer_with_failures(incoming, verdict.failed)


def _read(
    incoming: Sequence[IncomingRecord],
) -> tuple[list[tuple[int, DownstreamRecord]], list[tuple[int, IncomingRecord, str]]]:
    """Return the records that can be read, and those that can't with the reason, each with its place in the batch."""
    records: list[tuple[int, DownstreamRecord]] = []
    unreadable: list[tuple[int, IncomingRecord, str]] = []
    for place, record in enumerate(incoming):
        try:
            records.append((place, decode(DownstreamRecord, record.value or b"")))
        except UnreadableRecordError as fault:
            unreadable.append((place, record, str(fault)))
    return records, unreadable


def _tell(
    parts: Wiring,
    incoming: Sequence[IncomingRecord],
    records: Sequence[tuple[int, DownstreamRecord]],
    verdict: Verdict,
    *,
    began_ms: int,
    took_ms: float,
) -> None:
    parts.logger.info(
        "delivered",
        extra={
            "records": len(incoming),
            "unreadable": len(incoming) - len(records),
            "posts": dict(verdict.posts),
            "items": len(verdict.delivered),
            "dead": len(verdict.dead),
            "early": len(verdict.early),
            "failed": len(verdict.failed),
            "oldest_ms": began_ms - min((record.timestamp_ms for record in incoming), default=began_ms),
            "traces": _trace(parts, verdict, began_ms=began_ms)[:TRACES_TOLD],
            "took_ms": round(took_ms, 1),
        },
    )
    latencies_ms = [
        max(0, at_ms - placed.item.accepted_at_ms)
        for placed, at_ms in verdict.delivered
        if placed.item.accepted_at_ms is not None
    ]
    parts.metrics.emit(
        {
            "Delivered": ("Count", len(verdict.delivered)),
            "Posts": ("Count", verdict.posts.total()),
            "Failed": ("Count", len(verdict.failed)),
            "ConnectionsDead": ("Count", len(verdict.dead)),
            "EndToEnd": ("Milliseconds", latencies_ms),
            "DeliveryDuration": ("Milliseconds", took_ms),
        }
    )


def _trace(parts: Wiring, verdict: Verdict, *, began_ms: int) -> list[str]:
    """Record this hop in the trace of each item, once for all who got it; return the traces' ids, each once."""
    roots: dict[str, None] = {}
    last_posts = {id(placed): (placed, at_ms) for placed, at_ms in verdict.delivered}
    for placed, at_ms in last_posts.values():
        if placed.item.trace is not None:
            trace = parse_trace(placed.item.trace, now_ms=began_ms)
            roots[trace.root] = None
            parts.tracer.segment(trace, "deliver", started_at_ms=began_ms, ended_at_ms=at_ms, event=placed.item.event)
    return list(roots)
