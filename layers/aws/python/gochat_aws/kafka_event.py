"""Reads the events that Lambda's Kafka mapping sends, and writes the answers it understands."""

from base64 import b64encode
from binascii import a2b_base64
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypedDict

from gochat_aws.kafka_producer import OutgoingRecord
from gochat_contracts.records import DEAD_LETTER_TOPIC, DeadLetter, encode

MAX_DETAIL = 1_000


@dataclass(frozen=True, kw_only=True, slots=True)
class IncomingRecord:
    """One record of a topic as Lambda delivered it."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Mapping[str, bytes]

    def header(self, name: str) -> str | None:
        """Return a header as text; bytes that are none are replaced."""
        value = self.headers.get(name)
        return None if value is None else value.decode("utf-8", "replace")


class PartitionOffset(TypedDict):
    """Names a record in an answer: `partition` is topic and number joined by a hyphen."""

    partition: str
    offset: int


class ItemFailure(TypedDict):
    """One failed record."""

    itemIdentifier: PartitionOffset


class BatchAnswer(TypedDict):
    """What a handler returns under ReportBatchItemFailures; an empty list means that all is done."""

    batchItemFailures: list[ItemFailure]


def read_kafka_event(event: Mapping[str, Any]) -> list[IncomingRecord]:
    """Return the records of an event, partition after partition, in the order of their offsets.

    Shape: AWS Lambda developer guide, "Using Lambda with Amazon MSK", example event.
    """
    return [
        IncomingRecord(
            topic=record["topic"],
            partition=record["partition"],
            offset=record["offset"],
            timestamp_ms=record["timestamp"],
            key=_unbase64(record.get("key")),
            value=_unbase64(record.get("value")),
            headers=_headers(record.get("headers") or ()),
        )
        for records in event["records"].values()
        for record in records
    ]


def answer_with_failures(records: Sequence[IncomingRecord], failed: Collection[int]) -> BatchAnswer:
    """Report the records at these indexes as failed, and with them every later one of the same key.

    A key's records keep their order only if none of them is done before an earlier one that failed.
    """
    failed_keys: set[tuple[str, int, bytes | None]] = set()
    failures: list[ItemFailure] = []
    for index, record in enumerate(records):
        lane = (record.topic, record.partition, record.key)
        if index in failed or (record.key is not None and lane in failed_keys):
            failed_keys.add(lane)
            place: PartitionOffset = {"partition": f"{record.topic}-{record.partition}", "offset": record.offset}
            failures.append({"itemIdentifier": place})
    return {"batchItemFailures": failures}


def dead_letter(
    record: IncomingRecord,
    *,
    reason: Literal["unreadable", "bad_data", "fault", "push_refused"],
    detail: str,
    now_ms: int,
) -> OutgoingRecord:
    """Make the dead letter of a record that can never succeed: as it came, with what was wrong."""
    letter = DeadLetter(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        key=_base64(record.key),
        value=_base64(record.value),
        reason=reason,
        detail=detail[:MAX_DETAIL],
        failed_at_ms=now_ms,
        headers={name: b64encode(octets).decode() for name, octets in record.headers.items()},
    )
    return OutgoingRecord(topic=DEAD_LETTER_TOPIC, key=record.key or b"", value=encode(letter))


def _headers(headers: Iterable[Mapping[str, Iterable[int]]]) -> dict[str, bytes]:
    """Join the octets of each header, which Lambda writes as Java's signed bytes."""
    return {name: bytes(octet & 0xFF for octet in octets) for header in headers for name, octets in header.items()}


def _unbase64(text: str | None) -> bytes | None:
    return None if text is None else a2b_base64(text)


def _base64(octets: bytes | None) -> str | None:
    return None if octets is None else b64encode(octets).decode()
