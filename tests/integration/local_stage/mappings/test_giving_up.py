import json
import time
from typing import Any

import pytest
from confluent_kafka import Producer

from local_stage.services import KafkaBroker
from tests.fixtures.failing_functions import PROVISIONED, attempts, failing_on, run, values
from tests.fixtures.lambda_endpoint import Event, Refusal, serving
from tests.fixtures.mappings import polling, produce, read_all


@pytest.fixture
def topic(kafka_broker: KafkaBroker, topic_name: str) -> str:
    kafka_broker.create_topics(**{topic_name: 1, f"{topic_name}-dead": 1})
    return topic_name


@pytest.mark.parametrize("retries", [0, 2])
def test_records_are_discarded_after_their_retries(kafka_broker: KafkaBroker, topic: str, retries: int) -> None:
    with serving(failing_on("a")) as endpoint, polling(endpoint.url) as supervisor:
        run(
            endpoint,
            kafka_broker,
            topic,
            ["a", "b"],
            done=2,
            BatchSize=1,
            MaximumRetryAttempts=retries,
            **PROVISIONED,
        )
        (status,) = supervisor.statuses()
        assert (status.delivered, status.discarded, status.failures) == (1, 1, retries + 1)
    assert attempts(endpoint) == [[0]] * (retries + 1) + [[1]]


@pytest.mark.parametrize("mode", [PROVISIONED, {}], ids=["provisioned", "on-demand"])
def test_infinite_retries_beside_an_on_failure_topic_end_after_ten(
    kafka_broker: KafkaBroker, topic: str, mode: dict[str, Any]
) -> None:
    destination = {"OnFailure": {"Destination": f"kafka://{topic}-dead"}}
    with serving(failing_on("a")) as endpoint, polling(endpoint.url):
        produce(kafka_broker.address, topic, ["a"], key=b"conversation-1")
        run(endpoint, kafka_broker, topic, ["b"], done=2, BatchSize=1, DestinationConfig=destination, **mode)
    assert attempts(endpoint) == [[0]] * 11 + [[1]]
    ((key, value),) = read_all(kafka_broker.address, f"{topic}-dead", 1)
    assert key == b"conversation-1"
    document = json.loads(value)
    assert document["requestContext"]["condition"] == "RetriesExhausted"
    assert document["requestContext"]["approximateInvokeCount"] == 11
    assert document["payload"]["records"][f"{topic}-0"] == endpoint.invocations[0].event["records"][f"{topic}-0"]


def test_an_on_failure_topic_gets_one_document_for_each_record_of_the_batch(
    kafka_broker: KafkaBroker, topic: str
) -> None:
    destination = {"OnFailure": {"Destination": f"kafka://{topic}-dead"}}
    with serving(failing_on("b")) as endpoint, polling(endpoint.url):
        run(
            endpoint,
            kafka_broker,
            topic,
            ["a", "b", "c"],
            done=3,
            MaximumRetryAttempts=0,
            DestinationConfig=destination,
            **PROVISIONED,
        )
    documents = [json.loads(value) for _, value in read_all(kafka_broker.address, f"{topic}-dead", 3)]
    assert [document["KafkaBatchInfo"]["recordInfo"]["offset"] for document in documents] == ["0", "1", "2"]


def test_records_older_than_the_maximum_age_go_to_the_destination_uninvoked(
    kafka_broker: KafkaBroker, topic: str
) -> None:
    producer = Producer({"bootstrap.servers": kafka_broker.address})
    producer.produce(topic, value=b"old", timestamp=int((time.time() - 61) * 1000))
    producer.flush(10)
    destination = {"OnFailure": {"Destination": f"kafka://{topic}-dead"}}
    with serving() as endpoint, polling(endpoint.url):
        run(
            endpoint,
            kafka_broker,
            topic,
            ["new"],
            done=2,
            MaximumRecordAgeInSeconds=60,
            DestinationConfig=destination,
            **PROVISIONED,
        )
    assert endpoint.delivered() == [1]
    ((_, value),) = read_all(kafka_broker.address, f"{topic}-dead", 1)
    document = json.loads(value)
    assert document["requestContext"]["approximateInvokeCount"] == 0
    assert document["KafkaBatchInfo"]["recordInfo"]["offset"] == "0"


def test_a_record_too_large_for_a_payload_goes_to_the_destination_and_the_next_go_on(
    kafka_broker: KafkaBroker, topic: str
) -> None:
    def refuse_large(event: Event) -> None:
        if "large" in values(event):
            raise Refusal(413, "RequestTooLargeException")

    with serving(refuse_large) as endpoint, polling(endpoint.url) as supervisor:
        destination = {"OnFailure": {"Destination": f"kafka://{topic}-dead"}}
        run(
            endpoint,
            kafka_broker,
            topic,
            ["a", "large", "b"],
            done=3,
            DestinationConfig=destination,
            **PROVISIONED,
        )
        (status,) = supervisor.statuses()
        assert (status.delivered, status.discarded) == (2, 1)
    ((_, value),) = read_all(kafka_broker.address, f"{topic}-dead", 1)
    document = json.loads(value)
    assert document["requestContext"]["condition"] == "MaximumPayloadSizeExceeded"
    assert document["responseContext"] is None
    assert endpoint.delivered() == [0, 2]


def test_a_destination_that_is_missing_holds_the_partition_and_shows_in_the_status(
    kafka_broker: KafkaBroker, topic: str
) -> None:
    missing = f"{topic}-later"
    with serving(failing_on("a")) as endpoint, polling(endpoint.url) as supervisor:
        produce(kafka_broker.address, topic, ["a", "b"])
        endpoint.add_mapping(
            topic,
            topic=topic,
            bootstrap=kafka_broker.address,
            BatchSize=1,
            MaximumRetryAttempts=0,
            DestinationConfig={"OnFailure": {"Destination": f"kafka://{missing}"}},
            **PROVISIONED,
        )
        endpoint.wait_for(lambda: any(missing in (s.last_error or "") for s in supervisor.statuses()))
        assert endpoint.delivered() == []
        kafka_broker.create_topics(**{missing: 1})
        endpoint.wait_for(lambda: endpoint.delivered() == [1])
    assert len(read_all(kafka_broker.address, missing, 1)) == 1
