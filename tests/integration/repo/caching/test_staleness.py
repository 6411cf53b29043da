"""Random reads, writes, flushes and outages, one in the middle of another: nothing too old, and nothing made up.

The reader of the database lags until it is told to catch up. A flush lets it catch up: what Redis forgets with a flush
is which values were written a moment ago (docs/architecture.md, "Caching").
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from gochat_repo.cache import Cache, CacheUnavailable
from gochat_repo.local_cache import LOCAL_TTL_S
from tests.integration.repo.caching.containers import Container, Containers, new_id

READERS = st.integers(0, 1)
THINGS = st.integers(0, 1)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("read"), THINGS, st.booleans()),
        st.tuples(st.just("write"), THINGS),
        st.tuples(st.just("flush")),
        st.tuples(st.just("catch up")),
        st.tuples(st.just("pass"), st.floats(0, 2 * LOCAL_TTL_S)),
        st.tuples(st.just("expire"), THINGS),
        st.tuples(st.just("stop")),
        st.tuples(st.just("start")),
    ),
    max_size=4,
)
"""What others do in the middle of something."""


class FlakyCache(Cache):
    """A cache that is away when told."""

    is_away = False

    def _run(self, *args: Any) -> None:
        if self.is_away:
            raise CacheUnavailable
        super()._run(*args)


class StaleReads(RuleBasedStateMachine):
    """Two readers and a writer over two things; the value of a thing is the number of times that it was written."""

    containers: Containers
    side_door: "redis.RedisCluster"

    @initialize()
    def open(self) -> None:
        """Start the containers; nothing is stored."""
        FlakyCache.is_away = False
        self.side_door.flushall(target_nodes=redis.RedisCluster.PRIMARIES)
        self.things = [new_id(), new_id()]
        self.readers = [self.containers.open(cache_class=FlakyCache) for _ in range(2)]
        self.writer = self.containers.open(cache_class=FlakyCache)
        self.now_s = 1000.0
        self.committed = [0, 0]
        self.told: list[list[tuple[float, int]]] = [[(0.0, 0)], [(0.0, 0)]]
        self._catch_up()

    def teardown(self) -> None:
        """Close the containers."""
        self.containers.close()
        self.containers.opened.clear()

    @rule(reader=READERS, thing=THINGS, piped=st.booleans(), before=STEPS, after=STEPS)
    def read(self, reader: int, thing: int, piped: bool, before: list[Any], after: list[Any]) -> None:
        """Read with others stepping in before and after the database is asked."""
        container = self.readers[reader]
        with _hooked(container, lambda: self._do(before, 1 - reader), lambda: self._do(after, 1 - reader)):
            self._read(reader, thing, piped=piped)

    @rule(thing=THINGS, before=STEPS, after=STEPS, reader=READERS)
    def write(self, thing: int, before: list[Any], after: list[Any], reader: int) -> None:
        """Write with others stepping in before and after the commit."""
        others = [step for step in (*before, *after) if step[0] != "write"]
        self._write(
            thing, lambda: self._do(others[: len(before)], reader), lambda: self._do(others[len(before) :], reader)
        )

    @rule(steps=STEPS, reader=READERS)
    def step(self, steps: list[Any], reader: int) -> None:
        """Do things one after the other."""
        self._do(steps, reader)

    def _read(self, reader: int, thing: int, *, piped: bool) -> None:
        container = self.readers[reader]
        if piped:
            with contextlib.suppress(CacheUnavailable):
                container.send_a_pipeline()
        bound_s = self.now_s if piped else self.now_s - LOCAL_TTL_S
        floor = max(value for told_s, value in self.told[thing] if told_s <= bound_s)
        value = container.get(self.things[thing]) or 0
        assert floor <= value <= self.committed[thing]

    def _write(self, thing: int, before: Callable[[], None], after: Callable[[], None]) -> None:
        with self.writer.values.changing(self.writer.things, [self.things[thing]]):
            before()
            value = self.committed[thing] + 1
            self.writer.write_row(self.things[thing], value)
            self.committed[thing] = value
            after()
        self.told[thing].append((self.now_s, value))

    def _do(self, steps: list[Any], reader: int) -> None:
        for name, *values in steps:
            match name:
                case "read":
                    self._read(reader, values[0], piped=values[1])
                case "write":
                    self._write(values[0], _nothing, _nothing)
                case "flush":
                    self._flush()
                case "catch up":
                    self._catch_up()
                case "pass":
                    self.now_s += values[0]
                    for one in (*self.readers, self.writer):
                        one.clock.now_s = self.now_s
                case "expire":
                    self._catch_up()
                    self.side_door.delete(f"thing:{self.things[values[0]]}")
                case "stop" | "start":
                    if name == "start":
                        self._flush()
                    FlakyCache.is_away = name == "stop"

    def _flush(self) -> None:
        self._catch_up()
        self.side_door.flushall(target_nodes=redis.RedisCluster.PRIMARIES)

    def _catch_up(self) -> None:
        for one in self.readers:
            one.database.freeze_reader()


def _nothing() -> None:
    """Do nothing."""


class _hooked:  # noqa: N801 - a context manager
    """Lets others step in once while a container reads the database."""

    def __init__(self, container: Container, before: Callable[[], None], after: Callable[[], None]) -> None:
        self._hooks = container.hooks
        self._steps = {"before_load": before, "after_load": after}

    def __enter__(self) -> None:
        for name in self._steps:
            setattr(self._hooks, name, lambda name=name: self._run(name))

    def __exit__(self, *_: object) -> None:
        self._hooks.before_load = self._hooks.after_load = None

    def _run(self, name: str) -> None:
        setattr(self._hooks, name, None)
        self._steps[name]()


@pytest.fixture
def machine(containers: Containers, side_door: "redis.RedisCluster") -> Iterator[type[StaleReads]]:
    """Give the test a machine over a cluster."""

    class Machine(StaleReads):
        pass

    Machine.containers, Machine.side_door = containers, side_door
    yield Machine
    FlakyCache.is_away = False


@pytest.mark.timeout(300)
def test_no_answer_is_older_than_its_bound_and_none_is_made_up(machine: type[StaleReads]) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=40,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
