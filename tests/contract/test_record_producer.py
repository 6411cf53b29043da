"""The contract of RecordProducer, held by the in-memory fake and by the real one against a real broker."""

import time
from collections.abc import Callable, Iterator
from typing import Protocol

import pytest
from kafka import KafkaConsumer, TopicPartition

from gochat_aws.kafka_login import KafkaSettings
from gochat_aws.kafka_producer import MAX_RECORD_BYTES, KafkaRecordProducer, OutgoingRecord, RecordProducer
from gochat_core.errors import PayloadTooLarge, Unavailable
from local_stage.services.kafka import KafkaBroker
from tests.fakes.producer import InMemoryProducer


class Stage(Protocol):
    """A producer together with a way to read back what it wrote and to take its broker away."""

    producer: RecordProducer

    def read(self, topic: str, count: int) -> list[OutgoingRecord]: ...

    def take_broker_away(self) -> None: ...

    def bring_broker_back(self) -> None: ...


class FakeStage:
    def __init__(self) -> None:
        self.fake = InMemoryProducer()
        self.producer: RecordProducer = self.fake

    def read(self, topic: str, count: int) -> list[OutgoingRecord]:
        return self.fake.of_topic(topic)

    def take_broker_away(self) -> None:
        self.fake.available = False

    def bring_broker_back(self) -> None:
        self.fake.available = True


class RealStage:
    def __init__(self, address: str) -> None:
        self.address = address
        self.kafka = KafkaRecordProducer(KafkaSettings(kafka_bootstrap=address), client_id="contract", timeout_s=2.0)
        self.producer: RecordProducer = self.kafka

    def read(self, topic: str, count: int) -> list[OutgoingRecord]:
        consumer = KafkaConsumer(bootstrap_servers=self.address, auto_offset_reset="earliest", fetch_max_wait_ms=50)
        found: list[OutgoingRecord] = []
        try:
            consumer.assign([TopicPartition(topic, 0)])
            deadline = time.monotonic() + 10
            while len(found) < count and time.monotonic() < deadline:
                for batch in consumer.poll(timeout_ms=200).values():
                    found += [
                        OutgoingRecord(topic=topic, key=r.key, value=r.value, headers=tuple(r.headers)) for r in batch
                    ]
        finally:
            consumer.close()
        return found

    def take_broker_away(self) -> None:
        self.kafka.discard()
        self.kafka._settings = KafkaSettings(kafka_bootstrap="127.0.0.1:1")

    def bring_broker_back(self) -> None:
        self.kafka._settings = KafkaSettings(kafka_bootstrap=self.address)


@pytest.fixture(params=["fake", "kafka"])
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    if request.param == "fake":
        yield FakeStage()
        return
    broker: KafkaBroker = request.getfixturevalue("kafka_broker")
    real = RealStage(broker.address)
    yield real
    real.kafka.discard()


@pytest.fixture
def topic(request: pytest.FixtureRequest, stage: Stage, topic_name: str) -> str:
    if isinstance(stage, RealStage):
        create: Callable[..., None] = request.getfixturevalue("kafka_broker").create_topics
        create(**{topic_name: 1})
    return topic_name


def records(topic: str, *values: bytes) -> list[OutgoingRecord]:
    return [OutgoingRecord(topic=topic, key=b"c1", value=value, headers=(("x-request-id", b"r1"),)) for value in values]


def test_what_produce_returned_from_can_be_read_in_its_order_with_key_and_headers(stage: Stage, topic: str) -> None:
    written = records(topic, *(f"message {number}".encode() for number in range(200)))

    stage.producer.produce(written[:120])
    stage.producer.produce(written[120:])

    assert stage.read(topic, 200) == written


def test_producing_nothing_needs_no_broker(stage: Stage) -> None:
    stage.take_broker_away()

    stage.producer.produce([])


def test_a_broker_that_is_away_makes_it_unavailable_and_a_later_call_succeeds(stage: Stage, topic: str) -> None:
    stage.take_broker_away()
    with pytest.raises(Unavailable) as refused:
        stage.producer.produce(records(topic, b"lost"))
    assert refused.value.retry_after_ms
    stage.bring_broker_back()

    stage.producer.produce(records(topic, b"kept"))

    assert stage.read(topic, 1) == records(topic, b"kept")


def test_a_record_that_no_broker_takes_is_refused_before_anything_is_sent(stage: Stage, topic: str) -> None:
    with pytest.raises(PayloadTooLarge):
        stage.producer.produce(records(topic, b"small", b"x" * MAX_RECORD_BYTES))

    stage.producer.produce(records(topic, b"after"))
    assert stage.read(topic, 1) == records(topic, b"after")
