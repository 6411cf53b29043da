"""What the benchmarks of messages share: real servers with people in them, batches, and the naive twin of im-logic."""

import io
import json
import os
import platform
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import hiredis
import msgspec
import pymysql
import redis
from aws_lambda_powertools import Logger

from gochat_aws.kafka_event import IncomingRecord
from gochat_aws.kafka_login import KafkaSettings
from gochat_aws.kafka_producer import KafkaRecordProducer
from gochat_core.clock import SystemClock
from gochat_core.ids import single_conversation_id
from gochat_repo.cache import RedisSettings
from gochat_repo.migrate import migrate
from gochat_repo.mysql_pool import MySqlSettings
from local_stage.services.kafka import start_tansu
from local_stage.services.mysql import start_mysql
from local_stage.services.redis import start_redis
from tests.fakes.producer import InMemoryProducer
from tests.integration.messages.frames import (
    G1,
    LAPTOP,
    PHONE,
    delivered,
    edit,
    frame,
    pairs,
    react,
    read,
    recall,
    typing,
    unreact,
)
from tests.integration.messages.stage import Door, Stage, open_door

CHATS = 50
PER_CHAT = 2
BATCH = CHATS * PER_CHAT


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One measurement: messages a second, and CPU of this process a message."""

    rate: float
    cpu_us: float


@dataclass(frozen=True, kw_only=True)
class Bench:
    """Running servers and the two doors that are compared."""

    door: Door
    naive: "NaiveDoor"


@contextmanager
def running_bench() -> Iterator[Bench]:
    """Start MySQL (a commit is on disk), Redis in cluster mode and Kafka; a hundred people, two devices each."""
    with tempfile.TemporaryDirectory() as folder:
        mysql, cluster = start_mysql(Path(folder) / "mysql"), start_redis(Path(folder) / "redis")
        broker = start_tansu(Path(folder) / "kafka")
        broker.create_topics(**{f"im-downstream-topic-{G1}": 1, "im-task-topic": 1})
        try:
            settings = MySqlSettings(
                mysql_host=mysql.host, mysql_port=mysql.port, mysql_user=mysql.user, mysql_database="gochat"
            )
            cache = RedisSettings(redis_host=cluster.host, redis_port=cluster.port)
            migrate(settings)
            populate(Stage(mysql=settings, redis=cache, producer=InMemoryProducer()))
            producer = KafkaRecordProducer(KafkaSettings(kafka_bootstrap=broker.address), client_id="bench")
            door = open_door(settings, cache, producer, SystemClock())
            naive = NaiveDoor(settings, cache, broker.address)
            yield Bench(door=door, naive=naive)
            door.close()
            producer.discard()
            naive.close()
        finally:
            for service in (mysql, cluster, broker):
                service.stop()


def populate(stage: Stage) -> None:
    """Add the people, connect their devices, and open their chats."""
    stage.open_door()
    people = [user for pair in pairs(CHATS) for user in pair]
    stage.add_users(*people)
    for user in people:
        stage.connect(user, PHONE)
        stage.connect(user, LAPTOP)
    stage.doors[0].apply(*batch("opening"))
    stage.close()


def batch(name: str) -> list[IncomingRecord]:
    """Return a batch of 100 messages over 50 chats that were never sent before."""
    return [
        frame(f"{name}-{number}", sender=one, peer=other, text="The quick brown fox jumps over the lazy dog." * 3)
        for one, other in pairs(CHATS)
        for number in range(PER_CHAT)
    ]


def mixed_batch(name: str) -> list[IncomingRecord]:
    """Return 100 commands of every action over the same 50 chats; each finds something to change."""
    records: list[IncomingRecord] = []
    for number, (one, other) in enumerate(pairs(CHATS)):
        chat = single_conversation_id(one, other)
        seq = 1 + number % 2
        records += [
            frame(f"{name}-{number}", sender=one, peer=other),
            (
                edit(seq, name, by=one, chat=chat),
                react(seq, f"{name[-1]}\N{COMBINING ENCLOSING KEYCAP}", by=other, chat=chat),
                unreact(seq, f"{name[-1]}\N{COMBINING ENCLOSING KEYCAP}", by=one, chat=chat),
                read(2**62, by=other, chat=chat),
                delivered(2**62, by=other, chat=chat),
                recall(3 + int(name[-1]), by=one, chat=chat),
                typing(by=other, chat=chat, at_ms=time.time_ns() // 1_000_000),
            )[number % 7],
        ]
    return records


class NaiveDoor:
    """What one writes first: one message at a time, one call for each thing to be known or said."""

    def __init__(self, mysql: MySqlSettings, cache: RedisSettings, bootstrap: str) -> None:
        from kafka import KafkaProducer

        self._mysql = pymysql.connect(
            host=mysql.mysql_host,
            port=mysql.mysql_port,
            user=mysql.mysql_user,
            database=mysql.mysql_database,
            ssl_disabled=True,
        )
        self._cache = redis.RedisCluster(host=cache.redis_host, port=cache.redis_port)
        self._producer: Any = KafkaProducer(bootstrap_servers=bootstrap, acks="all")
        self._logger = Logger(service="naive", stream=io.StringIO())
        self._next_id = time.time_ns()

    def close(self) -> None:
        """Close the clients."""
        self._mysql.close()
        self._cache.close()
        self._producer.close()

    def apply(self, records: Sequence[IncomingRecord]) -> None:
        """Apply records one by one."""
        for record in records:
            command, sender = self._decode(record)
            self.persist(command, sender)
            for user in (sender["user_id"], command["to"]):
                self._announce(user, command)
            self._tick_off(command)
            self._logger.info("message stored", extra={"client_msg_id": command["client_msg_id"]})

    def persist_one(self, decoded: tuple[dict[str, Any], dict[str, Any]]) -> None:
        """Store one decoded message."""
        self.persist(*decoded)

    def persist(self, command: dict[str, Any], sender: dict[str, Any]) -> None:
        """Store one message in a transaction of its own: lock, dedupe, permission, insert, bump, outbox, commit."""
        chat, user = bytes.fromhex(command["conversation_id"]), sender["user_id"]
        content = json.dumps(command["content"])
        digest = blake2b(content.encode(), digest_size=16).digest()
        now_ms = time.time_ns() // 1_000_000
        self._next_id += 1
        self._mysql.begin()
        with self._mysql.cursor() as cursor:
            seq = self._lock(cursor, chat) + 1
            cursor.execute(
                "SELECT seq FROM messages WHERE conversation_id = %s AND sender_id = %s AND client_msg_id = %s",
                (chat, user, command["client_msg_id"]),
            )
            assert cursor.fetchone() is None
            cursor.execute("SELECT user_id FROM conversation_participants WHERE conversation_id = %s", (chat,))
            assert cursor.fetchall()
            cursor.execute("SELECT user_id FROM users WHERE user_id = %s AND deleted_at_ms IS NULL", (command["to"],))
            assert cursor.fetchone()
            cursor.execute(
                "INSERT INTO messages (conversation_id, seq, message_id, sender_id, client_msg_id, content_hash, type,"
                " content, created_at_ms) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
                (chat, seq, self._next_id, user, command["client_msg_id"], digest, "text", content, now_ms),
            )
            cursor.execute(
                "UPDATE conversations SET last_seq = %s, updated_at_ms = %s WHERE conversation_id = %s",
                (seq, now_ms, chat),
            )
            cursor.execute(
                "UPDATE conversation_participants SET activity_at_ms = %s WHERE conversation_id = %s", (now_ms, chat)
            )
            cursor.execute(
                "UPDATE conversation_participants SET sent_seq = %s WHERE conversation_id = %s AND user_id = %s",
                (seq, chat, user),
            )
            cursor.execute(
                "INSERT INTO outbox (conversation_id, kind, number, created_at_ms) VALUES (%s, 'message', %s, %s)",
                (chat, seq, now_ms),
            )
        self._mysql.commit()

    @staticmethod
    def _lock(cursor: pymysql.cursors.Cursor, chat: bytes) -> int:
        cursor.execute("SELECT last_seq FROM conversations WHERE conversation_id = %s FOR UPDATE", (chat,))
        row = cursor.fetchone()
        assert row is not None
        return int(row[0])

    def _tick_off(self, command: dict[str, Any]) -> None:
        with self._mysql.cursor() as cursor:
            chat = bytes.fromhex(command["conversation_id"])
            cursor.execute("DELETE FROM outbox WHERE conversation_id = %s", (chat,))
        self._mysql.commit()

    @staticmethod
    def _decode(record: IncomingRecord) -> tuple[dict[str, Any], dict[str, Any]]:
        value = json.loads(record.value or b"")
        command, sender = value["command"], value["sender"]
        for name in ("conversation_id", "client_msg_id", "type", "content"):
            assert name in command
        return command, sender

    def _announce(self, user: int, command: dict[str, Any]) -> None:
        held = self._cache.get(f"user_conns:{user}")
        connections = json.loads(held[1:]) if isinstance(held, bytes) and held.startswith(b"=") else []
        for connection in connections or [{"connection_id": "x="}, {"connection_id": "y="}]:
            value = json.dumps({"connection": connection["connection_id"], "data": command}).encode()
            self._producer.send(f"im-downstream-topic-{G1}", key=str(user).encode(), value=value).get(timeout=10)


def decoded(records: Sequence[IncomingRecord]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Decode a batch for the naive twin beforehand, where decoding is not what is measured."""
    return [NaiveDoor._decode(record) for record in records]


def measure(messages: int, work: Callable[[], object]) -> Sample:
    """Run work that handles so many messages."""
    before, started = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    work()
    elapsed, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Sample(rate=messages / elapsed, cpu_us=cpu / messages * 1e6)


def show(name: str, samples: Sequence[Sample]) -> Sample:
    """Print the median and the spread, and return the median."""
    rates, cpus = [one.rate for one in samples], [one.cpu_us for one in samples]
    median = Sample(rate=statistics.median(rates), cpu_us=statistics.median(cpus))
    print(  # noqa: T201
        f"  {name:<34} {median.rate:9,.0f} msg/s ({min(rates):,.0f} to {max(rates):,.0f})"
        f"   CPU {median.cpu_us:8.1f} us a message ({min(cpus):.1f} to {max(cpus):.1f})"
    )
    return median


def show_machine() -> None:
    """Print what was measured on."""
    print(  # noqa: T201
        f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"msgspec {msgspec.__version__}, PyMySQL {pymysql.VERSION_STRING}, redis {redis.__version__}, "
        f"hiredis {hiredis.__version__}"
    )


def judge(name: str, ratio: float, budget: float) -> None:
    """Print how a ratio stands against its budget."""
    print(f"{'met   ' if ratio >= budget else 'MISSED'}  {name}: {ratio:.1f}")  # noqa: T201
