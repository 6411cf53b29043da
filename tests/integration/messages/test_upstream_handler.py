import base64
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from kafka import KafkaConsumer, TopicPartition

from gochat_aws.kafka_event import IncomingRecord
from gochat_contracts.records import (
    DEAD_LETTER_TOPIC,
    TASK_TOPIC,
    DeadLetter,
    DownstreamRecord,
    OfflineTask,
    TaskRecord,
    decode,
    downstream_topic,
)
from gochat_core.errors import Unavailable
from local_stage.services.kafka import KafkaBroker, start_tansu
from logic.upstream import handler
from logic.upstream.wiring import wire
from tests.integration.messages.frames import ALICE, BOB, G1, frame, incoming
from tests.integration.messages.stage import Stage

SECRET = "the text that nobody else may read"
TRACE = "Root=1-67400000-0123456789abcdef01234567;Sampled=0"


class Container:
    """The function in its environment, called with events as Lambda sends them."""

    def __init__(self, broker: KafkaBroker, stage: Stage) -> None:
        self.broker = broker
        self.stage = stage

    def handle(self, *records: IncomingRecord) -> Any:
        return handler.handle(event(*records), None)

    def read(self, topic: str, count: int) -> list[bytes]:
        """Read so many records that this test produced to a topic."""
        consumer = KafkaConsumer(bootstrap_servers=self.broker.address, auto_offset_reset="earliest")
        found: list[bytes] = []
        try:
            consumer.assign([TopicPartition(topic, 0)])
            deadline = time.monotonic() + 10
            while len(found) < count and time.monotonic() < deadline:
                for batch in consumer.poll(timeout_ms=200).values():
                    found += [record.value for record in batch]
        finally:
            consumer.close()
        return found


def event(*records: IncomingRecord) -> dict[str, Any]:
    """Write records as the event of a Kafka mapping."""
    return {
        "eventSource": "aws:kafka",
        "records": {
            "im-upstream-topic-0": [
                {
                    "topic": one.topic,
                    "partition": one.partition,
                    "offset": one.offset,
                    "timestamp": one.timestamp_ms,
                    "timestampType": "CREATE_TIME",
                    "key": base64.b64encode(one.key or b"").decode(),
                    "value": base64.b64encode(one.value or b"").decode(),
                    "headers": [{name: list(value)} for name, value in one.headers.items()],
                }
                for one in records
            ]
        },
    }


@pytest.fixture
def kafka_broker(tmp_path: Path) -> Iterator[KafkaBroker]:
    """Run a broker of the test's own: the topics have the names that the product gives them."""
    broker = start_tansu(tmp_path)
    yield broker
    broker.stop()


@pytest.fixture
def container(stage: Stage, kafka_broker: KafkaBroker, monkeypatch: pytest.MonkeyPatch) -> Iterator[Container]:
    kafka_broker.create_topics(**{TASK_TOPIC: 1, DEAD_LETTER_TOPIC: 1, downstream_topic(G1): 1})
    environ = {
        "GOCHAT_STAGE": "test",
        "GOCHAT_CELL_ID": G1,
        "GOCHAT_KAFKA_BOOTSTRAP": kafka_broker.address,
        "GOCHAT_MYSQL_HOST": stage.mysql.mysql_host,
        "GOCHAT_MYSQL_PORT": str(stage.mysql.mysql_port),
        "GOCHAT_MYSQL_USER": stage.mysql.mysql_user,
        "GOCHAT_MYSQL_DATABASE": stage.mysql.mysql_database,
        "GOCHAT_REDIS_HOST": stage.redis.redis_host,
        "GOCHAT_REDIS_PORT": str(stage.redis.redis_port),
        "GOCHAT_PARTIAL_BATCH": "true",
    }
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    wire.cache_clear()
    yield Container(kafka_broker, stage)
    wire().database.close()
    wire().cache.close()
    wire.cache_clear()


def test_an_event_becomes_downstream_records_tasks_and_dead_letters(container: Container) -> None:
    stage = container.stage
    stage.connect(ALICE)
    traced = incoming(frame("a", text=SECRET).value, headers={"x-amzn-trace-id": TRACE.encode()})
    assert container.handle(traced, incoming(b"?")) == {"batchItemFailures": []}
    (own,) = [decode(DownstreamRecord, one) for one in container.read(downstream_topic(G1), 1)]
    assert own.user_id == ALICE
    stored, created = own.items
    assert (stored.event, created.event) == ("message.stored", "conversation.created")
    assert msgspec.json.decode(stored.data)["seq"] == 1
    assert stored.trace == TRACE
    task = decode(TaskRecord, container.read(TASK_TOPIC, 1)[0])
    assert isinstance(task.task, OfflineTask)
    assert task.task.user_ids == (BOB,)
    assert task.trace == TRACE
    assert decode(DeadLetter, container.read(DEAD_LETTER_TOPIC, 1)[0]).reason == "unreadable"
    stage.check_all_announced()


def test_a_batch_leaves_one_log_line_and_no_word_of_what_was_written(
    container: Container, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # The logger of a name is made once in a process, with the stdout of then.
    monkeypatch.setattr(wire().logger.registered_handler, "stream", sys.stdout)
    container.handle(frame("a", text=SECRET), frame("b", text=SECRET, type_="x" * 17), incoming(SECRET.encode()))
    out = capsys.readouterr().out
    lines = [json.loads(line) for line in out.splitlines()]
    (batch,) = [line for line in lines if line.get("message") == "batch applied"]
    assert batch["counts"] == {"stored": 1, "dead_letters": 2}
    assert batch["rejected"] == {"internal_error": 1}
    assert batch["database_round_trips"] > 0
    assert SECRET not in out
    (metrics,) = [line for line in lines if "_aws" in line]
    assert (metrics["Stored"], metrics["BatchSize"]) == ([1.0], [3.0])
    assert metrics["Settled"] == [3.0], "stored, refused, unreadable: none of them comes again"


def test_records_that_must_come_again_are_named_where_that_is_honoured(
    container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = [frame("a"), incoming(b"?"), frame("b")]
    monkeypatch.setenv("GOCHAT_MYSQL_PORT", "9")
    wire.cache_clear()
    answer = container.handle(*records)
    assert [one["itemIdentifier"]["offset"] for one in answer["batchItemFailures"]] == [
        records[0].offset,
        records[2].offset,
    ]
    assert {one["itemIdentifier"]["partition"] for one in answer["batchItemFailures"]} == {"im-upstream-topic-0"}


def test_where_it_is_not_honoured_the_whole_batch_fails(container: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOCHAT_MYSQL_PORT", "9")
    monkeypatch.setenv("GOCHAT_PARTIAL_BATCH", "false")
    wire.cache_clear()
    with pytest.raises(Unavailable):
        container.handle(frame("a"))
