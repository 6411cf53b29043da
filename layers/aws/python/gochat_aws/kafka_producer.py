"""Produces records to Kafka and returns only when the broker holds every one of them durably."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from gochat_aws.kafka_login import KafkaSettings, kafka_settings, login_options
from gochat_core.deferred import defer_module
from gochat_core.errors import PayloadTooLarge, Unavailable

if TYPE_CHECKING:
    from kafka import KafkaProducer

REQUEST_TIMEOUT_MS = 3_000
"""One try at one broker. A connection that died while the container was frozen costs this much, so it is short."""

MAX_RECORD_BYTES = 1_000_000
"""Key, value and headers of one record: MSK's default `message.max.bytes` is 1,048,588 with Kafka's own overhead."""

_BATCH_BYTES = 256 * 1024
_RETRY_AFTER_MS = 1_000
_THREAD_ENDS_S = 0.5


@dataclass(frozen=True, kw_only=True, slots=True)
class OutgoingRecord:
    """One record to produce; records of one key keep their order."""

    topic: str
    key: bytes
    value: bytes
    headers: tuple[tuple[str, bytes], ...] = ()

    def size(self) -> int:
        """Return the bytes that the record takes, but for Kafka's own few."""
        return len(self.key) + len(self.value) + sum(len(name) + len(value) for name, value in self.headers)


class RecordProducer(Protocol):
    """Where records go: Kafka when deployed, memory in tests."""

    def produce(self, records: Sequence[OutgoingRecord]) -> None:
        """Write all records and wait until each is held durably (`acks=all`).

        Raises Unavailable when that is not known of every one: some may be held all the same, so whoever repeats the
        call must bear doubles. Raises PayloadTooLarge, before anything is sent, for a record that no broker will take.
        """
        ...


class KafkaRecordProducer:
    """The producer of one container: connects when first used, and is rebuilt after whatever may have poisoned it.

    kafka-python's idempotent producer fails every later send once it met an error that can't be retried, so it is
    thrown away then, and also after a timeout, whose outcome nobody knows. Not safe for use by two threads.
    """

    def __init__(
        self,
        settings: KafkaSettings,
        *,
        client_id: str,
        timeout_s: float = 8.0,
        api_version: tuple[int, ...] | None = None,
    ) -> None:
        """Connect on first use; `api_version` is asked of the broker unless it is given."""
        self._api_version = api_version
        self._settings = settings
        self._client_id = client_id
        self._timeout_s = timeout_s
        self._producer: KafkaProducer | None = None

    def produce(self, records: Sequence[OutgoingRecord]) -> None:
        """Write all records within the time limit (8 s by default); see RecordProducer for what it raises."""
        for record in records:
            if record.size() > MAX_RECORD_BYTES:
                raise PayloadTooLarge(f"A record of {record.size()} bytes is more than a topic takes")
        if not records:
            return
        defer_parts()
        from kafka.errors import KafkaError

        deadline = time.monotonic() + self._timeout_s
        try:
            producer = self._connected()
            pending = [
                producer.send(record.topic, key=record.key, value=record.value, headers=list(record.headers))
                for record in records
            ]
            # Lambda freezes the container, and the producer's thread with it, as soon as the handler returns: whatever
            # isn't awaited here may be sent minutes later or never.
            producer.flush(timeout=max(0.0, deadline - time.monotonic()))
            for future in pending:
                future.get(timeout=max(0.001, deadline - time.monotonic()))
        except KafkaError as error:
            self.discard()
            raise Unavailable("The message broker did not answer", retry_after_ms=_RETRY_AFTER_MS) from error

    def discard(self) -> None:
        """Drop the connections; the next produce makes new ones. What is in flight is not waited for."""
        from kafka.errors import KafkaError

        producer, self._producer = self._producer, None
        if producer is None:
            return
        try:
            producer.close(timeout=0)
        except KafkaError:
            # Closing first waits for what is in flight and gives up here without stopping the thread.
            producer._sender.force_close()
            producer._closed = True
        producer._sender.join(_THREAD_ENDS_S)

    def _connected(self) -> "KafkaProducer":
        if self._producer is None:
            self._producer = _make_producer(self._options())
        return self._producer

    def _options(self) -> dict[str, Any]:
        timeout_ms = int(self._timeout_s * 1000)
        return {
            "bootstrap_servers": self._settings.kafka_bootstrap.split(","),
            "client_id": self._client_id,
            "acks": "all",
            "enable_idempotence": True,
            "linger_ms": 0,
            "batch_size": _BATCH_BYTES,
            "request_timeout_ms": min(REQUEST_TIMEOUT_MS, timeout_ms),
            "delivery_timeout_ms": timeout_ms,
            "max_block_ms": timeout_ms,
            "bootstrap_timeout_ms": timeout_ms,
            "reconnect_backoff_max_ms": 1_000,
            "allow_auto_create_topics": False,
            "metrics_enabled": False,
            "api_version": self._api_version,
            **login_options(self._settings),
        }


def producer_from(environ: Mapping[str, str], *, client_id: str, timeout_s: float = 8.0) -> KafkaRecordProducer:
    """Build the producer of one container from its environment; nothing is connected yet."""
    return KafkaRecordProducer(kafka_settings(environ), client_id=client_id, timeout_s=timeout_s)


def defer_parts() -> None:
    """Keep consumer and admin client out of a start, of which kafka-python costs most."""
    defer_module("kafka")
    # Of all requests of an admin client one is used, to tell how old a broker is.
    defer_module("kafka.protocol.admin", first="groups")


def _make_producer(options: dict[str, Any]) -> "KafkaProducer":
    from kafka.net.compat import KafkaNetClient
    from kafka.producer.kafka import KafkaProducer

    clients: list[KafkaNetClient] = []

    def make_client(**client_options: Any) -> KafkaNetClient:
        clients.append(KafkaNetClient(**client_options))
        return clients[-1]

    try:
        return KafkaProducer(kafka_client=make_client, **options)
    except BaseException:
        # A producer that never came to be leaves its sockets open.
        for client in clients:
            client.close()
        raise
