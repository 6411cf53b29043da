import time
from datetime import UTC, datetime

import pytest
from confluent_kafka import Producer

from local_stage.services import KafkaBroker
from local_stage.services.topics import admin_client
from tests.fixtures.lambda_endpoint import serving
from tests.fixtures.mappings import committed, polling, produce


@pytest.fixture
def topic(apache_kafka: KafkaBroker, topic_name: str) -> str:
    apache_kafka.create_topics(**{topic_name: 2})
    return topic_name


def test_a_killed_broker_comes_back_with_its_records_and_offsets(apache_kafka: KafkaBroker, topic: str) -> None:
    with serving() as endpoint, polling(endpoint.url):
        endpoint.add_mapping(topic, topic=topic, bootstrap=apache_kafka.address)
        produce(apache_kafka.address, topic, ["a", "b"], partition=0)
        endpoint.wait_for(lambda: committed(apache_kafka.address, f"group-{topic}", topic, 2) == {0: 2})
        apache_kafka.kill()
        apache_kafka.restart()
        produce(apache_kafka.address, topic, ["c"], partition=0)
        endpoint.wait_for(lambda: endpoint.delivered() == [0, 1, 2], timeout_s=30)
        endpoint.wait_for(lambda: committed(apache_kafka.address, f"group-{topic}", topic, 2) == {0: 3})


def test_records_produced_while_the_poller_was_away_arrive_after_a_restart_of_both(
    apache_kafka: KafkaBroker, topic: str
) -> None:
    with serving() as endpoint:
        endpoint.add_mapping(topic, topic=topic, bootstrap=apache_kafka.address)
        with polling(endpoint.url):
            produce(apache_kafka.address, topic, ["a"], partition=0)
            endpoint.wait_for(lambda: committed(apache_kafka.address, f"group-{topic}", topic, 2) == {0: 1})
        produce(apache_kafka.address, topic, ["b"], partition=0)
        apache_kafka.restart()
        with polling(endpoint.url):
            endpoint.wait_for(lambda: endpoint.delivered() == [0, 1], timeout_s=30)


def test_a_topic_that_is_deleted_and_made_anew_is_read_from_its_beginning(
    apache_kafka: KafkaBroker, topic: str
) -> None:
    with serving() as endpoint, polling(endpoint.url):
        endpoint.add_mapping(topic, topic=topic, bootstrap=apache_kafka.address)
        produce(apache_kafka.address, topic, ["a", "b"], partition=0)
        endpoint.wait_for(lambda: committed(apache_kafka.address, f"group-{topic}", topic, 2) == {0: 2})
        admin = admin_client(apache_kafka.address)
        admin.delete_topics([topic])[topic].result(20)
        endpoint.wait_for(lambda: topic not in admin.list_topics(timeout=5).topics)
        apache_kafka.create_topics(**{topic: 2})
        produce(apache_kafka.address, topic, ["c", "d", "e"], partition=0)
        # A record behind the old position may come once more, before the new topic is noticed; none stays behind.
        endpoint.wait_for(lambda: endpoint.delivered()[2:][-3:] == [0, 1, 2], timeout_s=30)


def test_latest_skips_what_was_there_before(apache_kafka: KafkaBroker, topic: str) -> None:
    produce(apache_kafka.address, topic, ["old"] * 5, partition=0)
    with serving() as endpoint, polling(endpoint.url) as supervisor:
        endpoint.add_mapping(topic, topic=topic, bootstrap=apache_kafka.address, StartingPosition="LATEST")
        endpoint.wait_for(lambda: [status.state for status in supervisor.statuses()] == ["Running"])

        def arrived() -> bool:
            produce(apache_kafka.address, topic, ["new"], partition=0)
            return bool(endpoint.delivered())

        endpoint.wait_for(arrived)
    assert min(endpoint.delivered()) >= 5


def test_a_timestamp_starts_at_the_first_record_that_is_not_older(apache_kafka: KafkaBroker, topic: str) -> None:
    now_ms = int(time.time() * 1000)
    producer = Producer({"bootstrap.servers": apache_kafka.address})
    for age_s in (300, 200, 100):
        producer.produce(topic, value=str(age_s).encode(), partition=0, timestamp=now_ms - age_s * 1000)
    assert producer.flush(15) == 0
    at = datetime.fromtimestamp(now_ms / 1000 - 200, tz=UTC)
    with serving() as endpoint, polling(endpoint.url):
        endpoint.add_mapping(
            topic,
            topic=topic,
            bootstrap=apache_kafka.address,
            StartingPosition="AT_TIMESTAMP",
            StartingPositionTimestamp=at.timestamp(),
        )
        endpoint.wait_for(lambda: len(endpoint.delivered()) == 2)
    assert endpoint.delivered() == [1, 2]


def test_offsets_without_a_record_hold_nothing_up(apache_kafka: KafkaBroker, topic: str) -> None:
    producer = Producer({"bootstrap.servers": apache_kafka.address, "transactional.id": topic})
    producer.init_transactions(15)
    for value in ("a", "b"):
        producer.begin_transaction()
        producer.produce(topic, value=value, partition=0)
        producer.commit_transaction(15)  # its marker takes the offset after the record
    with serving() as endpoint, polling(endpoint.url):
        endpoint.add_mapping(topic, topic=topic, bootstrap=apache_kafka.address)
        endpoint.wait_for(lambda: endpoint.delivered() == [0, 2], timeout_s=30)
