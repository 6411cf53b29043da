"""Reads a mapping's topic from Kafka: all its partitions, from the group's committed offsets on."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from confluent_kafka import (
    OFFSET_BEGINNING,
    OFFSET_END,
    TIMESTAMP_LOG_APPEND_TIME,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)

from local_stage.mappings.config import MappingConfig
from local_stage.mappings.continuity import Continuity
from local_stage.mappings.filters import is_wanted
from local_stage.mappings.identity import TopicIdentity
from local_stage.mappings.quiet import KAFKA_LOG
from local_stage.mappings.records import Record, make_record

_METADATA_TIMEOUT_S = 2.0
_COMMIT_TIMEOUT_S = 5.0


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """Hold one fetched record's place; `record` is None if the mapping's filter drops it."""

    partition: int
    offset: int
    record: Record | None


class KafkaSource:
    """Consume one topic without joining its group: partitions are assigned here, offsets are committed for the group.

    So there is no rebalance to wait for at start, and no session to lose during an invocation of 14 minutes.
    """

    def __init__(self, config: MappingConfig, *, fetch_wait_ms: int, on_error: Callable[[str], None]) -> None:
        self._config = config
        self._on_error = on_error
        self._open: set[int] = set()
        self._continuity = Continuity()
        common = {
            "bootstrap.servers": config.bootstrap,
            "group.id": config.group_id,
            "client.id": f"gochat-mapping-{config.uuid[:8]}",
            "enable.auto.commit": False,
            "reconnect.backoff.ms": 20,
            "reconnect.backoff.max.ms": 500,
            "socket.timeout.ms": 10_000,
            "allow.auto.create.topics": False,
            "log_level": 3,
        }
        self._consumer = Consumer(
            {
                **common,
                "auto.offset.reset": "latest" if config.starting_position == "LATEST" else "earliest",
                "fetch.wait.max.ms": fetch_wait_ms,
                "fetch.error.backoff.ms": 50,
                "queued.min.messages": 10_000,
                "fetch.queue.backoff.ms": 20,
                "queued.max.messages.kbytes": 8192,
                "error_cb": self._fail,
            },
            logger=KAFKA_LOG,
        )
        # Offsets have a handle of their own: a commit through the other one waits until the fetcher's `poll` returns.
        self._offsets = Consumer(common, logger=KAFKA_LOG)
        self.identity = TopicIdentity(config.bootstrap, config.topic)

    def find_partitions(self) -> set[int] | None:
        """Return the topic's partitions, empty if there is no such topic, None if no broker answers."""
        try:
            metadata = self._consumer.list_topics(self._config.topic, timeout=_METADATA_TIMEOUT_S)
        except KafkaException as failure:
            self._on_error(str(failure))
            return None
        topic = metadata.topics.get(self._config.topic)
        if topic is None or (topic.error is not None and topic.error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART):
            return set()
        if topic.error is not None:
            self._on_error(str(topic.error))
            return None
        return set(topic.partitions)

    def assign(self, partitions: Iterable[int], *, anew: bool) -> dict[int, int | None]:
        """Read these partitions too; return where each starts, None for the topic's beginning or end.

        `anew`: the topic replaces one of the same name, so all of it is read, whatever the group has committed.
        Raises KafkaException if the broker does not tell.
        """
        new = sorted(set(partitions) - self._open)
        starts = dict.fromkeys(new, OFFSET_BEGINNING) if anew else self._starts(new)
        self._consumer.incremental_assign([TopicPartition(self._config.topic, n, starts[n]) for n in new])
        self._open.update(new)
        for number, start in starts.items():
            self._continuity.begin(number, 0 if start == OFFSET_BEGINNING else start if start >= 0 else None)
        return {number: start if start >= 0 else None for number, start in starts.items()}

    def unassign_all(self) -> None:
        """Stop reading: the topic is gone."""
        self._consumer.unassign()
        for number in self._open:
            self._continuity.forget(number)
        self._open.clear()

    def fetch(self, *, timeout_s: float, limit: int) -> list[Fetched]:
        """Wait for records, then return all that are there, at most `limit`."""
        first = self._consumer.poll(timeout_s)
        if first is None:
            return []
        messages = [first, *self._consumer.consume(limit, timeout=0)]
        fetched = [one for one in map(self._read, messages) if one is not None]
        return self._without_gaps(fetched)

    def _without_gaps(self, fetched: Sequence[Fetched]) -> list[Fetched]:
        """Leave out what comes after a missing record, and read on from that one."""
        now_s = time.monotonic()
        missing: dict[int, int] = {}
        whole: list[Fetched] = []
        for one in fetched:
            again = self._continuity.find_missing(one.partition, one.offset, now_s=now_s)
            if again is None:
                whole.append(one)
            else:
                missing[one.partition] = again
        again_at = [TopicPartition(self._config.topic, number, offset) for number, offset in missing.items()]
        if again_at:
            # Not `seek`, which refuses partitions in some states.
            self._consumer.incremental_unassign(again_at)
            self._consumer.incremental_assign(again_at)
        return whole

    def commit(self, offsets: Mapping[int, int]) -> None:
        """Commit for the group, and wait for the broker's answer; raises KafkaException."""
        positions = [TopicPartition(self._config.topic, number, offset) for number, offset in offsets.items()]
        for answer in self._offsets.commit(offsets=positions, asynchronous=False):
            if answer.error is not None:
                raise KafkaException(answer.error)

    def pause(self, partition: int) -> None:
        """Fetch nothing from a partition until `resume`."""
        self._consumer.pause([TopicPartition(self._config.topic, partition)])

    def resume(self, partition: int) -> None:
        """Fetch from a paused partition again."""
        self._consumer.resume([TopicPartition(self._config.topic, partition)])

    def lag(self, done_until: Mapping[int, int]) -> int:
        """Return how many records of the topic are not done, as far as the last fetch told."""
        total = 0
        for number, offset in done_until.items():
            try:
                place = TopicPartition(self._config.topic, number)
                _, high = self._consumer.get_watermark_offsets(place, cached=True)
            except KafkaException:
                continue
            total += max(0, high - offset)
        return total

    def close(self) -> None:
        """Leave the broker."""
        self._consumer.close()
        self._offsets.close()

    def _fail(self, error: KafkaError) -> None:
        # A connection that breaks may be a restart, and some brokers come back empty.
        self.identity.doubtful = True
        self._on_error(str(error))

    def _starts(self, partitions: list[int]) -> dict[int, int]:
        """Find each partition's first offset: the group's committed one, else the mapping's starting position."""
        if not partitions:
            return {}
        wanted = [TopicPartition(self._config.topic, number) for number in partitions]
        committed = self._offsets.committed(wanted, timeout=_COMMIT_TIMEOUT_S)
        starts = {found.partition: found.offset for found in committed if found.offset >= 0}
        fresh = [number for number in partitions if number not in starts]
        if (
            fresh
            and self._config.starting_position == "AT_TIMESTAMP"
            and self._config.starting_timestamp_ms is not None
        ):
            at = self._config.starting_timestamp_ms
            asked = [TopicPartition(self._config.topic, number, at) for number in fresh]
            told = self._offsets.offsets_for_times(asked, timeout=_COMMIT_TIMEOUT_S)
            return starts | {found.partition: found.offset for found in told}
        default = OFFSET_END if self._config.starting_position == "LATEST" else OFFSET_BEGINNING
        return starts | dict.fromkeys(fresh, default)

    def _read(self, message: Message) -> Fetched | None:
        error = message.error()
        if error is not None:
            if error.code() != KafkaError._PARTITION_EOF:
                self._on_error(str(error))
            return None
        partition, offset = message.partition(), message.offset()
        assert partition is not None
        assert offset is not None
        key, value = _bytes(message.key()), _bytes(message.value())
        if not is_wanted(self._config.patterns, key=key, value=value):
            return Fetched(partition=partition, offset=offset, record=None)
        kind, timestamp_ms = message.timestamp()
        headers = message.headers() or []
        pairs = headers.items() if isinstance(headers, dict) else headers
        record = make_record(
            topic=self._config.topic,
            partition=partition,
            offset=offset,
            timestamp_ms=timestamp_ms,
            timestamp_type="LOG_APPEND_TIME" if kind == TIMESTAMP_LOG_APPEND_TIME else "CREATE_TIME",
            key=key,
            value=value,
            headers=[(name, _bytes(held)) for name, held in pairs],
        )
        return Fetched(partition=partition, offset=offset, record=record)


def _bytes(held: bytes | str | None) -> bytes | None:
    return held.encode() if isinstance(held, str) else held
