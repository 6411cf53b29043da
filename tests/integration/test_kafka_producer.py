"""The producer against a broker that freezes, dies and comes back, and against errors that poison kafka-python."""

import gc
import threading
import time
from collections.abc import Iterator

import psutil
import pytest
from kafka import KafkaConsumer, TopicPartition

from gochat_aws.kafka_login import KafkaSettings
from gochat_aws.kafka_producer import KafkaRecordProducer, OutgoingRecord
from gochat_core.errors import Unavailable
from local_stage.services.kafka import KafkaBroker, start_tansu
from tests.fixtures.fault_broker import Api, FaultBroker, fault_cluster

TIMEOUT_S = 1.5

# kafka-python forgets the socket of a connection that is being made when its producer is given up; the collector closes
# it. These tests do that on purpose, and collect before they end, so that no other test stumbles over it.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket.socket:ResourceWarning")


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    yield
    gc.collect()


@pytest.fixture
def broker(tmp_path_factory: pytest.TempPathFactory, topic_name: str) -> Iterator[KafkaBroker]:
    """Run a broker of the test's own, with one topic."""
    own = start_tansu(tmp_path_factory.mktemp("kafka"))
    own.create_topics(**{topic_name: 1})
    yield own
    own.stop()


@pytest.fixture
def producer(broker: KafkaBroker) -> Iterator[KafkaRecordProducer]:
    made = KafkaRecordProducer(KafkaSettings(kafka_bootstrap=broker.address), client_id="test", timeout_s=TIMEOUT_S)
    yield made
    made.discard()


def record(topic: str, value: str) -> OutgoingRecord:
    return OutgoingRecord(topic=topic, key=b"k", value=value.encode())


def held(broker: KafkaBroker, topic: str, last: str) -> list[str]:
    """Read a topic's values until the last one expected."""
    consumer = KafkaConsumer(bootstrap_servers=broker.address, auto_offset_reset="earliest", fetch_max_wait_ms=20)
    consumer.assign([TopicPartition(topic, 0)])
    values: list[str] = []
    deadline = time.monotonic() + 10
    try:
        while last not in values and time.monotonic() < deadline:
            for batch in consumer.poll(timeout_ms=100).values():
                values += [raw.value.decode() for raw in batch]
    finally:
        consumer.close()
    return values


def freeze(broker: KafkaBroker) -> None:
    """Freeze the broker, and see that it is frozen: the signal alone takes effect a moment later."""
    broker.pause()
    process = psutil.Process(broker.pid)
    deadline = time.monotonic() + 5
    while process.status() != psutil.STATUS_STOPPED and time.monotonic() < deadline:
        threading.Event().wait(0.005)


def test_a_frozen_broker_is_unavailable_within_the_time_limit_and_thawed_it_serves_again(
    broker: KafkaBroker, producer: KafkaRecordProducer, topic_name: str
) -> None:
    producer.produce([record(topic_name, "before")])
    freeze(broker)
    began_s = time.monotonic()
    try:
        with pytest.raises(Unavailable):
            producer.produce([record(topic_name, "meanwhile")])
    finally:
        broker.resume()
    assert time.monotonic() - began_s < TIMEOUT_S + 2

    producer.produce([record(topic_name, "after")])

    values = held(broker, topic_name, "after")
    assert values[0] == "before"
    assert values[-1] == "after", "what was given up is not sent behind the back of what came later"


def test_a_broker_that_restarted_is_found_again(
    broker: KafkaBroker, producer: KafkaRecordProducer, topic_name: str
) -> None:
    producer.produce([record(topic_name, "before")])
    broker.kill()
    with pytest.raises(Unavailable):
        producer.produce([record(topic_name, "meanwhile")])
    broker.restart()
    broker.create_topics(**{topic_name: 1})

    producer.produce([record(topic_name, "after")])

    assert held(broker, topic_name, "after") == ["after"]


NOT_LEADER, TOPIC_AUTHORIZATION_FAILED, NOT_ENOUGH_REPLICAS = 6, 29, 19
"""Kafka protocol guide, "Error codes": the first and the last may be tried again, the other may not."""


@pytest.fixture
def faulty(topic_name: str) -> Iterator[tuple[FaultBroker, KafkaRecordProducer]]:
    """Give a broker that fails on demand, and its producer."""
    with fault_cluster() as cluster:
        cluster.create_topic(topic_name)
        made = KafkaRecordProducer(
            KafkaSettings(kafka_bootstrap=cluster.bootstrap), client_id="test", timeout_s=TIMEOUT_S, api_version=(2, 3)
        )
        yield cluster, made
        made.discard()


def test_an_error_that_poisons_the_producer_is_over_with_the_next_call(
    faulty: tuple[FaultBroker, KafkaRecordProducer], topic_name: str
) -> None:
    cluster, producer = faulty
    producer.produce([record(topic_name, "before")])
    cluster.fail_requests(Api.PRODUCE, TOPIC_AUTHORIZATION_FAILED)

    with pytest.raises(Unavailable):
        producer.produce([record(topic_name, "lost")])

    producer.produce([record(topic_name, "after")])


def test_what_the_broker_refuses_for_a_moment_is_tried_again(
    faulty: tuple[FaultBroker, KafkaRecordProducer], topic_name: str
) -> None:
    cluster, producer = faulty
    cluster.fail_requests(Api.PRODUCE, NOT_LEADER, NOT_ENOUGH_REPLICAS)

    producer.produce([record(topic_name, "kept")])


def test_failing_again_and_again_leaves_no_threads_behind(topic_name: str) -> None:
    producer = KafkaRecordProducer(KafkaSettings(kafka_bootstrap="127.0.0.1:1"), client_id="test", timeout_s=0.2)
    before = threading.active_count()

    for _ in range(5):
        with pytest.raises(Unavailable):
            producer.produce([record(topic_name, "lost")])

    assert threading.active_count() <= before


def test_a_frozen_broker_leaves_no_threads_behind(
    broker: KafkaBroker, producer: KafkaRecordProducer, topic_name: str
) -> None:
    before = threading.active_count()
    for _ in range(2):
        producer.produce([record(topic_name, "before")])
        freeze(broker)
        try:
            with pytest.raises(Unavailable):
                producer.produce([record(topic_name, "meanwhile")])
        finally:
            broker.resume()

    deadline = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < deadline:
        threading.Event().wait(0.02)
    assert threading.active_count() <= before
