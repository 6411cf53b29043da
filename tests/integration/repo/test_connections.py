import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from gochat_core.types import CellId, ConnectionId, DeviceId, SessionId, UserId
from gochat_repo.cache import Cache, command
from gochat_repo.connections import Connection, Connections, delete_session_connections
from gochat_repo.mysql import Database
from gochat_repo.mysql_pool import MySqlSettings
from local_stage.services.redis import RedisCluster
from tests.integration.repo.conftest import redis_settings

ALICE, BOB = UserId(1), UserId(2)
PHONE, LAPTOP = DeviceId("phone"), DeviceId("laptop")


def connection(
    connection_id: str, *, user: UserId = ALICE, device: DeviceId = PHONE, session: int = 1, at_ms: int = 1000
) -> Connection:
    return Connection(
        user_id=user,
        device_id=device,
        session_id=SessionId(session),
        cell_id=CellId("g1"),
        connection_id=ConnectionId(connection_id),
        connected_at_ms=at_ms,
    )


@pytest.fixture
def store(database: Database, cache: Cache, redis_cluster: RedisCluster) -> Iterator[Connections]:
    with redis.Redis(host=redis_cluster.host, port=redis_cluster.port) as client:
        client.flushall()
    yield Connections(database, cache)
    database.transaction(lambda tx: tx.execute("DELETE FROM connections"))


def cached(cache: Cache, user: UserId = ALICE) -> Any:
    return cache.run([command("GET", f"user_conns:{user}")])[0]


def test_a_second_connection_of_a_device_replaces_the_first_by_name(store: Connections) -> None:
    first, second = connection("one="), connection("two=", at_ms=2000)
    assert store.register(first) is None
    assert store.register(connection("other=", device=LAPTOP)) is None
    assert store.register(second) == first
    assert {one.connection_id for one in store.list_by_users([ALICE])[ALICE]} == {"one=", "other="}
    assert store.register(second, replacing=first) is None
    assert {one.connection_id for one in store.list_by_users([ALICE])[ALICE]} == {"two=", "other="}


def test_registering_twice_replaces_nothing(store: Connections) -> None:
    store.register(connection("one="))
    assert store.register(connection("one=")) is None


def test_a_connection_replaces_none_but_the_one_that_is_named(store: Connections) -> None:
    first, second, third = connection("one="), connection("two=", at_ms=2000), connection("three=", at_ms=3000)
    store.register(first)
    store.register(second, replacing=first)
    assert store.register(third, replacing=first) == second
    assert store.list_by_users([ALICE])[ALICE] == (second,)


def test_a_late_goodbye_leaves_the_successor_alone(store: Connections) -> None:
    store.register(connection("one="))
    store.register(connection("two=", at_ms=2000), replacing=connection("one="))
    assert not store.remove(ALICE, PHONE, ConnectionId("one="))
    assert store.remove(ALICE, PHONE, ConnectionId("two="))
    assert not store.remove(ALICE, PHONE, ConnectionId("two="))
    assert store.list_by_users([ALICE]) == {}


def test_many_goodbyes_are_one_statement(store: Connections, database: Database) -> None:
    for user in range(20):
        store.register(connection(f"{user}=", user=UserId(user)))
    before = database.round_trips
    gone = [(UserId(user), PHONE, ConnectionId(f"{user}=")) for user in range(30)]
    assert store.remove_many(gone) == 20
    assert database.round_trips - before == 3, "deletion and commit, and when their users were seen"


def test_of_two_connects_at_once_one_finds_the_other(
    migrated: MySqlSettings, store: Connections, redis_cluster: RedisCluster
) -> None:
    for user in map(UserId, range(100, 120)):
        told = connect_two_at_once(lambda: (Database(migrated), Cache(redis_settings(redis_cluster))), user)
        (held,) = store.list_by_users([user])[user]
        assert [one for one in told if one is not None] == [held], "whoever came second is told of the first"


def connect_two_at_once(open_stores: Callable[[], tuple[Database, Cache]], user: UserId) -> list[Connection | None]:
    """Register two connections of one device from two containers and return what each was told."""
    start = threading.Barrier(2)
    told: list[Connection | None] = [None, None]

    def connect(index: int) -> None:
        database, cache = open_stores()
        start.wait(10)
        told[index] = Connections(database, cache).register(connection(f"{index}=", user=user, at_ms=1000 + index))
        database.close()
        cache.close()

    threads = [threading.Thread(target=connect, args=(index,)) for index in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return told


def test_the_cache_is_filled_by_the_first_reader_and_read_by_the_next(
    store: Connections, database: Database, cache: Cache
) -> None:
    held = connection("one=")
    store.register(held)
    assert store.find([ALICE, BOB]) == {ALICE: (held,), BOB: ()}
    before = database.round_trips, cache.round_trips
    assert store.find([ALICE, BOB]) == {ALICE: (held,), BOB: ()}
    assert (database.round_trips, cache.round_trips) == (before[0], before[1] + 1)


def test_while_connections_are_about_to_change_nothing_is_trusted_or_filled(
    store: Connections, database: Database, cache: Cache
) -> None:
    held = connection("one=")
    store.register(held)
    store.find([ALICE])
    store.begin_change([ALICE])
    marked = cached(cache)
    database.transaction(lambda tx: tx.execute("DELETE FROM connections"))
    assert store.find([ALICE]) == {ALICE: ()}
    assert cached(cache) == marked
    store.forget([ALICE])
    assert cached(cache) is None


def test_a_reader_that_was_overtaken_by_a_writer_fills_nothing(
    store: Connections, cache: Cache, migrated: MySqlSettings
) -> None:
    held = connection("one=")

    class OvertakenDatabase(Database):
        def read(self, work: Any) -> Any:
            found = super().read(work)
            store.register(held)
            return found

    slow = OvertakenDatabase(migrated)
    assert Connections(slow, cache).find([ALICE]) == {ALICE: ()}
    assert cached(cache) is None
    assert store.find([ALICE]) == {ALICE: (held,)}
    slow.close()


def test_one_who_asks_while_another_reads_waits_for_nobody(store: Connections, cache: Cache) -> None:
    held = connection("one=")
    store.register(held)
    cache.run([command("SET", f"user_conns:{ALICE}", b"?somebody", "EX", 60)])
    before = cache.round_trips
    assert store.find([ALICE]) == {ALICE: (held,)}
    assert cache.round_trips - before == 1


def test_what_a_newer_release_wrote_into_the_cache_is_read_from_the_truth(store: Connections, cache: Cache) -> None:
    held = connection("one=")
    store.register(held)
    cache.run([command("SET", f"user_conns:{ALICE}", b'={"v":2}')])
    assert store.find([ALICE]) == {ALICE: (held,)}


def test_without_redis_the_truth_is_asked(database: Database, own_redis: RedisCluster) -> None:
    own_redis.stop()
    cache = Cache(redis_settings(own_redis))
    store = Connections(database, cache)
    held = connection("one=")
    assert store.register(held) is None
    assert store.find([ALICE, BOB], also=[command("DEL", "anything")]) == {ALICE: (held,), BOB: ()}
    assert store.remove(ALICE, PHONE, held.connection_id)


def test_every_key_expires(store: Connections, cache: Cache) -> None:
    store.register(connection("one="))
    store.find([ALICE, BOB])
    lifetimes = cache.run([command("TTL", f"user_conns:{user}") for user in (ALICE, BOB)])
    assert all(0 < seconds <= 600 for seconds in lifetimes)


def test_ended_sessions_take_their_connections_with_them(store: Connections, database: Database) -> None:
    ended, other = connection("one=", session=1), connection("two=", device=LAPTOP, session=2)
    store.register(ended)
    store.register(other)
    assert store.list_by_sessions(ALICE, [SessionId(2)]) == [other]
    gone = database.transaction(lambda tx: delete_session_connections(tx, ALICE, {SessionId(1)}))
    assert gone == [ended]
    assert store.list_by_users([ALICE]) == {ALICE: (other,)}
