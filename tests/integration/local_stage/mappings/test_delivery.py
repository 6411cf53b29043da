import base64
import itertools
import threading
import time
from functools import partial
from typing import Any

import pytest

from local_stage.mappings.poller import PollerSettings
from local_stage.services import KafkaBroker
from tests.fixtures.lambda_endpoint import Event, LambdaEndpoint, serving
from tests.fixtures.mappings import QUICK, committed, polling, produce


@pytest.fixture
def topic(kafka_broker: KafkaBroker, topic_name: str) -> str:
    kafka_broker.create_topics(**{topic_name: 1})
    return topic_name


@pytest.fixture
def wide_topic(kafka_broker: KafkaBroker, topic_name: str) -> str:
    kafka_broker.create_topics(**{topic_name: 4})
    return topic_name


def add_mapping(endpoint: LambdaEndpoint, broker: KafkaBroker, topic: str, **fields: Any) -> None:
    endpoint.add_mapping(topic, topic=topic, bootstrap=broker.address, **fields)


def test_a_record_arrives_with_its_key_value_headers_and_times(kafka_broker: KafkaBroker, topic: str) -> None:
    before_ms = int(time.time() * 1000)
    with serving() as endpoint, polling(endpoint.url):
        add_mapping(endpoint, kafka_broker, topic)
        produce(kafka_broker.address, topic, [b"\x00\xff"], key=b"k", headers={"trace": b"\x80"})
        endpoint.wait_for(lambda: len(endpoint.delivered()) == 1)
    event = endpoint.invocations[0].event
    assert (event["eventSource"], event["bootstrapServers"]) == ("SelfManagedKafka", kafka_broker.address)
    (record,) = event["records"][f"{topic}-0"]
    assert before_ms <= record.pop("timestamp") <= int(time.time() * 1000)
    assert record == {
        "topic": topic,
        "partition": 0,
        "offset": 0,
        "timestampType": "CREATE_TIME",
        "key": base64.b64encode(b"k").decode(),
        "value": base64.b64encode(b"\x00\xff").decode(),
        "headers": [{"trace": [-128]}],
    }


def test_a_managed_cluster_is_found_by_its_arn_and_named_in_the_event(kafka_broker: KafkaBroker, topic: str) -> None:
    arn = "arn:aws:kafka:us-east-1:000000000000:cluster/gochat/1-2"
    produce(kafka_broker.address, topic, ["x"])
    with serving() as endpoint, polling(endpoint.url):
        endpoint.brokers[arn] = kafka_broker.address
        add_mapping(
            endpoint,
            kafka_broker,
            topic,
            SelfManagedEventSource=None,
            SelfManagedKafkaEventSourceConfig=None,
            EventSourceArn=arn,
            AmazonManagedKafkaEventSourceConfig={"ConsumerGroupId": f"managed-{topic}"},
        )
        endpoint.wait_for(lambda: len(endpoint.delivered()) == 1)
    event = endpoint.invocations[0].event
    assert (event["eventSource"], event["eventSourceArn"]) == ("aws:kafka", arn)
    assert event["bootstrapServers"] == kafka_broker.address
    assert committed(kafka_broker.address, f"managed-{topic}", topic) == {0: 1}


def test_every_record_goes_once_and_each_partition_in_order(kafka_broker: KafkaBroker, wide_topic: str) -> None:
    for partition in range(4):
        produce(kafka_broker.address, wide_topic, map(str, range(300)), partition=partition)
    with serving() as endpoint, polling(endpoint.url):
        add_mapping(endpoint, kafka_broker, wide_topic, BatchSize=50)
        endpoint.wait_for(lambda: len(endpoint.delivered()) >= 1200)
    for partition in range(4):
        place = f"{wide_topic}-{partition}"
        offsets = [offset for call in endpoint.invocations for offset in call.places.get(place, [])]
        assert offsets == list(range(300))
    assert max(len(call.offsets) for call in endpoint.invocations) <= 50


def test_partitions_are_worked_side_by_side_and_each_one_at_a_time(kafka_broker: KafkaBroker, wide_topic: str) -> None:
    together = threading.Barrier(2, timeout=10)

    def slow(event: Event) -> None:
        # Passes only if two invocations run at once.
        together.wait()

    with serving(slow) as endpoint, polling(endpoint.url):
        add_mapping(endpoint, kafka_broker, wide_topic, BatchSize=1)
        for partition in (0, 1):
            produce(kafka_broker.address, wide_topic, ["a", "b", "c"], partition=partition)
        endpoint.wait_for(lambda: len(endpoint.delivered()) == 6)
    for partition in (0, 1):
        calls = [call for call in endpoint.invocations if f"{wide_topic}-{partition}" in call.places]
        assert all(earlier.ended <= later.began for earlier, later in itertools.pairwise(calls))


def test_concurrency_is_bounded(kafka_broker: KafkaBroker, wide_topic: str) -> None:
    running: list[int] = []
    highest = 0
    lock = threading.Lock()

    def slow(event: Event) -> None:
        nonlocal highest
        with lock:
            running.append(1)
            highest = max(highest, len(running))
        time.sleep(0.05)
        with lock:
            running.pop()

    for partition in range(4):
        produce(kafka_broker.address, wide_topic, map(str, range(5)), partition=partition)
    with serving(slow) as endpoint, polling(endpoint.url, settings=PollerSettings(concurrency=2)):
        add_mapping(endpoint, kafka_broker, wide_topic, BatchSize=1)
        endpoint.wait_for(lambda: len(endpoint.delivered()) == 20)
    assert highest == 2


def test_a_batching_window_gathers_records(kafka_broker: KafkaBroker, topic: str) -> None:
    with serving() as endpoint, polling(endpoint.url):
        add_mapping(endpoint, kafka_broker, topic, MaximumBatchingWindowInSeconds=1)
        for value in ("a", "b", "c"):
            produce(kafka_broker.address, topic, [value])
        endpoint.wait_for(lambda: len(endpoint.delivered()) == 3)
    assert len(endpoint.invocations) == 1


def test_a_payload_stays_below_six_megabytes(kafka_broker: KafkaBroker, topic: str) -> None:
    produce(kafka_broker.address, topic, [b"x" * 900_000] * 12)
    with serving() as endpoint, polling(endpoint.url):
        add_mapping(endpoint, kafka_broker, topic)
        endpoint.wait_for(lambda: len(endpoint.delivered()) == 12)
    assert len(endpoint.invocations) >= 3  # 1.2 MB each in base64: five at most fit
    assert max(len(call.offsets) for call in endpoint.invocations) <= 5


def test_filtered_records_are_not_delivered_but_committed(kafka_broker: KafkaBroker, topic: str) -> None:
    criteria = {"Filters": [{"Pattern": '{"value":{"kind":["wanted"]}}'}]}
    values = ['{"kind":"wanted"}', '{"kind":"other"}', "no json", '{"kind":"wanted"}', '{"kind":"other"}']
    with serving() as endpoint, polling(endpoint.url):
        add_mapping(endpoint, kafka_broker, topic, FilterCriteria=criteria)
        produce(kafka_broker.address, topic, values)
        endpoint.wait_for(lambda: committed(kafka_broker.address, f"group-{topic}", topic) == {0: 5})
    assert endpoint.delivered() == [0, 3]


def test_latest_starts_behind_what_is_there_and_trim_horizon_before_it(kafka_broker: KafkaBroker, topic: str) -> None:
    produce(kafka_broker.address, topic, ["old"])
    with serving() as endpoint, polling(endpoint.url) as supervisor:
        add_mapping(endpoint, kafka_broker, topic, StartingPosition="LATEST")
        endpoint.wait_for(lambda: [s.state for s in supervisor.statuses()] == ["Running"])
        endpoint.wait_for(lambda: _arrived(endpoint, kafka_broker, topic))
        endpoint.add_mapping("from-the-start", topic=topic, bootstrap=kafka_broker.address)
        endpoint.wait_for(lambda: 0 in endpoint.delivered())
    latest = endpoint.invocations[0].offsets
    assert 0 not in latest


def _has_delivered(endpoint: LambdaEndpoint, count: int) -> bool:
    return len(endpoint.delivered()) == count


def _arrived(endpoint: LambdaEndpoint, broker: KafkaBroker, topic: str) -> bool:
    """Produce until something arrives: a reader that starts at the end misses what comes before it is there."""
    produce(broker.address, topic, ["new"])
    return bool(endpoint.delivered())


def test_a_restarted_poller_goes_on_where_the_group_stopped(kafka_broker: KafkaBroker, topic: str) -> None:
    with serving() as endpoint:
        add_mapping(endpoint, kafka_broker, topic)
        for round_ in range(3):
            with polling(endpoint.url):
                produce(kafka_broker.address, topic, ["a", "b"])
                endpoint.wait_for(partial(_has_delivered, endpoint, 2 * round_ + 2))
    assert endpoint.delivered() == list(range(6))


def test_a_new_mapping_with_the_group_of_an_old_one_goes_on_where_it_stopped(
    kafka_broker: KafkaBroker, topic: str
) -> None:
    group = {"SelfManagedKafkaEventSourceConfig": {"ConsumerGroupId": f"fixed-{topic}"}}
    with serving() as endpoint, polling(endpoint.url):
        endpoint.add_mapping("first", topic=topic, bootstrap=kafka_broker.address, **group)
        produce(kafka_broker.address, topic, ["a", "b"])
        endpoint.wait_for(lambda: committed(kafka_broker.address, f"fixed-{topic}", topic) == {0: 2})
        del endpoint.mappings["first"]
        endpoint.add_mapping("second", topic=topic, bootstrap=kafka_broker.address, **group)
        produce(kafka_broker.address, topic, ["c"])
        endpoint.wait_for(lambda: len(endpoint.delivered()) == 3)
    assert endpoint.delivered() == [0, 1, 2]


def test_two_mappings_of_one_topic_each_get_everything(kafka_broker: KafkaBroker, topic: str) -> None:
    with serving() as endpoint, polling(endpoint.url):
        endpoint.add_mapping("one", topic=topic, bootstrap=kafka_broker.address)
        endpoint.add_mapping("two", topic=topic, bootstrap=kafka_broker.address)
        produce(kafka_broker.address, topic, ["a", "b"])
        endpoint.wait_for(lambda: len(endpoint.delivered()) == 4)
    assert sorted(endpoint.delivered()) == [0, 0, 1, 1]


def test_a_topic_that_appears_later_is_taken_up(kafka_broker: KafkaBroker, topic_name: str) -> None:
    with serving() as endpoint, polling(endpoint.url) as supervisor:
        add_mapping(endpoint, kafka_broker, topic_name)
        endpoint.wait_for(lambda: any("no topic" in (s.last_error or "") for s in supervisor.statuses()))
        kafka_broker.create_topics(**{topic_name: 2})
        produce(kafka_broker.address, topic_name, ["x"], partition=1)
        endpoint.wait_for(lambda: endpoint.delivered() == [0])


def test_produce_to_handler_takes_some_tens_of_milliseconds(kafka_broker: KafkaBroker, topic: str) -> None:
    with serving() as endpoint, polling(endpoint.url, settings=QUICK):
        add_mapping(endpoint, kafka_broker, topic)
        produce(kafka_broker.address, topic, ["first"])
        endpoint.wait_for(lambda: len(endpoint.delivered()) == 1)
        delays_s = []
        for count in range(2, 22):
            produce(kafka_broker.address, topic, ["x"])
            produced_at = time.monotonic()
            endpoint.wait_for(partial(_has_delivered, endpoint, count))
            delays_s.append(endpoint.invocations[-1].began - produced_at)
    # A guard against waiting out a poll (0.25 s and more), far from the usual 10 ms so that a busy machine passes.
    assert sorted(delays_s)[len(delays_s) // 2] < 0.15
