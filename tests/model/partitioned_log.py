"""Kafka's part in memory: partitions with offsets behind the record producer, and mappings that commit or go back."""

import base64
import threading
import zlib
from collections.abc import Mapping as Members
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from gochat_aws.kafka_producer import OutgoingRecord
from tests.fakes.producer import InMemoryProducer

PARTITIONS = 2

Place = tuple[int, int]
"""A partition and an offset in it."""


class PartitionedLog(InMemoryProducer):
    """A broker that keeps what it is given, a key's records in one partition, in their order."""

    def __init__(self, now_ms: Any) -> None:
        super().__init__()
        self._now_ms = now_ms
        self._lock = threading.Lock()
        self.partitions: dict[str, list[list[tuple[int, OutgoingRecord]]]] = {}

    def produce(self, records: Sequence[OutgoingRecord]) -> None:
        """Append the records, as the in-memory producer does, or raise."""
        with self._lock:
            before = len(self.records)
            try:
                super().produce(records)
            finally:
                for record in self.records[before:]:
                    place = zlib.crc32(record.key) % PARTITIONS
                    self.of(record.topic)[place].append((self._now_ms(), record))

    def of(self, topic: str) -> list[list[tuple[int, OutgoingRecord]]]:
        """Return the partitions of a topic, each a list of records with the time of their arrival."""
        return self.partitions.setdefault(topic, [[] for _ in range(PARTITIONS)])


@dataclass(kw_only=True)
class Batch:
    """What a function is invoked with."""

    topic: str
    records: list[tuple[Place, OutgoingRecord]]
    event: dict[str, Any]


@dataclass(kw_only=True)
class Mapping:
    """The event source mapping of one topic: what is done in each partition, and what must come again."""

    log: PartitionedLog
    topic: str
    done: list[set[int]] = field(default_factory=lambda: [set() for _ in range(PARTITIONS)])
    largest: list[int] = field(default_factory=lambda: [1_000] * PARTITIONS)
    """After a failure the next batch of that partition is half as large, as bisecting makes it."""

    def pending(self, partition: int) -> list[int]:
        """Return the offsets that are not done."""
        return [at for at in range(len(self.log.of(self.topic)[partition])) if at not in self.done[partition]]

    def is_idle(self) -> bool:
        """Tell whether everything is done."""
        return not any(self.pending(partition) for partition in range(PARTITIONS))

    def take(self, partitions: Sequence[int], size: int) -> Batch | None:
        """Return the next batch of these partitions, at most `size` records of each; None when there is nothing."""
        places = [
            (partition, at)
            for partition in partitions
            for at in self.pending(partition)[: min(size, self.largest[partition])]
        ]
        if not places:
            return None
        records = [(place, self.log.of(self.topic)[place[0]][place[1]]) for place in places]
        event: dict[str, Any] = {"eventSource": "aws:kafka", "records": {}}
        for (partition, at), (arrived_ms, record) in records:
            batch = event["records"].setdefault(f"{self.topic}-{partition}", [])
            batch.append(_describe(self.topic, partition, at, arrived_ms, record))
        return Batch(topic=self.topic, records=[(place, record) for place, (_, record) in records], event=event)

    def settle(self, batch: Batch, answer: Members[str, Any] | None, *, only_failed: bool) -> set[Place]:
        """Note what an invocation answered (None: it died or raised), and return what is done with it.

        Lambda may bring back the failed records alone, or all from the lowest failed offset on (`only_failed`).
        """
        failed = {place for place, _ in batch.records} if answer is None else _failures(answer)
        if not only_failed:
            lowest = {
                partition: min(at for one, at in failed if one == partition) for partition in {one for one, _ in failed}
            }
            failed |= {(one, at) for (one, at), _ in batch.records if one in lowest and at >= lowest[one]}
        for (partition, at), _ in batch.records:
            if (partition, at) not in failed:
                self.done[partition].add(at)
        for partition in {one for (one, _), _ in batch.records}:
            sizes = sum(one == partition for (one, _), _ in batch.records)
            again = any(one == partition for one, _ in failed)
            self.largest[partition] = max(1, sizes // 2) if again else 1_000
        return {place for place, _ in batch.records} - failed

    def rewind(self, partition: int, count: int) -> None:
        """Forget that the last records were done: a commit that was lost, or a consumer that moved."""
        for at in sorted(self.done[partition])[-count:]:
            self.done[partition].discard(at)


def _failures(answer: Members[str, Any]) -> set[Place]:
    found: set[Place] = set()
    for failure in answer["batchItemFailures"]:
        place = failure["itemIdentifier"]
        found.add((int(place["partition"].rpartition("-")[2]), place["offset"]))
    return found


def _describe(topic: str, partition: int, offset: int, arrived_ms: int, record: OutgoingRecord) -> dict[str, Any]:
    return {
        "topic": topic,
        "partition": partition,
        "offset": offset,
        "timestamp": arrived_ms,
        "timestampType": "CREATE_TIME",
        "key": base64.b64encode(record.key).decode(),
        "value": base64.b64encode(record.value).decode(),
        "headers": [{name: list(value)} for name, value in record.headers],
    }
