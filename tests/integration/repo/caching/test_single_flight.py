import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from gochat_repo.cache import command
from gochat_repo.cache_entries import LEASE_TTL_MS, take_command
from tests.integration.repo.caching.containers import Container, Containers, new_id

pytestmark = pytest.mark.usefixtures("side_door")

CROWD = 100


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(CROWD) as opened:
        yield opened


class Reads:
    """Counts readings of the database."""

    def __init__(self, *containers: Container) -> None:
        self.count = 0
        self._lock = threading.Lock()
        for one in containers:
            one.hooks.before_load = self._note

    def _note(self) -> None:
        with self._lock:
            self.count += 1


def at_once(pool: ThreadPoolExecutor, works: list[Callable[[], int | None]]) -> list[int | None]:
    """Run works side by side, none before all are ready."""
    ready = threading.Barrier(len(works))

    def run(work: Callable[[], int | None]) -> int | None:
        ready.wait(20)
        return work()

    return list(pool.map(run, works))


def patient(containers: Containers) -> Container:
    """Open a container that really waits."""
    container = containers.open()
    container.values._pause = time.sleep
    return container


def test_a_hundred_threads_that_miss_one_key_read_it_once(containers: Containers, pool: ThreadPoolExecutor) -> None:
    container, thing = containers.open(), new_id()
    container.write_row(thing, 7)
    reads = Reads(container)
    assert at_once(pool, [partial(container.get, thing)] * CROWD) == [7] * CROWD
    assert reads.count == 1


@pytest.mark.parametrize("written_lately", [False, True])
def test_a_hundred_containers_that_miss_one_key_read_it_once(
    containers: Containers, pool: ThreadPoolExecutor, written_lately: bool
) -> None:
    crowd, thing = [patient(containers) for _ in range(CROWD)], new_id()
    (crowd[0].write if written_lately else crowd[0].write_row)(thing, 7)
    reads = Reads(*crowd)
    assert at_once(pool, [partial(one.get, thing) for one in crowd]) == [7] * CROWD
    assert reads.count <= 2


def test_when_the_one_who_reads_has_died_the_next_takes_over(containers: Containers, pool: ThreadPoolExecutor) -> None:
    crowd, thing = [patient(containers) for _ in range(20)], new_id()
    crowd[0].write_row(thing, 7)
    crowd[0].cache.run([take_command(f"thing:{thing}", b"somebody")])
    reads = Reads(*crowd)
    began_s = time.monotonic()
    assert at_once(pool, [partial(one.get, thing) for one in crowd]) == [7] * len(crowd)
    assert reads.count <= 2
    assert time.monotonic() - began_s < 5


def test_whom_nobody_relieves_asks_the_database_anyway_and_takes_the_lease_over(containers: Containers) -> None:
    reader, thing = containers.open(), new_id()
    reader.write_row(thing, 7)
    key = f"thing:{thing}"
    for left in (b"?somebody", b"%somebody"):  # a lease that lasts, because somebody else's clock stands still
        reader.cache.run([command("SET", key, left, "EX", 60)])
        reader.pauses.clear()
        assert reader.get(thing) == 7
        assert LEASE_TTL_MS / 1000 < sum(reader.pauses) < 1.2, "the wait is bounded"
        with containers.open().counting() as trips:
            assert containers.opened[-1].get(thing) == 7
        assert trips == [0, 1], "the value took the lease's place"


def test_one_who_holds_a_lease_reads_before_waiting_for_others(containers: Containers) -> None:
    one, other = containers.open(), containers.open()
    mine, theirs = new_id(), new_id()
    for thing in (mine, theirs):
        one.write_row(thing, thing)
    one.cache.run([command("SET", f"thing:{theirs}", b"?somebody", "EX", 60)])
    filled: list[int | None] = []

    def look(_: float) -> None:
        if not filled:
            with other.counting() as trips:
                filled.append(other.get(mine))
            assert trips == [0, 1]

    one.values._pause = look
    assert one.values.get_many(one.things, [mine, theirs]) == {mine: mine, theirs: theirs}
    assert filled == [mine]


def test_a_thread_whose_forerunner_failed_reads_for_itself(containers: Containers, pool: ThreadPoolExecutor) -> None:
    container, thing = containers.open(), new_id()
    container.write_row(thing, 7)
    inside, go = threading.Event(), threading.Event()

    def fail() -> None:
        container.hooks.before_load = None
        inside.set()
        go.wait(20)
        raise RuntimeError("the first reading fails")

    container.hooks.before_load = fail
    first = pool.submit(container.get, thing)
    assert inside.wait(20)
    second = pool.submit(container.get, thing)
    go.set()
    with pytest.raises(RuntimeError):
        first.result(20)
    assert second.result(20) == 7


def test_a_newcomer_does_not_join_a_reading_that_began_before_a_change_it_knows_of(
    containers: Containers, pool: ThreadPoolExecutor
) -> None:
    container, writer, thing = containers.open(), containers.open(), new_id()
    writer.write_row(thing, 1)
    inside, go = threading.Event(), threading.Event()

    def hold() -> None:
        container.hooks.after_load = None
        inside.set()
        go.wait(20)

    container.hooks.after_load = hold
    slow = pool.submit(container.get, thing)
    assert inside.wait(20)
    container.write(thing, 2)
    assert container.get(thing) == 2
    go.set()
    assert slow.result(20) == 1
    assert container.get(thing) == 2
