"""Discovery's cache: a look-up while it is fresh, one asker at a time, last known good for a bounded age."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from aws_lambda_powertools import Logger

from gochat_aws.json_api import RefusedError
from gochat_aws.registry.cloud_map import Found
from gochat_aws.registry.discover import (
    KEPT_FOR_S,
    LONGEST_PAUSE_S,
    REFRESH_AFTER_S,
    REVISION_AFTER_S,
    Discovery,
)
from gochat_aws.registry.instances import Instance
from gochat_core.errors import Unavailable
from tests.fakes.registry import ScriptedDirectory, Stopwatch

LIVE = Instance(instance_id="live", function="rpc:live")
CANARY = Instance(instance_id="canary", function="rpc:canary")
DOWN = Unavailable("Cloud Map can't be reached")
THROTTLED = Unavailable("RequestLimitExceeded")


@pytest.fixture
def clock() -> Stopwatch:
    return Stopwatch()


@pytest.fixture
def directory() -> ScriptedDirectory:
    return ScriptedDirectory(LIVE)


@pytest.fixture
def discovery(directory: ScriptedDirectory, clock: Stopwatch) -> Discovery:
    return Discovery(directory, logger=Logger(service="test"), now_s=clock, jitter=lambda: 1.0)


def test_a_thousand_calls_ask_cloud_map_once(discovery: Discovery, directory: ScriptedDirectory) -> None:
    assert {discovery.instances("im-logic") for _ in range(1_000)} == {(LIVE,)}
    assert (directory.discovered, directory.revisions) == (1, 0)


def test_who_comes_is_seen_with_the_next_revision(
    discovery: Discovery, directory: ScriptedDirectory, clock: Stopwatch
) -> None:
    discovery.instances("im-logic")
    directory.set(LIVE, CANARY)
    clock.now_s += REVISION_AFTER_S - 0.1
    assert discovery.instances("im-logic") == (LIVE,)
    clock.now_s += 0.2
    assert discovery.instances("im-logic") == (LIVE, CANARY)


def test_while_the_revision_stands_only_the_revision_is_asked_for(
    discovery: Discovery, directory: ScriptedDirectory, clock: Stopwatch
) -> None:
    discovery.instances("im-logic")
    clock.now_s += REVISION_AFTER_S
    discovery.instances("im-logic")
    assert (directory.discovered, directory.revisions) == (1, 1)


def test_health_is_seen_after_ten_seconds_although_it_moves_no_revision(
    discovery: Discovery, directory: ScriptedDirectory, clock: Stopwatch
) -> None:
    discovery.instances("im-logic")
    ill = Instance(instance_id="live", function="rpc:live", healthy=False)
    directory.set(ill, moves_revision=False)
    seen_at_s = None
    for _ in range(40):
        clock.now_s += 0.5
        if discovery.instances("im-logic") == (ill,) and seen_at_s is None:
            seen_at_s = clock.now_s - 1_000.0
    assert seen_at_s is not None
    assert seen_at_s <= REFRESH_AFTER_S + REVISION_AFTER_S


@pytest.mark.parametrize("fault", [DOWN, THROTTLED, RefusedError("NamespaceNotFound", "")])
def test_last_known_good_is_served_while_cloud_map_fails_and_not_for_ever(
    discovery: Discovery, directory: ScriptedDirectory, clock: Stopwatch, fault: Unavailable | RefusedError
) -> None:
    discovery.instances("im-logic")
    directory.fault = fault
    clock.now_s += KEPT_FOR_S - 1
    assert discovery.instances("im-logic") == (LIVE,)
    clock.now_s += LONGEST_PAUSE_S + 1
    assert discovery.instances("im-logic") == ()
    directory.fault = None
    clock.now_s += LONGEST_PAUSE_S + 1
    assert discovery.instances("im-logic") == (LIVE,)


def test_an_empty_answer_counts_as_none_while_instances_are_known(
    discovery: Discovery, directory: ScriptedDirectory, clock: Stopwatch
) -> None:
    discovery.instances("im-logic")
    directory.set()
    clock.now_s += REFRESH_AFTER_S
    assert discovery.instances("im-logic") == (LIVE,)
    clock.now_s += KEPT_FOR_S
    assert discovery.instances("im-logic") == ()


def test_an_outage_is_asked_about_ever_more_rarely(
    discovery: Discovery, directory: ScriptedDirectory, clock: Stopwatch
) -> None:
    directory.fault = DOWN
    for _ in range(600):
        assert discovery.instances("im-logic") == ()
        clock.now_s += 1
    # 2 + 4 + 8 + 16 + 32 seconds, then one a minute.
    assert directory.discovered <= 6 + 600 / LONGEST_PAUSE_S


@pytest.mark.parametrize("jump_s", [-86_400.0, 86_400.0])
def test_a_clock_that_jumps_neither_freezes_the_cache_nor_drops_last_known_good_before_cloud_map_fails(
    discovery: Discovery, directory: ScriptedDirectory, clock: Stopwatch, jump_s: float
) -> None:
    discovery.instances("im-logic")
    directory.set(LIVE, CANARY)
    clock.now_s += jump_s
    assert discovery.instances("im-logic") == (LIVE, CANARY)


def test_after_a_clock_that_jumped_back_last_known_good_still_has_an_end(
    discovery: Discovery, directory: ScriptedDirectory, clock: Stopwatch
) -> None:
    discovery.instances("im-logic")
    clock.now_s -= 86_400.0
    directory.fault = DOWN
    assert discovery.instances("im-logic") == (LIVE,)
    clock.now_s += KEPT_FOR_S + 1
    assert discovery.instances("im-logic") == ()


def test_whoever_hears_of_a_change_asks_at_once(discovery: Discovery, directory: ScriptedDirectory) -> None:
    discovery.instances("im-logic")
    directory.set(CANARY)
    discovery.invalidate("im-logic")
    assert discovery.instances("im-logic") == (CANARY,)


class _Slow(ScriptedDirectory):
    """Answers when it is let."""

    def __init__(self, *instances: Instance) -> None:
        super().__init__(*instances)
        self.asked = threading.Event()
        self.answer = threading.Event()

    def discover(self, service: str) -> Found:
        self.asked.set()
        assert self.answer.wait(10)
        return super().discover(service)


def test_of_many_threads_one_asks_and_the_others_take_what_is_known(clock: Stopwatch) -> None:
    directory = _Slow(LIVE)
    directory.answer.set()
    discovery = Discovery(directory, logger=Logger(service="test"), now_s=clock)
    discovery.instances("im-logic")
    clock.now_s += REFRESH_AFTER_S
    directory.set(CANARY)
    directory.answer.clear()
    directory.asked.clear()
    ask: Callable[[], tuple[Instance, ...]] = lambda: discovery.instances("im-logic")  # noqa: E731
    with ThreadPoolExecutor(max_workers=20) as threads:
        asker = threads.submit(ask)
        assert directory.asked.wait(10)
        others = [threads.submit(ask) for _ in range(19)]
        assert {one.result(10) for one in others} == {(LIVE,)}
        directory.answer.set()
        assert asker.result(10) == (CANARY,)
    assert directory.discovered == 2


def test_threads_that_find_nothing_known_wait_for_the_one_that_asks(clock: Stopwatch) -> None:
    directory = _Slow(LIVE)
    discovery = Discovery(directory, logger=Logger(service="test"), now_s=clock)
    with ThreadPoolExecutor(max_workers=20) as threads:
        all_of_them = [threads.submit(lambda: discovery.instances("im-logic")) for _ in range(20)]
        assert directory.asked.wait(10)
        directory.answer.set()
        assert {one.result(10) for one in all_of_them} == {(LIVE,)}
    assert directory.discovered == 1
