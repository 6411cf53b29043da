"""Makes the documents that Lambda sends to an on-failure destination about records that it gave up."""

import json
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from local_stage.mappings.config import KAFKA_DESTINATION, MappingConfig
from local_stage.mappings.records import Envelope, Record
from local_stage.mappings.verdicts import PAYLOAD_TOO_LARGE, RETRIES_EXHAUSTED

# The page on Kafka destinations spells the condition differently from the page on SQS, SNS and S3.
_KAFKA_SPELLING = {RETRIES_EXHAUSTED: "RetriesExhausted"}


def describe_batch(
    config: MappingConfig,
    envelope: Envelope,
    records: Sequence[Record],
    *,
    condition: str,
    invocations: int,
    now_ms: int,
) -> dict[str, Any]:
    """Return the document for SQS and SNS; for S3 `payload` is added ("Capturing discarded batches …", examples)."""
    info: dict[str, Any] = {
        "batchSize": len(records),
        **_source(config),
        "payloadSize": len(envelope.event(records)),
        "recordsInfo": _records_info(records),
    }
    return _document(config, info, condition=condition, invocations=invocations, now_ms=now_ms)


def describe_for_s3(document: dict[str, Any], envelope: Envelope, records: Sequence[Record]) -> dict[str, Any]:
    """Return the document with the whole event as an escaped JSON string."""
    return {**document, "payload": envelope.event(records).decode()}


def describe_record(
    config: MappingConfig, envelope: Envelope, record: Record, *, condition: str, invocations: int, now_ms: int
) -> dict[str, Any]:
    """Return the document for a Kafka topic: one a record, with the record's event as an object ("Record format …")."""
    event = envelope.event([record])
    info: dict[str, Any] = {
        "batchSize": 1,
        **_source(config),
        "payloadSize": len(event),
        "recordInfo": {"offset": str(record.offset), "timestamp": _iso(record.timestamp_ms)},
    }
    spelled = _KAFKA_SPELLING.get(condition, condition)
    document = _document(config, info, condition=spelled, invocations=invocations, now_ms=now_ms)
    return {**document, "payload": json.loads(event)}


def kafka_topic(destination: str) -> str | None:
    """Return the topic of a `kafka://topic` destination, None for an ARN."""
    return destination.removeprefix(KAFKA_DESTINATION) if destination.startswith(KAFKA_DESTINATION) else None


def _document(
    config: MappingConfig, info: dict[str, Any], *, condition: str, invocations: int, now_ms: int
) -> dict[str, Any]:
    answered = invocations > 0 and condition != PAYLOAD_TOO_LARGE
    return {
        "requestContext": {
            "requestId": str(uuid.uuid4()),
            "functionArn": config.function_arn,
            "condition": condition,
            "approximateInvokeCount": invocations,
        },
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"}
        if answered
        else None,
        "version": "1.0",
        "timestamp": _iso(now_ms),
        "KafkaBatchInfo": info,
    }


def _source(config: MappingConfig) -> dict[str, str]:
    arn = {"eventSourceArn": config.event_source_arn} if config.event_source_arn else {}
    return {**arn, "bootstrapServers": config.bootstrap}


def _records_info(records: Sequence[Record]) -> dict[str, dict[str, str]]:
    info: dict[str, dict[str, str]] = {}
    for record in records:
        place = info.setdefault(
            record.place,
            {"firstRecordOffset": str(record.offset), "firstRecordTimestamp": _iso(record.timestamp_ms)},
        )
        place["lastRecordOffset"] = str(record.offset)
        place["lastRecordTimestamp"] = _iso(record.timestamp_ms)
    return info


def _iso(timestamp_ms: int) -> str:
    moment = datetime.fromtimestamp(timestamp_ms / 1000, tz=UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
