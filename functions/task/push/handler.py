"""Consumes the push topic: decode, send, answer which records must come again."""

from collections.abc import Mapping
from typing import Any

from gochat_aws.kafka_event import BatchAnswer, answer_with_failures, read_kafka_event
from task.push.batch import PushVerdicts
from task.push.wiring import Wiring, wire


def handle(event: Mapping[str, Any], context: object) -> BatchAnswer:  # noqa: ARG001 - Lambda's signature
    """Apply one batch; where partial answers are not honoured, any failure fails the whole batch."""
    wiring = wire()
    started_at_ms = wiring.clock.now_ms()
    records = read_kafka_event(event)
    verdicts = wiring.batches.apply(records)
    summary = {
        "records": len(records),
        "duration_ms": wiring.clock.now_ms() - started_at_ms,
        "outcomes": dict(verdicts.counts),
        "dead_letters": len(verdicts.letters),
        "failed": len(verdicts.failed),
    }
    if verdicts.outage is not None:
        wiring.logger.warning("batch failed", extra={**summary, "cause": repr(verdicts.outage.__cause__)})
    else:
        wiring.logger.info("batch applied", extra=summary)
    _measure(wiring, verdicts)
    if verdicts.outage is not None and not wiring.settings.partial_batch:
        raise verdicts.outage
    return answer_with_failures(records, frozenset(verdicts.failed))


def _measure(wiring: Wiring, verdicts: PushVerdicts) -> None:
    for outcome, count in verdicts.counts.items():
        name, _, reason = outcome.partition("_")
        wiring.metrics.emit({f"Push{name.capitalize()}": ("Count", count)}, reason=reason)
    if verdicts.latencies_ms:
        wiring.metrics.emit({"PushLatency": ("Milliseconds", verdicts.latencies_ms)})
