"""Consumes the task topic: decode, apply once, answer which records must come again; keeps what `push` gives up."""

from collections.abc import Mapping
from typing import Any

import msgspec

from gochat_aws.failed_invocations import is_failed_invocation, read_failed_invocations
from gochat_aws.kafka_event import BatchAnswer, answer_with_failures, read_kafka_event
from gochat_contracts.deliver_reports import DeadLetters
from task.worker.dead_letters import keep_dead_letters
from task.worker.tasks import TaskVerdicts
from task.worker.wiring import Wiring, wire


def handle(event: Mapping[str, Any], context: object) -> BatchAnswer:  # noqa: ARG001 - Lambda's signature
    """Apply one batch; where partial answers are not honoured, any failure fails the whole batch."""
    wiring = wire()
    if "gochat" in event:
        keep_dead_letters(wiring.producer, msgspec.convert(event, DeadLetters))
        return {"batchItemFailures": []}
    if is_failed_invocation(event):
        for given_up in read_failed_invocations(event):
            keep_dead_letters(wiring.producer, msgspec.convert(given_up, DeadLetters))
        return {"batchItemFailures": []}
    started_at_ms = wiring.clock.now_ms()
    records = read_kafka_event(event)
    verdicts = wiring.tasks.apply(records)
    _tell(wiring, verdicts, records=len(records), duration_ms=wiring.clock.now_ms() - started_at_ms)
    if verdicts.outage is not None and not wiring.settings.partial_batch:
        raise verdicts.outage
    return answer_with_failures(records, verdicts.failed)


def _tell(wiring: Wiring, verdicts: TaskVerdicts, *, records: int, duration_ms: int) -> None:
    counts = {
        "redelivered": verdicts.redelivered,
        "offline": verdicts.offline,
        "pushes": verdicts.pushes,
        "pages": verdicts.pages,
        "told": verdicts.told,
        "away": verdicts.away,
        "passed_over": verdicts.passed_over,
        "dead_letters": verdicts.dead_letters,
        "failed": len(verdicts.failed),
    }
    summary = {"records": records, "duration_ms": duration_ms, **counts, "decisions": dict(verdicts.decisions)}
    if verdicts.outage is not None:
        wiring.logger.warning("batch failed", extra={**summary, "cause": repr(verdicts.outage.__cause__)})
    else:
        wiring.logger.info("batch applied", extra=summary)
    wiring.metrics.emit(
        {
            "BatchSize": ("Count", records),
            "Redelivered": ("Count", verdicts.redelivered),
            "OfflineUsers": ("Count", verdicts.offline),
            "PushesDecided": ("Count", verdicts.pushes),
            "PushesSuppressed": ("Count", verdicts.suppressed),
            "PagesCut": ("Count", verdicts.pages),
            "MembersTold": ("Count", verdicts.told),
            "MembersAway": ("Count", verdicts.away),
            "DeadLetters": ("Count", verdicts.dead_letters),
            "Failed": ("Count", len(verdicts.failed)),
        }
    )
