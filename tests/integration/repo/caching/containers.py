"""Containers that read things through the cache, each with clients of its own, and hooks between their steps."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import TypeVar

import msgspec
import redis

from gochat_repo.cache import Cache, CacheUnavailable, RedisSettings, command
from gochat_repo.cached_kinds import Kind
from gochat_repo.mysql import Database, Transaction
from gochat_repo.mysql_connection import Connection
from gochat_repo.mysql_pool import MySqlSettings, open_connection
from gochat_repo.read_through import ReadThrough
from local_stage.services.redis import RedisCluster

T = TypeVar("T")

TABLE = "CREATE TABLE IF NOT EXISTS things (thing_id BIGINT PRIMARY KEY, value BIGINT NOT NULL)"

_IDS = count(1)


class LaggingDatabase(Database):
    """A database whose reader stands still from `freeze_reader` on, as a replica that lags."""

    _snapshot: Connection | None = None

    def __init__(self, settings: MySqlSettings) -> None:
        super().__init__(settings)
        self.settings = settings
        self._retired: list[Connection] = []

    def freeze_reader(self) -> None:
        """Let the reader show what is committed now, and nothing later; who is reading goes on with what there was."""
        self.thaw_reader()
        self._snapshot = open_connection(self.settings, database=self.settings.mysql_database, password=None, tls=None)
        with self._snapshot.cursor() as cursor:
            cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT")

    def thaw_reader(self) -> None:
        """Let the reader catch up."""
        if self._snapshot is not None:
            self._retired.append(self._snapshot)
            self._snapshot = None

    def read_replica(self, work: Callable[[Transaction], T]) -> T:
        """Read from the snapshot, if there is one."""
        if self._snapshot is None:
            return super().read_replica(work)
        found = work(Transaction(self._snapshot, self._count))
        self._drop_retired()
        return found

    def close(self) -> None:
        """Close the connections."""
        self.thaw_reader()
        self._drop_retired()
        super().close()

    def _drop_retired(self) -> None:
        while self._retired:
            self._retired.pop().drop()


@dataclass
class FakeSeconds:
    """A monotonic clock that moves when told."""

    now_s: float = 1000.0

    def __call__(self) -> float:
        return self.now_s


@dataclass
class Hooks:
    """What happens to be done by others while something is read."""

    before_load: Callable[[], None] | None = None
    after_load: Callable[[], None] | None = None


@dataclass(kw_only=True)
class Container:
    """One function's container."""

    database: LaggingDatabase
    cache: Cache
    values: ReadThrough
    clock: FakeSeconds
    hooks: Hooks
    things: Kind[int, int]
    pauses: list[float] = field(default_factory=list)

    def get(self, thing_id: int) -> int | None:
        """Read a thing."""
        return self.values.get(self.things, thing_id)

    def write(self, thing_id: int, value: int) -> None:
        """Change a thing as the stores change what they cache."""
        with self.values.changing(self.things, [thing_id]):
            self.write_row(thing_id, value)

    def write_row(self, thing_id: int, value: int) -> None:
        """Change a thing in the database and tell nobody."""
        self.database.transaction(
            lambda tx: tx.execute(
                "INSERT INTO things (thing_id, value) VALUES (%s, %s) ON DUPLICATE KEY UPDATE value = VALUES(value)",
                (thing_id, value),
            )
        )

    def send_a_pipeline(self) -> None:
        """Ask Redis for something else, as every invocation does."""
        self.cache.run([command("GET", "something-else")])

    def remember(self, thing_id: int) -> int | None:
        """Read a thing until this container remembers it itself."""
        for _ in range(5):
            with self.counting() as trips:
                value = self.get(thing_id)
            if trips == [0, 0]:
                return value
        raise AssertionError("the container never remembered it")

    @contextmanager
    def counting(self) -> Iterator[list[int]]:
        """Count the round trips of a block: those to the database, those to Redis."""
        before = self.database.round_trips, self.cache.round_trips
        trips: list[int] = []
        yield trips
        trips += [self.database.round_trips - before[0], self.cache.round_trips - before[1]]

    def close(self) -> None:
        """Close the connections."""
        self.database.close()
        self.cache.close()


@dataclass(kw_only=True)
class Containers:
    """Opens containers over the same stores."""

    mysql: MySqlSettings
    redis: RedisSettings
    opened: list[Container] = field(default_factory=list)

    def open(self, *, is_local: bool = True, cache_class: type[Cache] = Cache) -> Container:
        """Start a container; its first pipeline has been sent."""
        database, cache = LaggingDatabase(self.mysql), cache_class(self.redis)
        clock, hooks, pauses = FakeSeconds(), Hooks(), list[float]()
        container = Container(
            database=database,
            cache=cache,
            values=ReadThrough(database, cache, now_s=clock, pause=pauses.append),
            clock=clock,
            hooks=hooks,
            things=_things(hooks, is_local=is_local),
            pauses=pauses,
        )
        with contextlib.suppress(CacheUnavailable):
            container.send_a_pipeline()
        self.opened.append(container)
        return container

    def close(self) -> None:
        """Close every container."""
        for one in self.opened:
            one.close()


def _things(hooks: Hooks, *, is_local: bool) -> Kind[int, int]:
    def load(tx: Transaction, ids: Sequence[int]) -> Mapping[int, int]:
        if hooks.before_load is not None:
            hooks.before_load()
        rows = tx.query("SELECT thing_id, value FROM things WHERE thing_id IN %s", (tuple(ids),))
        if hooks.after_load is not None:
            hooks.after_load()
        return {row[0]: row[1] for row in rows}

    return Kind(
        name="thing",
        load=load,
        encode=msgspec.json.Encoder().encode,
        decode=msgspec.json.Decoder(int).decode,
        is_local=is_local,
    )


def new_id() -> int:
    """Return the id of a thing that no other test has."""
    return next(_IDS)


def raw(cluster: RedisCluster) -> "redis.RedisCluster":
    """Open a side door to Redis."""
    return redis.RedisCluster(host=cluster.host, port=cluster.port)
