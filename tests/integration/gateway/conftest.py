"""The WebSocket function over real stores and a real broker, called with the events of API Gateway."""

import itertools
import json
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest
from kafka import KafkaConsumer, TopicPartition

from gateway.websocket import handler
from gateway.websocket.wiring import Wiring, build
from gochat_contracts.records import (
    DEAD_LETTER_TOPIC,
    TASK_TOPIC,
    UPSTREAM_TOPIC,
    DownstreamRecord,
    OfflineTask,
    Record,
    TaskRecord,
    UpstreamRecord,
    decode,
    downstream_topic,
)
from gochat_core.types import CellId, DeviceId, SessionId, UserId
from gochat_repo.admission import Gate
from gochat_repo.cache import cache_from
from gochat_repo.connections import Connection, Connections
from gochat_repo.migrate import migrate_from
from gochat_repo.mysql import database_from
from gochat_repo.presence import Presence
from gochat_repo.session_endings import SessionEndings
from gochat_repo.sessions import NewSession, SessionStore, insert_session
from gochat_repo.token_bucket import Rate
from local_stage.services.kafka import KafkaBroker
from local_stage.services.mysql import MySqlServer
from local_stage.services.redis import RedisCluster
from tests.fixtures.services import fresh_database

AWAY = "127.0.0.1"
AWAY_PORT = "1"

CELL = CellId("g1")
DOWNSTREAM = downstream_topic(CELL)
OTHER_CELL = CellId("g2")
ELSEWHERE = downstream_topic(OTHER_CELL)
RecordT = TypeVar("RecordT", bound=Record)

_numbers = itertools.count(random.randrange(1 << 40, 1 << 60))


@dataclass(kw_only=True)
class Device:
    """One login of somebody, as the authorizer would vouch for it."""

    user_id: UserId
    device_id: DeviceId
    session_id: SessionId
    ticket_id: str | None = None


@dataclass(kw_only=True)
class Socket:
    """One connection, with what API Gateway says of it in every event."""

    device: Device
    connection_id: str
    connected_at_ms: int

    def event(self, kind: str, **fields: Any) -> dict[str, Any]:
        authorizer = {
            "user_id": str(self.device.user_id),
            "device_id": self.device.device_id,
            "session_id": str(self.device.session_id),
            "expires_at_ms": str(self.connected_at_ms + 60_000),
            "principalId": str(self.device.user_id),
        }
        if self.device.ticket_id:
            authorizer["ticket_id"] = self.device.ticket_id
        return {
            "requestContext": {
                "eventType": kind,
                "routeKey": "$default",
                "connectionId": self.connection_id,
                "connectedAt": self.connected_at_ms,
                "requestId": "request-1",
                "authorizer": authorizer,
            },
            **fields,
        }


@dataclass(kw_only=True)
class Gateway:
    """The function with its stores, and eyes on what it leaves in them."""

    environ: dict[str, str]
    broker: KafkaBroker
    parts: Wiring
    connections: Connections
    endings: SessionEndings
    _at_ms: int = field(default_factory=lambda: time.time_ns() // 1_000_000)

    def log_in(self, user_id: UserId | None = None, device: str = "phone") -> Device:
        """Open a login in the tables."""
        made = Device(
            user_id=user_id or UserId(next(_numbers)), device_id=DeviceId(device), session_id=SessionId(next(_numbers))
        )
        now_ms = time.time_ns() // 1_000_000
        new = NewSession(
            session_id=made.session_id,
            user_id=made.user_id,
            device_id=made.device_id,
            platform="ios",
            salt=b"s" * 16,
            opened_at_ms=now_ms,
            expires_at_ms=now_ms + 86_400_000,
        )
        database_from(self.environ).transaction(lambda tx: insert_session(tx, new))
        return made

    def socket(self, device: Device) -> Socket:
        """Name a connection that API Gateway would open now."""
        self._at_ms += 1
        return Socket(device=device, connection_id=f"{next(_numbers):x}=", connected_at_ms=self._at_ms)

    def open(self, device: Device, **fields: Any) -> tuple[Socket, dict[str, Any]]:
        """Shake hands; return the connection and the function's answer."""
        socket = self.socket(device)
        return socket, handler.handle(socket.event("CONNECT", **fields), None)

    def connect(self, device: Device) -> Socket:
        """Open a connection, successfully."""
        socket, answer = self.open(device)
        assert answer["statusCode"] == 200
        return socket

    def say(self, socket: Socket, text: str) -> dict[str, Any]:
        """Send a frame as it is; return what comes back on the socket."""
        answer = handler.handle(socket.event("MESSAGE", body=text), None)
        assert answer["statusCode"] == 200
        told: dict[str, Any] = json.loads(answer["body"])
        return told

    def call(self, socket: Socket, action: str, **data: Any) -> dict[str, Any]:
        """Send a frame; return what comes back on the socket."""
        return self.say(socket, json.dumps({"action": action, "id": "f-1", "data": data}))

    def registered(self, device: Device) -> list[Connection]:
        """Return what stands in MySQL for the device's user."""
        return list(self.connections.list_by_users([device.user_id]).get(device.user_id, ()))

    def records(self, topic: str, kind: type[RecordT], wanted: Callable[[RecordT], bool], count: int) -> list[RecordT]:
        """Return the records of a topic that are wanted: waits for so many, then a moment for more."""
        return [record for record, _ in self.raw_records(topic, kind, wanted, count)]

    def raw_records(
        self, topic: str, kind: type[RecordT], wanted: Callable[[RecordT], bool], count: int
    ) -> list[tuple[RecordT, Any]]:
        consumer = KafkaConsumer(
            bootstrap_servers=self.broker.address, auto_offset_reset="earliest", fetch_max_wait_ms=20
        )
        found: list[tuple[RecordT, Any]] = []
        try:
            consumer.assign([TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()])
            deadline = time.monotonic() + 10
            idle = 0
            while time.monotonic() < deadline and (len(found) < count or idle < 2):
                batches = consumer.poll(timeout_ms=100)
                idle = 0 if batches else idle + 1
                for raw in itertools.chain.from_iterable(batches.values()):
                    record = decode(kind, raw.value)
                    if wanted(record):
                        found.append((record, raw))
        finally:
            consumer.close()
        assert len(found) >= count
        return found

    def commands_of(self, device: Device, count: int) -> list[UpstreamRecord]:
        """Return what this user has sent upstream."""
        return self.records(UPSTREAM_TOPIC, UpstreamRecord, lambda r: r.sender.user_id == device.user_id, count)

    def told(self, device: Device, count: int, *, topic: str = DOWNSTREAM) -> list[DownstreamRecord]:
        """Return what goes down to this user."""
        return self.records(topic, DownstreamRecord, lambda r: r.user_id == device.user_id, count)

    def tasks_of(self, device: Device, count: int) -> list[TaskRecord]:
        """Return the tasks that name this user."""

        def names(record: TaskRecord) -> bool:
            return isinstance(record.task, OfflineTask) and device.user_id in record.task.user_ids

        return self.records(TASK_TOPIC, TaskRecord, names, count)


@pytest.fixture(scope="module")
def gateway_environ(
    mysql_server: MySqlServer, redis_cluster: RedisCluster, kafka_broker: KafkaBroker
) -> Iterator[dict[str, str]]:
    kafka_broker.create_topics(**{UPSTREAM_TOPIC: 4, TASK_TOPIC: 4, DOWNSTREAM: 4, ELSEWHERE: 4, DEAD_LETTER_TOPIC: 1})
    with fresh_database(mysql_server, label="gateway") as name:
        environ = {
            "GOCHAT_STAGE": "test",
            "GOCHAT_CELL_ID": CELL,
            "GOCHAT_MYSQL_HOST": mysql_server.host,
            "GOCHAT_MYSQL_PORT": str(mysql_server.port),
            "GOCHAT_MYSQL_USER": mysql_server.user,
            "GOCHAT_MYSQL_DATABASE": name,
            "GOCHAT_REDIS_HOST": redis_cluster.host,
            "GOCHAT_REDIS_PORT": str(redis_cluster.port),
            "GOCHAT_KAFKA_BOOTSTRAP": kafka_broker.address,
        }
        migrate_from(environ)
        yield environ


@pytest.fixture
def gateway(
    gateway_environ: dict[str, str], kafka_broker: KafkaBroker, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Gateway]:
    parts = build(gateway_environ)
    monkeypatch.setattr(handler, "wiring", lambda: parts)
    database, cache = database_from(gateway_environ), cache_from(gateway_environ)
    connections = Connections(database, cache)
    yield Gateway(
        environ=gateway_environ,
        broker=kafka_broker,
        parts=parts,
        connections=connections,
        endings=SessionEndings(database, cache, connections),
    )
    discard(parts)


def discard(parts: Wiring) -> None:
    """Stop the producer's thread, as the end of a container would."""
    getattr(parts.producer, "discard", lambda: None)()


def replace(parts: Wiring, **changes: Any) -> Wiring:
    """Return the wiring with other parts."""
    return Wiring(**{**{name: getattr(parts, name) for name in parts.__dataclass_fields__}, **changes})


def text(body: str = "hi", **members: Any) -> dict[str, Any]:
    return {"client_msg_id": "m-1", "type": "text", "content": {"text": body}, **members}


def use(gateway: Gateway, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
    parts = replace(gateway.parts, **changes)
    monkeypatch.setattr(handler, "wiring", lambda: parts)


def without_redis(gateway: Gateway) -> dict[str, Any]:
    environ = {**gateway.environ, "GOCHAT_REDIS_HOST": AWAY, "GOCHAT_REDIS_PORT": AWAY_PORT}
    database, cache = database_from(environ), cache_from(environ)
    sessions = SessionStore(database, cache)
    rate = Rate(per_s=1, burst=1)
    return {
        "connections": Connections(database, cache),
        "sessions": sessions,
        "gate": Gate(cache, sessions, user_rate=rate, conversation_rate=rate),
        "presence": Presence(database, cache),
    }


def flush(gateway: Gateway) -> None:
    import redis

    with redis.Redis(
        host=gateway.environ["GOCHAT_REDIS_HOST"], port=int(gateway.environ["GOCHAT_REDIS_PORT"])
    ) as client:
        client.flushall()
