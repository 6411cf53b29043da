"""Choosing an instance: by weight, past the ill, the draining and those that failed here."""

import random
from collections import Counter

import pytest

from gochat_aws.registry.choose import (
    EJECT_AFTER,
    EJECTED_S,
    LONGEST_EJECTION_S,
    Outliers,
    best_first,
    candidates,
    choose,
)
from gochat_aws.registry.instances import Instance
from tests.fakes.registry import Stopwatch

LIVE = Instance(instance_id="live", function="rpc:live", weight=90)
CANARY = Instance(instance_id="canary", function="rpc:canary", weight=10)
CALLS = 20_000


@pytest.fixture
def clock() -> Stopwatch:
    return Stopwatch()


@pytest.fixture
def outliers(clock: Stopwatch) -> Outliers:
    return Outliers(clock)


def _ids(instances: object) -> list[str]:
    return [one.instance_id for one in instances]  # type: ignore[attr-defined]


def _fail(outliers: Outliers, instance: Instance, times: int) -> None:
    for _ in range(times):
        outliers.failed(instance.instance_id)


def test_a_canary_of_ten_percent_gets_ten_percent_of_the_calls(outliers: Outliers) -> None:
    draw = random.Random(7).random
    taken = Counter(_ids([choose([LIVE, CANARY], outliers.is_ejected, draw) for _ in range(CALLS)]))
    # The standard deviation of the canary's share is the root of 0.1 x 0.9 / 20,000 = 0.0021; five of them.
    assert abs(taken["canary"] / CALLS - 0.1) < 0.0106


def test_a_canary_that_fails_is_left_alone_after_three_calls_and_the_others_take_all(outliers: Outliers) -> None:
    draw = random.Random(7).random
    failed = 0
    for _ in range(1_000):
        chosen = choose([LIVE, CANARY], outliers.is_ejected, draw)
        if chosen is CANARY:
            failed += 1
            outliers.failed("canary")
        else:
            outliers.succeeded("live")
    assert failed == EJECT_AFTER == 3


def test_an_ejected_instance_comes_back_and_one_failure_more_ejects_it_for_twice_as_long(
    outliers: Outliers, clock: Stopwatch
) -> None:
    _fail(outliers, CANARY, EJECT_AFTER)
    clock.now_s += EJECTED_S - 1
    assert outliers.is_ejected("canary")
    clock.now_s += 2
    assert not outliers.is_ejected("canary")

    assert outliers.failed("canary")
    clock.now_s += 2 * EJECTED_S - 1
    assert outliers.is_ejected("canary")
    clock.now_s += 2
    assert not outliers.is_ejected("canary")


def test_one_success_forgets_what_an_instance_did(outliers: Outliers, clock: Stopwatch) -> None:
    _fail(outliers, CANARY, EJECT_AFTER)
    clock.now_s += EJECTED_S + 1
    outliers.succeeded("canary")
    _fail(outliers, CANARY, EJECT_AFTER - 1)
    assert not outliers.is_ejected("canary")


def test_failures_count_only_in_a_row(outliers: Outliers) -> None:
    for _ in range(10):
        _fail(outliers, CANARY, EJECT_AFTER - 1)
        outliers.succeeded("canary")
    assert not outliers.is_ejected("canary")


def test_an_ejection_never_lasts_longer_than_five_minutes(outliers: Outliers, clock: Stopwatch) -> None:
    _fail(outliers, CANARY, EJECT_AFTER)
    for _ in range(20):
        clock.now_s += LONGEST_EJECTION_S
        assert not outliers.is_ejected("canary")
        outliers.failed("canary")


@pytest.mark.parametrize("jump_s", [-3_600.0, 3_600.0])
def test_a_clock_that_jumps_ends_an_ejection_and_never_prolongs_it(
    outliers: Outliers, clock: Stopwatch, jump_s: float
) -> None:
    _fail(outliers, CANARY, EJECT_AFTER)
    clock.now_s += jump_s
    assert not outliers.is_ejected("canary")


def test_when_every_instance_looks_ill_all_of_them_are_used() -> None:
    ill = [Instance(instance_id=one, healthy=False) for one in "ab"]
    assert _ids(candidates(ill, lambda _: False)) == ["a", "b"]


def test_when_every_instance_failed_here_all_of_them_are_used() -> None:
    assert _ids(candidates([LIVE, CANARY], lambda _: True)) == ["live", "canary"]


def test_an_instance_that_lies_about_its_health_is_left_alone_by_who_knows_better(outliers: Outliers) -> None:
    liar = Instance(instance_id="liar", healthy=True, weight=1_000)
    _fail(outliers, liar, EJECT_AFTER)
    assert {choose([liar, CANARY], outliers.is_ejected) for _ in range(50)} == {CANARY}


def test_draining_and_weightless_instances_serve_only_when_nobody_else_does() -> None:
    draining = Instance(instance_id="draining", draining=True)
    idle = Instance(instance_id="idle", weight=0)
    assert _ids(candidates([draining, idle, LIVE], lambda _: False)) == ["live"]
    assert _ids(candidates([draining, idle], lambda _: False)) == ["idle"]
    assert choose([draining], lambda _: False) is draining
    assert choose([idle], lambda _: False) is idle


def test_nobody_is_chosen_among_none() -> None:
    assert choose([], lambda _: False) is None


def test_what_is_remembered_of_instances_that_went_is_forgotten(outliers: Outliers) -> None:
    _fail(outliers, CANARY, EJECT_AFTER)
    outliers.keep_only(["live"])
    assert not outliers.is_ejected("canary")


def test_cells_are_told_best_first_by_health_weight_and_load() -> None:
    cells = [
        Instance(instance_id="ill", healthy=False, weight=1_000),
        Instance(instance_id="draining", draining=True, weight=1_000),
        Instance(instance_id="small", weight=50),
        Instance(instance_id="full", weight=100),
        Instance(instance_id="empty", weight=100),
    ]
    assert _ids(best_first(cells, {"full": 900, "empty": 3})) == ["empty", "full", "small", "ill"]


def test_a_draining_cell_is_told_only_when_all_drain() -> None:
    draining = Instance(instance_id="g1", draining=True)
    assert best_first([draining], {}) == [draining]
