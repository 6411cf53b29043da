import threading
from pathlib import Path

import pytest
from confluent_kafka import KafkaError

from local_stage.services import KafkaBroker
from local_stage.services.kafka import start_tansu
from tests.fixtures.fault_broker import Api, FaultBroker, fault_cluster
from tests.fixtures.lambda_endpoint import Event, FunctionError, serving
from tests.fixtures.mappings import committed, polling, produce, read_all

PROVISIONED = {"ProvisionedPollerConfig": {"MinimumPollers": 1, "MaximumPollers": 1}}
TOPIC = "im-upstream-topic"


@pytest.fixture(autouse=True)
def topic(fault_broker: FaultBroker) -> None:
    fault_broker.create_topic(TOPIC)


def test_a_broker_that_goes_and_comes_back_costs_no_record(fault_broker: FaultBroker) -> None:
    with serving() as endpoint, polling(endpoint.url) as supervisor:
        endpoint.add_mapping("m", topic=TOPIC, bootstrap=fault_broker.bootstrap)
        produce(fault_broker.bootstrap, TOPIC, ["a", "b"])
        endpoint.wait_for(lambda: endpoint.delivered() == [0, 1])
        fault_broker.set_down()
        endpoint.wait_for(lambda: supervisor.statuses()[0].last_error is not None)
        fault_broker.set_up()
        produce(fault_broker.bootstrap, TOPIC, ["c"])
        endpoint.wait_for(lambda: endpoint.delivered() == [0, 1, 2])


def test_what_was_done_while_the_broker_was_away_is_committed_when_it_is_back(fault_broker: FaultBroker) -> None:
    entered, opened = threading.Event(), threading.Event()

    def hold(event: Event) -> None:
        entered.set()
        opened.wait(30)

    with serving(hold) as endpoint, polling(endpoint.url) as supervisor:
        endpoint.add_mapping("m", topic=TOPIC, bootstrap=fault_broker.bootstrap)
        produce(fault_broker.bootstrap, TOPIC, ["a"])
        assert entered.wait(20)
        fault_broker.set_down()
        opened.set()
        endpoint.wait_for(lambda: supervisor.statuses()[0].delivered == 1)
        fault_broker.set_up()
        endpoint.wait_for(lambda: committed(fault_broker.bootstrap, "group-m", TOPIC) == {0: 1})
    assert len(endpoint.invocations) == 1


def test_a_poller_ends_in_time_while_the_broker_is_away(fault_broker: FaultBroker) -> None:
    with serving() as endpoint:
        endpoint.add_mapping("m", topic=TOPIC, bootstrap=fault_broker.bootstrap)
        # `polling` itself fails if the poller does not end.
        with polling(endpoint.url, grace_s=2) as supervisor:
            produce(fault_broker.bootstrap, TOPIC, ["a"])
            endpoint.wait_for(lambda: endpoint.delivered() == [0])
            fault_broker.set_down()
            endpoint.wait_for(lambda: supervisor.statuses()[0].last_error is not None)


@pytest.mark.parametrize(
    "error",
    [KafkaError.NOT_COORDINATOR, KafkaError.COORDINATOR_LOAD_IN_PROGRESS, KafkaError.REQUEST_TIMED_OUT],
)
def test_a_refused_commit_is_tried_again(fault_broker: FaultBroker, error: int) -> None:
    fault_broker.fail_requests(Api.OFFSET_COMMIT, *[error] * 6)
    with serving() as endpoint, polling(endpoint.url):
        endpoint.add_mapping("m", topic=TOPIC, bootstrap=fault_broker.bootstrap)
        produce(fault_broker.bootstrap, TOPIC, ["a"])
        endpoint.wait_for(lambda: committed(fault_broker.bootstrap, "group-m", TOPIC) == {0: 1})
    assert len(endpoint.invocations) == 1


@pytest.mark.parametrize(
    "error", [KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.KAFKA_STORAGE_ERROR, KafkaError.REQUEST_TIMED_OUT]
)
def test_failing_fetches_delay_and_lose_nothing(fault_broker: FaultBroker, error: int) -> None:
    with serving() as endpoint, polling(endpoint.url):
        endpoint.add_mapping("m", topic=TOPIC, bootstrap=fault_broker.bootstrap, BatchSize=1)
        for value in ("a", "b", "c"):
            fault_broker.fail_requests(Api.FETCH, *[error] * 3)
            produce(fault_broker.bootstrap, TOPIC, [value])
        endpoint.wait_for(lambda: endpoint.delivered() == [0, 1, 2])


def test_a_group_whose_offsets_cannot_be_read_yet_is_not_started_anew(fault_broker: FaultBroker) -> None:
    with serving() as endpoint:
        endpoint.add_mapping("m", topic=TOPIC, bootstrap=fault_broker.bootstrap)
        produce(fault_broker.bootstrap, TOPIC, ["a"])
        with polling(endpoint.url):
            endpoint.wait_for(lambda: committed(fault_broker.bootstrap, "group-m", TOPIC) == {0: 1})
        fault_broker.fail_requests(Api.OFFSET_FETCH, *[KafkaError.GROUP_AUTHORIZATION_FAILED] * 3)
        produce(fault_broker.bootstrap, TOPIC, ["b"])
        with polling(endpoint.url):
            endpoint.wait_for(lambda: len(endpoint.delivered()) == 2)
    assert endpoint.delivered() == [0, 1]


def test_metadata_that_does_not_know_the_topic_for_a_moment_loses_nothing(fault_broker: FaultBroker) -> None:
    with serving() as endpoint, polling(endpoint.url) as supervisor:
        endpoint.add_mapping("m", topic=TOPIC, bootstrap=fault_broker.bootstrap)
        produce(fault_broker.bootstrap, TOPIC, ["a"])
        endpoint.wait_for(lambda: committed(fault_broker.bootstrap, "group-m", TOPIC) == {0: 1})
        fault_broker.fail_topic(TOPIC, KafkaError.UNKNOWN_TOPIC_OR_PART)
        endpoint.wait_for(lambda: supervisor.statuses()[0].state == "Waiting")
        fault_broker.fail_topic(TOPIC, 0)
        produce(fault_broker.bootstrap, TOPIC, ["b"])
        endpoint.wait_for(lambda: endpoint.delivered() == [0, 1])


def test_a_leader_that_moves_is_followed() -> None:
    with fault_cluster(brokers=2) as cluster, serving() as endpoint, polling(endpoint.url):
        cluster.create_topic("moving")
        cluster.set_leader("moving", 0, 1)
        endpoint.add_mapping("m", topic="moving", bootstrap=cluster.bootstrap)
        produce(cluster.bootstrap, "moving", ["a"])
        endpoint.wait_for(lambda: endpoint.delivered() == [0])
        cluster.set_leader("moving", 0, 2)
        produce(cluster.bootstrap, "moving", ["b"])
        endpoint.wait_for(lambda: endpoint.delivered() == [0, 1])


def test_a_destination_topic_that_the_broker_refuses_holds_the_record_until_it_is_taken(
    fault_broker: FaultBroker,
) -> None:
    fault_broker.create_topic("dead")

    def fail(event: Event) -> None:
        raise FunctionError("poison")

    with serving(fail) as endpoint, polling(endpoint.url) as supervisor:
        fault_broker.fail_requests(Api.PRODUCE, 0, KafkaError.TOPIC_AUTHORIZATION_FAILED)
        endpoint.add_mapping(
            "m",
            topic=TOPIC,
            bootstrap=fault_broker.bootstrap,
            MaximumRetryAttempts=0,
            DestinationConfig={"OnFailure": {"Destination": "kafka://dead"}},
            **PROVISIONED,
        )
        produce(fault_broker.bootstrap, TOPIC, ["a"])
        endpoint.wait_for(lambda: [status.discarded for status in supervisor.statuses()] == [1])
        assert "kafka://dead" in (supervisor.statuses()[0].last_error or "")
    assert len(read_all(fault_broker.bootstrap, "dead", 1)) == 1
    assert len(endpoint.invocations) == 1


def test_a_broker_that_comes_back_empty_is_read_from_its_new_beginning(tmp_path: Path) -> None:
    """Tansu keeps nothing over a restart: topics are made anew, and their offsets start at 0 again."""
    broker: KafkaBroker = start_tansu(tmp_path)
    try:
        with serving() as endpoint, polling(endpoint.url):
            broker.create_topics(anew=1)
            endpoint.add_mapping("m", topic="anew", bootstrap=broker.address)
            produce(broker.address, "anew", ["a", "b", "c"])
            endpoint.wait_for(lambda: endpoint.delivered() == [0, 1, 2])
            broker.kill()
            broker.restart()
            broker.create_topics(anew=1)
            produce(broker.address, "anew", ["d"])
            endpoint.wait_for(lambda: endpoint.delivered() == [0, 1, 2, 0])
            produce(broker.address, "anew", ["e", "f"])
            endpoint.wait_for(lambda: endpoint.delivered() == [0, 1, 2, 0, 1, 2])
            endpoint.wait_for(lambda: committed(broker.address, "group-m", "anew") == {0: 3})
    finally:
        broker.stop()
