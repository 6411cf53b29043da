from typing import Any

import pytest

from local_stage.services import KafkaBroker
from tests.fixtures.failing_functions import PROVISIONED, REPORTING, FailingAtRandom, attempts, failing_on, naming, run
from tests.fixtures.lambda_endpoint import Event, Refusal, serving
from tests.fixtures.mappings import committed, polling, produce


@pytest.fixture
def topic(kafka_broker: KafkaBroker, topic_name: str) -> str:
    kafka_broker.create_topics(**{topic_name: 1, f"{topic_name}-dead": 1})
    return topic_name


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


@pytest.mark.parametrize("from_lowest", [False, True])
@pytest.mark.parametrize("seed", [1, 2])
def test_whatever_fails_nothing_is_lost_and_the_order_holds(
    kafka_broker: KafkaBroker, topic_name: str, seed: int, from_lowest: bool
) -> None:
    partitions, count = 3, 200
    kafka_broker.create_topics(**{topic_name: partitions})
    for partition in range(partitions):
        produce(kafka_broker.address, topic_name, map(str, range(count)), partition=partition)
    function = FailingAtRandom(seed)
    with serving(function) as endpoint, polling(endpoint.url, from_lowest=from_lowest):
        endpoint.add_mapping(
            topic_name,
            topic=topic_name,
            bootstrap=kafka_broker.address,
            BatchSize=20,
            BisectBatchOnFunctionError=True,
            **REPORTING,
        )
        everything = dict.fromkeys(range(partitions), count)
        endpoint.wait_for(
            lambda: committed(kafka_broker.address, f"group-{topic_name}", topic_name, partitions) == everything,
            timeout_s=60,
        )
    assert function.done == {f"{topic_name}-{number}": list(range(count)) for number in range(partitions)}
