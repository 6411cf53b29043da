"""Holds Kafka records on their way to a function, and makes the event that Lambda would make of them."""

import base64
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# Lambda quotas: 6 MB for the payload of a synchronous invocation.
MAX_PAYLOAD_BYTES = 6 * 1024 * 1024

Headers = Sequence[tuple[str, bytes | None]]


@dataclass(frozen=True, kw_only=True)
class Record:
    """Hold one record: where it lies, and its form in the event, encoded once for however many attempts it takes."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    encoded: str

    @property
    def place(self) -> str:
        """The record's list in the event: `topic-partition`."""
        return f"{self.topic}-{self.partition}"

    @property
    def size_bytes(self) -> int:
        """What the record adds to the payload; the encoding is ASCII, so characters are bytes."""
        return len(self.encoded) + 1


def make_record(
    *,
    topic: str,
    partition: int,
    offset: int,
    timestamp_ms: int,
    timestamp_type: str,
    key: bytes | None,
    value: bytes | None,
    headers: Headers,
) -> Record:
    """Encode a record as Lambda does: base64 key (left away if there is none) and value, headers as lists of bytes.

    Header bytes are Java's, so those from 128 up come as negative numbers; Powertools' `decoded_headers` knows.
    """
    fields = {
        "topic": topic,
        "partition": partition,
        "offset": offset,
        "timestamp": timestamp_ms,
        "timestampType": timestamp_type,
        **({} if key is None else {"key": base64.b64encode(key).decode()}),
        "value": None if value is None else base64.b64encode(value).decode(),
        "headers": [{name: [byte - 256 if byte > 127 else byte for byte in held or b""]} for name, held in headers],
    }
    return Record(
        topic=topic,
        partition=partition,
        offset=offset,
        timestamp_ms=timestamp_ms,
        key=key,
        encoded=json.dumps(fields, separators=(",", ":")),
    )


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """Make events around records: what they say of their source is the same for every batch of a mapping."""

    event_source: str
    event_source_arn: str | None
    bootstrap: str

    def event(self, records: Iterable[Record]) -> bytes:
        """Return the invocation's payload; records keep their order within each `topic-partition`."""
        places: dict[str, list[str]] = {}
        for record in records:
            places.setdefault(record.place, []).append(record.encoded)
        lists = ",".join(f"{json.dumps(place)}:[{','.join(encoded)}]" for place, encoded in places.items())
        return f'{self._head()}"records":{{{lists}}}}}'.encode("ascii")

    def size_bytes(self, places: int) -> int:
        """Bound what the event adds to its records' own sizes."""
        return len(self._head()) + 16 + places * (249 + 16)  # a topic's name has at most 249 characters

    def _head(self) -> str:
        source: dict[str, str] = {"eventSource": self.event_source}
        if self.event_source_arn:
            source["eventSourceArn"] = self.event_source_arn
        source["bootstrapServers"] = self.bootstrap
        return json.dumps(source, separators=(",", ":"))[:-1] + ","
