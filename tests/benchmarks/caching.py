# ruff: noqa: T201  # a benchmark prints
"""Measures reading a profile at each level of the cache, a miss, and 100 misses at once, beside always the database."""

import argparse
import statistics
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from threading import Barrier

from gochat_core.errors import UserNotFound
from gochat_core.types import UserId
from gochat_repo.cache import Cache, RedisSettings, command
from gochat_repo.local_cache import MAX_VALUES, LocalCache
from gochat_repo.migrate import migrate
from gochat_repo.mysql import Database, Transaction
from gochat_repo.mysql_pool import MySqlSettings
from gochat_repo.read_through import ReadThrough
from gochat_repo.users import PROFILES, User, UserStore
from local_stage.services.mysql import start_mysql
from local_stage.services.redis import start_redis
from tests.benchmarks.messages_stage import show_machine

LOCAL_BUDGET_US = 5.0
CROWD = 100
PEOPLE = 200
_IDS = count(1)


@dataclass(kw_only=True)
class Container:
    """One function's container."""

    database: Database
    cache: Cache
    values: ReadThrough
    users: UserStore

    def close(self) -> None:
        """Close the connections."""
        self.database.close()
        self.cache.close()


@dataclass(kw_only=True)
class Bench:
    """The stores, with people in them, and containers."""

    mysql: MySqlSettings
    redis: RedisSettings
    people: list[UserId]
    opened: list[Container]

    def open(self) -> Container:
        """Start a container."""
        database, cache = Database(self.mysql), Cache(self.redis)
        values = ReadThrough(database, cache)
        container = Container(database=database, cache=cache, values=values, users=UserStore(database, values))
        self.opened.append(container)
        return container


@contextmanager
def running_bench() -> Iterator[Bench]:
    """Start MySQL and Redis, and register people."""
    with tempfile.TemporaryDirectory(prefix="gochat-bench-") as directory:
        mysql, redis = start_mysql(Path(directory) / "mysql"), start_redis(Path(directory) / "redis")
        bench = Bench(
            mysql=MySqlSettings(
                mysql_host=mysql.host, mysql_port=mysql.port, mysql_user=mysql.user, mysql_database="gochat"
            ),
            redis=RedisSettings(redis_host=redis.host, redis_port=redis.port),
            people=[UserId(next(_IDS)) for _ in range(PEOPLE)],
            opened=[],
        )
        try:
            migrate(bench.mysql)
            _register(bench.open().users, bench.people)
            yield bench
        finally:
            for one in bench.opened:
                one.close()
            mysql.stop()
            redis.stop()


def _register(users: UserStore, people: list[UserId]) -> None:
    for user_id in people:
        name = f"user{user_id}"
        users.create_user(
            User(user_id=user_id, username=name, display_name=name, avatar_url=None, created_at_ms=1), "hash"
        )


def naive(database: Database, user_id: UserId) -> User:
    """Read a profile as one does without a cache."""

    def work(tx: Transaction) -> User | None:
        return PROFILES.load(tx, [user_id]).get(user_id)

    user = database.read(work)
    if user is None:
        raise UserNotFound
    return user


def per_call_us(work: Callable[[], object], calls: int) -> tuple[float, float]:
    """Return wall and CPU time of one call."""
    began_s, began_cpu_s = time.perf_counter(), time.process_time()
    for _ in range(calls):
        work()
    return (time.perf_counter() - began_s) / calls * 1e6, (time.process_time() - began_cpu_s) / calls * 1e6


def show(name: str, samples: list[tuple[float, float]], note: str) -> float:
    """Print medians with the spread of the wall time; return the median of that."""
    wall = [sample[0] for sample in samples]
    median = statistics.median(wall)
    cpu = statistics.median(sample[1] for sample in samples)
    print(f"  {name:<34} {median:9.1f} µs ({min(wall):.1f} to {max(wall):.1f})   CPU {cpu:8.1f} µs   {note}")
    return median


def measure_levels(bench: Bench, rounds: int) -> None:
    """Measure one reader: each level, and the database alone."""
    reader, someone = bench.open(), bench.people[0]
    for _ in range(5):
        reader.users.get_user(someone)
    local, in_redis, missed, database = [], [], [], []
    for _ in range(rounds):
        local.append(per_call_us(lambda: reader.users.get_user(someone), 20_000))
        in_redis.append(per_call_us(lambda: _forgetful(reader, someone), 300))
        missed.append(per_call_us(lambda: _missing(reader, someone), 300))
        database.append(per_call_us(lambda: naive(reader.database, someone), 300))
    bare = statistics.median(
        per_call_us(lambda: reader.cache.run([command("DEL", "nothing")]), 300)[0] for _ in range(5)
    )
    print(f"one reader, {rounds} rounds (one Redis round trip: {bare:.0f} µs)")
    hit_us = show("hit in the container", local, "no round trip")
    show("hit in Redis", in_redis, "1 to Redis")
    show("miss", missed, "3 to Redis (one makes it a miss), 1 to MySQL")
    direct_us = show("naive: always the database", database, "1 to MySQL")
    verdict = "met" if hit_us <= LOCAL_BUDGET_US else "MISSED"
    print(
        f"  {verdict}: a hit in the container within {LOCAL_BUDGET_US} µs; {direct_us / hit_us:.0f} x faster than naive"
    )


def _forgetful(reader: Container, user_id: UserId) -> None:
    reader.values._flights.forget_all()
    reader.users.get_user(user_id)


def _missing(reader: Container, user_id: UserId) -> None:
    reader.cache.run([command("DEL", PROFILES.key(user_id))])
    _forgetful(reader, user_id)


def crowd_ms(pool: ThreadPoolExecutor, crowd: list[Container], ask: Callable[[Container], object]) -> float:
    """Let every container ask at once and return how long all of them took."""
    ready = Barrier(len(crowd) + 1)

    def work(one: Container) -> None:
        ready.wait()
        ask(one)

    done = [pool.submit(work, one) for one in crowd]
    ready.wait()
    began_s = time.perf_counter()
    for one in done:
        one.result()
    return (time.perf_counter() - began_s) * 1000


def measure_crowd(bench: Bench, rounds: int) -> None:
    """Measure 100 containers that miss one key at once."""
    crowd = [bench.open() for _ in range(CROWD)]
    ways: tuple[tuple[str, Callable[[UserId, Container], object]], ...] = (
        ("through the cache, which lacks it", lambda user_id, one: one.users.get_user(user_id)),
        ("naive: always the database", lambda user_id, one: naive(one.database, user_id)),
    )
    print(f"{CROWD} containers that want one profile at once, {rounds} rounds")
    with ThreadPoolExecutor(CROWD) as pool:
        for name, ask in ways:
            took_ms, reads = [], []
            for user_id in bench.people[: rounds + 1]:
                crowd[0].cache.run([command("DEL", PROFILES.key(user_id))])
                before = sum(one.database.round_trips for one in crowd)
                took_ms.append(crowd_ms(pool, crowd, partial(ask, user_id)))
                reads.append(sum(one.database.round_trips for one in crowd) - before)
            # The first round opened the connections.
            print(
                f"  {name:<34} {statistics.median(took_ms[1:]):9.1f} ms ({min(took_ms[1:]):.1f} to"
                f" {max(took_ms[1:]):.1f})   reads of the database: {max(reads[1:])} at most"
            )


def measure_memory() -> None:
    """Measure what a full cache of profiles holds."""
    tracemalloc.start()
    local = LocalCache()
    for number in range(MAX_VALUES):
        payload = PROFILES.encode(
            User(
                user_id=UserId(number),
                username=f"user{number}",
                display_name=f"User {number}",
                avatar_url=f"https://example.org/avatars/{number}.jpg",
                created_at_ms=1_795_413_600_000 + number,
            )
        )
        local.put(f"user:{number}", PROFILES.decode(payload), read_at_s=0.0)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    print(f"a container full of profiles ({len(local)}): {held / 1e6:.1f} MB")


def main() -> None:
    """Print everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    show_machine()
    with running_bench() as bench:
        measure_levels(bench, rounds)
        measure_crowd(bench, rounds)
    measure_memory()


if __name__ == "__main__":
    main()
