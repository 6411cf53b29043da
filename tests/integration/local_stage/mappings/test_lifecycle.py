import threading
from collections.abc import Iterator

import pytest

from local_stage.mappings.poller import PollerSettings
from local_stage.services import KafkaBroker
from tests.fixtures.lambda_endpoint import Event, FunctionError, serving
from tests.fixtures.mappings import committed, polling, produce

PROVISIONED = {"ProvisionedPollerConfig": {"MinimumPollers": 1, "MaximumPollers": 1}}


@pytest.fixture
def topic(kafka_broker: KafkaBroker, topic_name: str) -> str:
    kafka_broker.create_topics(**{topic_name: 1})
    return topic_name


class Gate:
    """A function that holds its invocations until it is opened."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.opened = threading.Event()

    def __call__(self, event: Event) -> None:
        self.entered.set()
        assert self.opened.wait(30)


@pytest.fixture
def gate() -> Iterator[Gate]:
    made = Gate()
    yield made
    made.opened.set()


def test_a_disabled_mapping_stops_and_an_enabled_one_goes_on_where_it_stopped(
    kafka_broker: KafkaBroker, topic: str
) -> None:
    with serving() as endpoint, polling(endpoint.url) as supervisor:
        mapping = endpoint.add_mapping(topic, topic=topic, bootstrap=kafka_broker.address)
        produce(kafka_broker.address, topic, ["a"])
        endpoint.wait_for(lambda: endpoint.delivered() == [0])
        mapping["State"] = "Disabled"
        endpoint.wait_for(lambda: supervisor.statuses() == [])
        produce(kafka_broker.address, topic, ["b"])
        mapping["State"] = "Enabled"
        endpoint.wait_for(lambda: endpoint.delivered() == [0, 1])


def test_a_deleted_mapping_lets_its_running_invocation_finish_and_commits_it(
    kafka_broker: KafkaBroker, topic: str, gate: Gate
) -> None:
    with serving(gate) as endpoint, polling(endpoint.url) as supervisor:
        endpoint.add_mapping(topic, topic=topic, bootstrap=kafka_broker.address)
        produce(kafka_broker.address, topic, ["a"])
        assert gate.entered.wait(10)
        del endpoint.mappings[topic]
        endpoint.wait_for(lambda: [status.state for status in supervisor.statuses()] == ["Stopping"])
        gate.opened.set()
        endpoint.wait_for(lambda: supervisor.statuses() == [])
    assert committed(kafka_broker.address, f"group-{topic}", topic) == {0: 1}


def test_a_changed_mapping_waits_for_the_invocation_of_the_old_one(
    kafka_broker: KafkaBroker, topic: str, gate: Gate
) -> None:
    with serving(gate) as endpoint, polling(endpoint.url) as supervisor:
        mapping = endpoint.add_mapping(topic, topic=topic, bootstrap=kafka_broker.address, BatchSize=1)
        produce(kafka_broker.address, topic, ["a", "b", "c"])
        assert gate.entered.wait(10)
        mapping["BatchSize"] = 10
        endpoint.wait_for(lambda: [status.state for status in supervisor.statuses()] == ["Stopping"])
        assert [call.offsets for call in endpoint.invocations] == [[0]]
        gate.opened.set()
        endpoint.wait_for(lambda: endpoint.delivered() == [0, 1, 2])
    assert [call.offsets for call in endpoint.invocations] == [[0], [1, 2]]


def test_a_mapping_that_lambda_would_refuse_is_named_and_the_others_work(kafka_broker: KafkaBroker, topic: str) -> None:
    with serving() as endpoint, polling(endpoint.url) as supervisor:
        endpoint.add_mapping(
            "bad",
            topic=topic,
            bootstrap=kafka_broker.address,
            DestinationConfig={"OnFailure": {"Destination": f"kafka://{topic}"}},
        )
        endpoint.add_mapping("good", topic=topic, bootstrap=kafka_broker.address)
        produce(kafka_broker.address, topic, ["a"])
        endpoint.wait_for(lambda: endpoint.delivered() == [0])
        endpoint.wait_for(lambda: any(status.state == "Invalid" for status in supervisor.statuses()))
        (bad,) = [status for status in supervisor.statuses() if status.state == "Invalid"]
    assert bad.uuid == "bad"
    assert "loop" in (bad.last_error or "")


def test_mappings_of_other_sources_are_left_alone(kafka_broker: KafkaBroker, topic: str) -> None:
    with serving() as endpoint, polling(endpoint.url) as supervisor:
        endpoint.mappings["sqs"] = {
            "UUID": "sqs",
            "FunctionArn": "arn:f",
            "State": "Enabled",
            "EventSourceArn": "arn:aws:sqs:us-east-1:000000000000:q",
        }
        endpoint.add_mapping(topic, topic=topic, bootstrap=kafka_broker.address)
        produce(kafka_broker.address, topic, ["a"])
        endpoint.wait_for(lambda: endpoint.delivered() == [0])
        assert [status.uuid for status in supervisor.statuses()] == [topic]


def test_an_endpoint_that_forgets_to_answer_changes_nothing(kafka_broker: KafkaBroker, topic: str) -> None:
    with serving() as endpoint, polling(endpoint.url) as supervisor:
        endpoint.add_mapping(topic, topic=topic, bootstrap=kafka_broker.address)
        endpoint.wait_for(lambda: [status.state for status in supervisor.statuses()] == ["Running"])
        endpoint.stop()
        endpoint.wait_for(lambda: supervisor.endpoint_error is not None)
        assert [status.state for status in supervisor.statuses()] == ["Running"]
        endpoint.start()
        produce(kafka_broker.address, topic, ["a"])
        endpoint.wait_for(lambda: endpoint.delivered() == [0])
        endpoint.wait_for(lambda: supervisor.endpoint_error is None)


def test_a_waiting_retry_ends_at_once_when_the_poller_stops(kafka_broker: KafkaBroker, topic: str) -> None:
    def fail(event: Event) -> None:
        raise FunctionError("not today")

    with serving(fail) as endpoint:
        endpoint.add_mapping(topic, topic=topic, bootstrap=kafka_broker.address, **PROVISIONED)
        produce(kafka_broker.address, topic, ["a"])
        # With this wait the block's end would time out if the poller sat it out.
        with polling(endpoint.url, settings=PollerSettings(max_wait_s=600), grace_s=2):
            endpoint.wait_for(lambda: len(endpoint.invocations) >= 3)
        assert committed(kafka_broker.address, f"group-{topic}", topic) == {}
