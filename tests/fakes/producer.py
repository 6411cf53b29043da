"""A producer that keeps its records in memory and can be told to fail, held to the contract of the real one."""

from collections.abc import Sequence

from gochat_aws.kafka_producer import MAX_RECORD_BYTES, OutgoingRecord
from gochat_core.errors import PayloadTooLarge, Unavailable


class InMemoryProducer:
    """Keep what was produced in `records`, in order."""

    def __init__(self) -> None:
        self.records: list[OutgoingRecord] = []
        self.available = True
        """Set to False to have the broker away."""
        self.fail_after: int | None = None
        """Hold only so many records of the next call, and raise: what a broker does that dies half-way."""

    def produce(self, records: Sequence[OutgoingRecord]) -> None:
        """Keep the records, or raise as the real one does."""
        for record in records:
            if record.size() > MAX_RECORD_BYTES:
                raise PayloadTooLarge
        if not records:
            return
        if not self.available:
            raise Unavailable(retry_after_ms=1_000)
        if self.fail_after is not None:
            held, self.fail_after = self.fail_after, None
            self.records.extend(records[:held])
            raise Unavailable(retry_after_ms=1_000)
        self.records.extend(records)

    def of_topic(self, topic: str) -> list[OutgoingRecord]:
        """Return the records of one topic, in order."""
        return [record for record in self.records if record.topic == topic]
