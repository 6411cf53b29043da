"""Consumes the upstream topic: decode, apply once, answer which records must come again."""

from collections.abc import Mapping, Sequence
from typing import Any

from gochat_aws.kafka_event import BatchAnswer, IncomingRecord, answer_with_failures, read_kafka_event
from logic.upstream.batch import Verdicts
from logic.upstream.report import report_batch, trace_messages
from logic.upstream.wiring import Wiring, wire


def handle(event: Mapping[str, Any], context: object) -> BatchAnswer:  # noqa: ARG001 - Lambda's signature
    """Apply one batch; where partial answers are not honoured, any failure fails the whole batch."""
    wiring = wire()
    started_at_ms = wiring.clock.now_ms()
    round_trips = wiring.database.round_trips, wiring.cache.round_trips
    records = read_kafka_event(event)
    verdicts = wiring.batches.apply(records)
    report_batch(wiring, records, verdicts, started_at_ms=started_at_ms, round_trips_before=round_trips)
    trace_messages(wiring, verdicts, started_at_ms=started_at_ms)
    return _answer(wiring, records, verdicts)


def _answer(wiring: Wiring, records: Sequence[IncomingRecord], verdicts: Verdicts) -> BatchAnswer:
    if verdicts.outage is not None and not wiring.settings.partial_batch:
        raise verdicts.outage
    return answer_with_failures(records, verdicts.failed)
