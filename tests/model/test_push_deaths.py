"""Whoever dies on the way of a push, wherever: it is doubled at most once, and never lost."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from gochat_aws.kafka_producer import OutgoingRecord
from gochat_contracts.records import PUSH_TOPIC
from task.push.providers.provider import Refused, TokenDead
from tests.model.pushing import PushWay, push_way
from tests.model.strikes import die, refuse

pytestmark = pytest.mark.timeout(600)

MOST_STEPS = 60
"""Far more than any of the functions takes."""


@pytest.fixture
def way(environ: Mapping[str, str], secret: str) -> Iterator[PushWay]:
    with push_way(environ, secret) as made:
        yield made


def check_told(way: PushWay, seq: int, where: str) -> None:
    way.drain("worker", "push")
    assert 1 <= way.sent(seq) <= 2, f"told {way.sent(seq)} times of what {where}"
    assert way.fate(seq) == ("sent", ""), where


@pytest.mark.parametrize("function", ["worker", "push"])
def test_a_function_that_dies_at_any_step_doubles_a_push_at_most_once_and_loses_none(
    way: PushWay, function: str
) -> None:
    before = 0
    for step in range(1, MOST_STEPS):
        seq = way.send()
        if function == "push":
            way.drain("worker")
        way.pump(function, {step: die})
        check_told(way, seq, f"{function} died with at step {step}")
        if way.deaths == before:
            break
        before = way.deaths
    assert 4 < before < MOST_STEPS - 1, "it died at each of its steps, and came to its end"


@pytest.mark.parametrize("function", ["worker", "push"])
def test_a_store_that_goes_away_at_any_step_doubles_a_push_at_most_once_and_loses_none(
    way: PushWay, function: str
) -> None:
    for step in range(1, 25):
        seq = way.send()
        if function == "push":
            way.drain("worker")
        way.pump(function, {step: refuse})
        check_told(way, seq, f"{function} lacked a store for at step {step}")


@pytest.mark.parametrize("act", [die, refuse])
@pytest.mark.parametrize("call", [0, 1], ids=["recheck", "log"])
def test_repo_service_that_fails_under_push_at_any_step_doubles_a_push_at_most_once_and_loses_none(
    way: PushWay, call: int, act: Any
) -> None:
    for step in range(1, 16):
        seq = way.send()
        way.drain("worker")
        way.fleet.next_repo = {call: {step: act}}
        way.pump("push")
        way.fleet.next_repo = {}
        check_told(way, seq, f"RepoService failed with at step {step}")


def test_two_containers_that_bring_the_same_push_at_once_send_it_twice_at_most(way: PushWay) -> None:
    """A rebalancing: the batch is at work elsewhere when it comes again."""
    seq = way.send()
    way.drain("worker")
    batch = way.mappings["push"].take((0, 1), 100)
    assert batch is not None

    def meanwhile(_: object) -> None:
        way.fleet.invoke("push", batch.event, which=1)

    way.pump("push", {3: meanwhile})
    check_told(way, seq, "two containers sent")


def test_a_task_that_comes_again_and_again_is_told_once(way: PushWay) -> None:
    seq = way.send()
    way.drain("worker", "push")
    for partition in range(2):
        for mapping in way.mappings.values():
            mapping.rewind(partition, 100)
    way.drain("upstream", "worker", "push")
    assert (way.sent(seq), way.fate(seq)) == (1, ("sent", ""))


@pytest.mark.parametrize("function", ["push", "worker"])
def test_what_a_provider_refuses_reaches_the_dead_letters_with_its_reason_wherever_somebody_dies(
    way: PushWay, function: str
) -> None:
    before = 0
    for step in range(1, MOST_STEPS):
        seq = way.send()
        way.drain("worker")
        kept = len(way.dead_letters())
        way.fleet.push_answers[:] = [Refused(reason="http_413")] * 2
        way.pump("push", {step: die} if function == "push" else None)
        if function == "worker":
            way.hand_over({step: die})
        way.drain("worker", "push")
        letters = way.dead_letters()[kept:]
        assert letters, f"lost when {function} died at step {step}"
        assert {(one.reason, one.detail, one.topic) for one in letters} == {
            ("push_refused", "http_413", "im-push-topic")
        }
        assert way.fate(seq) == ("failed", "http_413")
        assert way.sent(seq) <= 2
        if way.deaths == before:
            break
        before = way.deaths
    assert 2 <= before < MOST_STEPS - 1


def test_an_unreadable_push_is_kept_even_while_the_worker_lacks_the_broker(way: PushWay) -> None:
    way.log.produce([OutgoingRecord(topic=PUSH_TOPIC, key=b"2", value=b"?")])
    way.pump("push")
    way.log.available = False
    way.hand_over()
    assert way.dead_letters() == []
    way.log.available = True
    way.drain("worker", "push")
    assert [one.reason for one in way.dead_letters()] == ["unreadable"]


def test_a_dead_token_vanishes_even_if_whoever_heard_of_it_dies(way: PushWay) -> None:
    seq = way.send()
    way.drain("worker")
    way.fleet.push_answers += [TokenDead(reason="http_410")] * 2
    way.pump("push", {5: die})  # behind the provider's answer
    assert way.deaths == 1
    assert way.has_token()
    way.drain("push")
    assert not way.has_token()
    assert way.fate(seq) == ("failed", "http_410")
    later = way.send()
    way.drain("worker", "push")
    assert way.sent(later) == 0
