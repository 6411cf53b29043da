"""Reads what a topic holds, from a moment to its end, as an operator does: in no consumer group, committing nothing."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from gochat_aws.kafka_login import KafkaSettings, kafka_settings, login_options
from gochat_aws.kafka_producer import REQUEST_TIMEOUT_MS
from gochat_core.errors import Unavailable

if TYPE_CHECKING:
    from kafka import KafkaConsumer

_POLL_MS = 500
_POLLED_AT_ONCE = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldRecord:
    """One record of a topic."""

    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Mapping[str, bytes]


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """What was read; `complete` is False if the topic holds more than was to be read, or than there was time for."""

    records: Sequence[HeldRecord]
    complete: bool


class RecordReader(Protocol):
    """Where records are read from: Kafka when deployed, memory in tests."""

    def read(self, topic: str, *, since_ms: int, max_records: int, max_bytes: int) -> Held:
        """Return what was written since then, oldest first in each partition; raises Unavailable.

        A topic that does not exist holds nothing.
        """
        ...


class KafkaRecordReader:
    """Connects for each reading, which is rare."""

    def __init__(self, settings: KafkaSettings, *, client_id: str, timeout_s: float) -> None:
        """`timeout_s` bounds a whole reading."""
        self._settings = settings
        self._client_id = client_id
        self._timeout_s = timeout_s

    def read(self, topic: str, *, since_ms: int, max_records: int, max_bytes: int) -> Held:
        """Read; see RecordReader."""
        from kafka.errors import KafkaError

        deadline = time.monotonic() + self._timeout_s
        try:
            consumer = self._connect(max_records)
            try:
                return _read(consumer, topic, since_ms, _Limits(max_records, max_bytes, deadline))
            finally:
                consumer.close()
        except KafkaError as error:
            raise Unavailable("The message broker did not answer") from error

    def _connect(self, max_records: int) -> "KafkaConsumer":
        from kafka import KafkaConsumer

        return KafkaConsumer(
            bootstrap_servers=self._settings.kafka_bootstrap.split(","),
            client_id=self._client_id,
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            allow_auto_create_topics=False,
            max_poll_records=min(max_records, _POLLED_AT_ONCE),
            request_timeout_ms=REQUEST_TIMEOUT_MS,
            bootstrap_timeout_ms=int(self._timeout_s * 1000),
            metrics_enabled=False,
            **login_options(self._settings),
        )


@dataclass(frozen=True)
class _Limits:
    records: int
    octets: int
    deadline: float


def _read(consumer: "KafkaConsumer", topic: str, since_ms: int, limits: _Limits) -> Held:
    from kafka import TopicPartition

    partitions = [TopicPartition(topic, number) for number in sorted(consumer.partitions_for_topic(topic) or ())]
    if not partitions:
        return Held(records=(), complete=True)
    consumer.assign(partitions)
    ends = consumer.end_offsets(partitions)
    begins = consumer.offsets_for_times(dict.fromkeys(partitions, since_ms)) if since_ms else {}
    first = consumer.beginning_offsets(partitions)
    for partition in partitions:
        # None: nothing was written since then.
        begin = begins[partition].offset if begins.get(partition) else ends[partition] if since_ms else first[partition]
        consumer.seek(partition, begin)
    found: list[HeldRecord] = []
    octets = 0
    while any(consumer.position(partition) < ends[partition] for partition in partitions):
        if len(found) >= limits.records or octets >= limits.octets or time.monotonic() >= limits.deadline:
            return Held(records=found, complete=False)
        for records in consumer.poll(timeout_ms=_POLL_MS).values():
            found += (_held(record) for record in records)
            octets += sum(len(record.value or b"") for record in records)
    return Held(records=found, complete=True)


def _held(record: Any) -> HeldRecord:
    return HeldRecord(
        partition=record.partition,
        offset=record.offset,
        timestamp_ms=record.timestamp,
        key=record.key,
        value=record.value,
        headers=dict(record.headers),
    )


def reader_from(environ: Mapping[str, str], *, client_id: str, timeout_s: float) -> KafkaRecordReader:
    """Build the reader of one container from its environment; nothing is connected yet."""
    return KafkaRecordReader(kafka_settings(environ), client_id=client_id, timeout_s=timeout_s)
