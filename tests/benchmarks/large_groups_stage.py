"""What the benchmarks of large groups share: real servers, functions in processes of their own, and the naive twin."""

import asyncio
import base64
import multiprocessing
import os
import re
import resource
import ssl
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import confluent_kafka

from gochat_repo.migrate import migrate_from
from gochat_repo.mysql import Database, database_from
from local_stage.services.kafka import start_tansu
from local_stage.services.mysql import start_mysql
from local_stage.services.redis import start_redis
from tests.fakes.connections_server import make_certificate

TASKS, BULK, SINGLES = "im-task-topic", "im-downstream-bulk-topic-g1", "im-downstream-topic-g1"
PARTITIONS = 4
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_CONTEXT = multiprocessing.get_context("spawn")

Channel = Any
"""One end of a pipe between processes."""


@dataclass(frozen=True, kw_only=True)
class Servers:
    """What runs while a benchmark does: the environment of functions, and the database."""

    environ: Mapping[str, str]
    database: Database
    folder: Path


@contextmanager
def running_servers() -> Iterator[Servers]:
    """Start MySQL (a commit is on disk), Redis in cluster mode and Kafka."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        mysql, cluster = start_mysql(folder / "mysql"), start_redis(folder / "redis")
        broker = start_tansu(folder / "kafka")
        topics = (TASKS, BULK, SINGLES, "im-push-topic", "im-dead-letter-topic")
        broker.create_topics(**dict.fromkeys(topics, PARTITIONS))
        make_certificate(folder)
        environ = {
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_SESSION_TOKEN": "t" * 400,
            "POWERTOOLS_METRICS_DISABLED": "true",
            "SSL_CERT_FILE": str(folder / "certificate.pem"),
            "GOCHAT_STAGE": "bench",
            "GOCHAT_CELL_ID": "g1",
            "GOCHAT_LOG_LEVEL": "CRITICAL",
            "GOCHAT_KAFKA_BOOTSTRAP": broker.address,
            "GOCHAT_MYSQL_HOST": mysql.host,
            "GOCHAT_MYSQL_PORT": str(mysql.port),
            "GOCHAT_MYSQL_USER": mysql.user,
            "GOCHAT_MYSQL_DATABASE": "gochat",
            "GOCHAT_REDIS_HOST": cluster.host,
            "GOCHAT_REDIS_PORT": str(cluster.port),
            "GOCHAT_PARTIAL_BATCH": "true",
            "GOCHAT_WEBSOCKET_FUNCTION": "gateway-websocket",
        }
        try:
            migrate_from(environ)
            database = database_from(environ)
            yield Servers(environ=environ, database=database, folder=folder)
            database.close()
        finally:
            for service in (mysql, cluster, broker):
                service.stop()


class _Answering(asyncio.Protocol):
    """Answers every request with an empty 200; knows no more of HTTP than that needs."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport, self.data = transport, b""

    def data_received(self, data: bytes) -> None:
        self.data += data
        while (end := self.data.find(b"\r\n\r\n")) >= 0:
            length = _LENGTH.search(self.data[:end])
            end += 4 + (int(length[1]) if length else 0)
            if len(self.data) < end:
                return
            self.data = self.data[end:]
            self.transport.write(b"HTTP/1.1 200 OK\r\nx-amzn-RequestId: 1\r\nContent-Length: 0\r\n\r\n")


def serve_posts(folder: str, core: int | None, channel: Channel) -> None:
    """Be an `@connections` over TLS until the other end of `channel` is closed."""
    pin(core)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(Path(folder) / "certificate.pem")

    async def run() -> None:
        loop = asyncio.get_running_loop()
        listener = await loop.create_server(_Answering, "127.0.0.1", 0, ssl=context, backlog=1024)
        channel.send(f"https://127.0.0.1:{listener.sockets[0].getsockname()[1]}/bench")
        await loop.run_in_executor(None, channel.poll, None)

    asyncio.run(run())


def pin(core: int | None) -> None:
    """Keep this process on one core, as a lane with a capacity of its own."""
    if core is not None:
        os.sched_setaffinity(0, {core})


def cpu_seconds() -> float:
    """Return the CPU time of this process, user and system."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def peak_mib() -> float:
    """Return the most memory that this process ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def poll(
    environ: Mapping[str, str],
    topic: str,
    batch_size: int,
    handle: Callable[[Mapping[str, Any], object], object],
    ended: Event,
) -> None:
    """Be the mapping of a topic from its present end on: bring batches to a handler until told to stop."""
    consumer = confluent_kafka.Consumer(
        {
            "bootstrap.servers": environ["GOCHAT_KAFKA_BOOTSTRAP"],
            "group.id": "bench",
            "enable.auto.commit": False,
            "fetch.wait.max.ms": 5,
            "queued.max.messages.kbytes": 1024,
        }
    )
    places = [confluent_kafka.TopicPartition(topic, number) for number in range(PARTITIONS)]
    for place in places:
        place.offset = consumer.get_watermark_offsets(place, timeout=10)[1]
    consumer.assign(places)
    while not ended.is_set():
        messages = consumer.consume(batch_size, timeout=0.02)
        if messages:
            handle(kafka_event(topic, messages), None)
    consumer.close()


def kafka_event(topic: str, messages: Sequence[Any]) -> dict[str, Any]:
    """Write messages as Lambda's mapping does."""
    records: dict[str, list[dict[str, Any]]] = {}
    for one in messages:
        records.setdefault(f"{topic}-{one.partition()}", []).append(
            {
                "topic": topic,
                "partition": one.partition(),
                "offset": one.offset(),
                "timestamp": one.timestamp()[1],
                "key": base64.b64encode(one.key() or b"").decode(),
                "value": base64.b64encode(one.value() or b"").decode(),
                "headers": [],
            }
        )
    return {"eventSource": "aws:kafka", "records": records}


class Process:
    """A function of the benchmark in a process of its own: `main(*arguments, channel)`."""

    def __init__(self, main: Callable[..., None], *arguments: object) -> None:
        self.channel, there = _CONTEXT.Pipe()
        self._process = _CONTEXT.Process(target=main, args=(*arguments, there), daemon=True)
        self._process.start()
        there.close()

    def hear(self, *, within_s: float = 120.0) -> Any:
        """Return what it says next."""
        assert self.channel.poll(within_s), "a process of the benchmark says nothing"
        return self.channel.recv()

    def end(self) -> None:
        """Stop it."""
        self.channel.close()
        self._process.join(10)
        if self._process.is_alive():
            self._process.terminate()
            self._process.join()


def counter() -> Any:
    """Make a number that processes share."""
    return _CONTEXT.Value("Q", 0)


def event() -> Event:
    """Make an event that processes share."""
    return _CONTEXT.Event()


def wait_until(number: Any, reached: int, *, within_s: float = 300.0) -> float:
    """Return the seconds until a shared number is as large."""
    began = time.perf_counter()
    while number.value < reached:
        assert time.perf_counter() - began < within_s, "the benchmark stands still"
        time.sleep(0.002)
    return time.perf_counter() - began
