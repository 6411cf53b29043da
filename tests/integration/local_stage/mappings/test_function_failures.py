import base64
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import Producer

from local_stage.services import KafkaBroker
from tests.fixtures.lambda_endpoint import Event, FunctionError, LambdaEndpoint, Refusal, serving
from tests.fixtures.mappings import committed, polling, produce, read_all

PROVISIONED = {"ProvisionedPollerConfig": {"MinimumPollers": 1, "MaximumPollers": 1}}
REPORTING = {**PROVISIONED, "FunctionResponseTypes": ["ReportBatchItemFailures"]}


@pytest.fixture
def topic(kafka_broker: KafkaBroker, topic_name: str) -> str:
    kafka_broker.create_topics(**{topic_name: 1, f"{topic_name}-dead": 1})
    return topic_name


def values(event: Event) -> list[str]:
    return [base64.b64decode(record["value"]).decode() for records in event["records"].values() for record in records]


def failing_on(*poison: str, times: int | None = None) -> Callable[[Event], None]:
    """Make a function that raises while a batch holds a poisonous value, for ever or so many times."""
    raised = 0

    def function(event: Event) -> None:
        nonlocal raised
        if set(values(event)) & set(poison) and (times is None or raised < times):
            raised += 1
            raise FunctionError("poison")

    return function


def naming(*poison: str, times: int | None = None) -> Callable[[Event], Any]:
    """Make a function that names the poisonous records of a batch as failed, for ever or so many times."""
    named = 0

    def function(event: Event) -> Any:
        nonlocal named
        failures = [
            {"itemIdentifier": {"partition": place, "offset": record["offset"]}}
            for place, records in event["records"].items()
            for record in records
            if base64.b64decode(record["value"]).decode() in poison
        ]
        if not failures or (times is not None and named >= times):
            return None
        named += 1
        return {"batchItemFailures": failures}

    return function


def attempts(endpoint: LambdaEndpoint) -> list[list[int]]:
    return [call.offsets for call in endpoint.invocations]


def run(
    endpoint: LambdaEndpoint, broker: KafkaBroker, topic: str, records: list[str], *, done: int, **fields: Any
) -> None:
    """Produce, add the mapping, and wait until the group has committed `done` records."""
    produce(broker.address, topic, records)
    endpoint.add_mapping(topic, topic=topic, bootstrap=broker.address, **fields)
    endpoint.wait_for(lambda: committed(broker.address, f"group-{topic}", topic) == {0: done})


def test_a_failed_batch_comes_again_whole_and_holds_its_partition(kafka_broker: KafkaBroker, topic: str) -> None:
    with serving(failing_on("b", times=3)) as endpoint, polling(endpoint.url):
        run(endpoint, kafka_broker, topic, ["a", "b", "c", "d"], done=4, BatchSize=2)
    assert attempts(endpoint) == [[0, 1]] * 4 + [[2, 3]]


def test_nothing_is_committed_before_its_success(kafka_broker: KafkaBroker, topic: str) -> None:
    with serving(failing_on("b")) as endpoint, polling(endpoint.url):
        produce(kafka_broker.address, topic, ["a", "b"])
        endpoint.add_mapping(topic, topic=topic, bootstrap=kafka_broker.address, BatchSize=1)
        endpoint.wait_for(lambda: len(endpoint.invocations) > 4)
        assert committed(kafka_broker.address, f"group-{topic}", topic) == {0: 1}
        endpoint.function = lambda event: None
        endpoint.wait_for(lambda: committed(kafka_broker.address, f"group-{topic}", topic) == {0: 2})


def test_a_stuck_partition_does_not_hold_the_others(kafka_broker: KafkaBroker, topic_name: str) -> None:
    kafka_broker.create_topics(**{topic_name: 2})
    with serving(failing_on("poison")) as endpoint, polling(endpoint.url):
        endpoint.add_mapping(topic_name, topic=topic_name, bootstrap=kafka_broker.address)
        produce(kafka_broker.address, topic_name, ["poison"], partition=0)
        endpoint.wait_for(lambda: len(endpoint.invocations) > 1)
        for partition in (0, 1):
            # More than the poller keeps of one partition: it must not fill up on the stuck one.
            produce(kafka_broker.address, topic_name, map(str, range(3000)), partition=partition)
        endpoint.wait_for(lambda: len(endpoint.delivered()) == 3000)
        assert {place for call in endpoint.invocations if call.succeeded for place in call.places} == {
            f"{topic_name}-1"
        }
        endpoint.function = lambda event: None
        endpoint.wait_for(lambda: len(endpoint.delivered()) == 6001)
    stuck = [
        offset for call in endpoint.invocations if call.succeeded for offset in call.places.get(f"{topic_name}-0", [])
    ]
    assert stuck == list(range(3001))


def test_bisect_isolates_the_poison_and_keeps_the_order(kafka_broker: KafkaBroker, topic: str) -> None:
    with serving(failing_on("c")) as endpoint, polling(endpoint.url):
        run(
            endpoint,
            kafka_broker,
            topic,
            ["a", "b", "c", "d"],
            done=4,
            **PROVISIONED,
            BisectBatchOnFunctionError=True,
            MaximumRetryAttempts=1,
        )
    assert attempts(endpoint) == [[0, 1, 2, 3], [0, 1], [2, 3], [2], [2], [3]]
    assert endpoint.delivered() == [0, 1, 3]


def test_only_the_named_records_come_again_when_failed_only_is_read(kafka_broker: KafkaBroker, topic: str) -> None:
    with serving(naming("b", "d", times=1)) as endpoint, polling(endpoint.url):
        run(endpoint, kafka_broker, topic, ["a", "b", "c", "d", "e"], done=5, **REPORTING)
    assert attempts(endpoint) == [[0, 1, 2, 3, 4], [1, 3]]


def test_everything_from_the_lowest_comes_again_when_from_lowest_is_read(kafka_broker: KafkaBroker, topic: str) -> None:
    with serving(naming("b", "d", times=1)) as endpoint, polling(endpoint.url, from_lowest=True):
        run(endpoint, kafka_broker, topic, ["a", "b", "c", "d", "e"], done=5, **REPORTING)
    assert attempts(endpoint) == [[0, 1, 2, 3, 4], [1, 2, 3, 4]]


def test_what_succeeded_before_the_first_failure_is_committed_meanwhile(kafka_broker: KafkaBroker, topic: str) -> None:
    with serving(naming("c")) as endpoint, polling(endpoint.url):
        run(endpoint, kafka_broker, topic, ["a", "b", "c", "d"], done=2, **REPORTING)
        endpoint.function = lambda event: None
        endpoint.wait_for(lambda: committed(kafka_broker.address, f"group-{topic}", topic) == {0: 4})


def test_outside_of_provisioned_mode_named_failures_are_ignored(kafka_broker: KafkaBroker, topic: str) -> None:
    with serving(naming("b")) as endpoint, polling(endpoint.url) as supervisor:
        run(
            endpoint,
            kafka_broker,
            topic,
            ["a", "b"],
            done=2,
            FunctionResponseTypes=["ReportBatchItemFailures"],
        )
        assert [status.ignored_controls for status in supervisor.statuses()] == [["FunctionResponseTypes"]]
    assert attempts(endpoint) == [[0, 1]]


@pytest.mark.parametrize(
    "answer",
    [
        {"batchItemFailures": [{"itemIdentifier": ""}]},
        {"batchItemFailures": [{"itemIdentifier": {"partition": "elsewhere-0", "offset": 0}}]},
    ],
)
def test_an_answer_that_names_nothing_of_the_batch_fails_all_of_it(
    kafka_broker: KafkaBroker, topic: str, answer: Any
) -> None:
    answers = [answer]
    with serving(lambda _event: answers.pop() if answers else None) as endpoint, polling(endpoint.url):
        run(endpoint, kafka_broker, topic, ["a", "b"], done=2, **REPORTING)
    assert attempts(endpoint) == [[0, 1], [0, 1]]


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


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (429, "TooManyRequestsException"),
        (500, "ServiceException"),
        (502, "EC2ThrottledException"),
        (409, "ResourceConflictException"),
        (404, "ResourceNotFoundException"),
    ],
)
def test_what_lambda_refuses_is_retried_without_counting(
    kafka_broker: KafkaBroker, topic: str, status: int, code: str
) -> None:
    refusals = 4

    def function(event: Event) -> None:
        nonlocal refusals
        if refusals:
            refusals -= 1
            raise Refusal(status, code)

    with serving(function) as endpoint, polling(endpoint.url) as supervisor:
        run(endpoint, kafka_broker, topic, ["a"], done=1, MaximumRetryAttempts=0, **PROVISIONED)
        (told,) = supervisor.statuses()
        assert (told.delivered, told.discarded, told.refusals) == (1, 0, 4)
        assert code in (told.last_error or "")


def test_an_endpoint_that_is_away_costs_no_attempt_and_no_record(kafka_broker: KafkaBroker, topic: str) -> None:
    with serving() as endpoint, polling(endpoint.url) as supervisor:
        run(endpoint, kafka_broker, topic, ["a"], done=1, MaximumRetryAttempts=0, **PROVISIONED)
        endpoint.stop()
        produce(kafka_broker.address, topic, ["b"])
        endpoint.wait_for(lambda: supervisor.statuses()[0].refusals >= 2)
        endpoint.start()
        endpoint.wait_for(lambda: committed(kafka_broker.address, f"group-{topic}", topic) == {0: 2})
    assert endpoint.delivered() == [0, 1]


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
