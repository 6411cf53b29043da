from typing import Any

import pytest
import redis

from gochat_repo.cache_entries import ABSENCE_TTL_S, VALUE_TTL_S
from gochat_repo.local_cache import LOCAL_TTL_S
from tests.integration.repo.caching.containers import Containers, new_id

pytestmark = pytest.mark.usefixtures("side_door")


def test_each_level_is_asked_only_when_the_one_before_has_nothing(containers: Containers) -> None:
    thing, one, other = new_id(), containers.open(), containers.open()
    one.write_row(thing, 7)
    with one.counting() as trips:
        assert one.get(thing) == 7
    assert trips == [1, 2], "Redis, the database, Redis to fill"
    with other.counting() as trips:
        assert other.get(thing) == 7
    assert trips == [0, 1], "Redis"
    other.remember(thing)
    with other.counting() as trips:
        assert other.get(thing) == 7
    assert trips == [0, 0], "the container itself"


def test_many_values_cost_as_many_round_trips_as_one(containers: Containers) -> None:
    container, ids = containers.open(), [new_id() for _ in range(100)]
    container.write_row(ids[0], 0)
    container.database.transaction(
        lambda tx: tx.execute_rows("INSERT INTO things (thing_id, value) VALUES", [(one, one) for one in ids[1:90]])
    )
    with container.counting() as trips:
        found = container.values.get_many(container.things, ids)
    assert found == {ids[0]: 0} | {one: one for one in ids[1:90]}
    assert trips == [1, 2]
    with containers.open().counting() as trips:
        assert containers.opened[-1].values.get_many(container.things, ids) == found
    assert trips == [0, 1]


def test_what_was_written_lately_costs_one_round_trip_to_claim_it(containers: Containers) -> None:
    thing, one, other = new_id(), containers.open(), containers.open()
    one.write(thing, 1)
    with other.counting() as trips:
        assert other.get(thing) == 1
    assert trips == [1, 3], "Redis, the claim, the database, Redis to fill"
    with one.counting() as trips:
        assert one.get(thing) == 1
    assert trips == [0, 1]


def test_a_kind_that_is_not_local_is_asked_of_redis_every_time(containers: Containers) -> None:
    thing, container = new_id(), containers.open(is_local=False)
    container.write_row(thing, 7)
    container.get(thing)
    for _ in range(5):
        with container.counting() as trips:
            assert container.get(thing) == 7
        assert trips == [0, 1]


def test_that_there_is_nothing_is_remembered_for_a_moment(
    containers: Containers, side_door: "redis.RedisCluster"
) -> None:
    thing, one, other = new_id(), containers.open(), containers.open()
    assert one.get(thing) is None
    with other.counting() as trips:
        assert other.get(thing) is None
    assert trips == [0, 1]
    assert 0 < side_door.pttl(f"thing:{thing}") <= ABSENCE_TTL_S * 1000
    one.write(thing, 1)
    assert (one.get(thing), other.get(thing)) == (1, 1)


def test_every_key_expires_and_not_all_at_once(containers: Containers, side_door: "redis.RedisCluster") -> None:
    container, ids = containers.open(), [new_id() for _ in range(40)]
    for one in ids:
        container.write_row(one, 1)
        container.get(one)
    lifetimes = {side_door.pttl(f"thing:{one}") // 1000 for one in ids}
    assert max(lifetimes) <= VALUE_TTL_S
    assert len(lifetimes) > 3
    container.write(ids[0], 2)
    container.write(ids[1], 2)
    keys: Any = side_door.keys("*", target_nodes=side_door.ALL_NODES)
    assert all(side_door.ttl(key) > 0 for key in keys), keys


def test_a_container_remembers_for_five_seconds_when_it_hears_nothing(containers: Containers) -> None:
    thing, reader, writer = new_id(), containers.open(), containers.open()
    writer.write_row(thing, 1)
    reader.remember(thing)
    writer.write(thing, 2)
    reader.clock.now_s += LOCAL_TTL_S - 0.01
    assert reader.get(thing) == 1, "no pipeline was sent"
    reader.clock.now_s += 0.01
    assert reader.get(thing) == 2


def test_a_container_that_did_not_ask_for_a_while_follows_again(containers: Containers) -> None:
    thing, reader, writer = new_id(), containers.open(), containers.open()
    writer.write_row(thing, 1)
    reader.remember(thing)
    reader.clock.now_s += 100
    reader.send_a_pipeline()
    writer.write(thing, 2)
    assert reader.remember(thing) == 2
    writer.write(thing, 3)
    reader.send_a_pipeline()
    assert reader.get(thing) == 3


def test_what_another_release_wrote_is_read_again_and_replaced(
    containers: Containers, side_door: "redis.RedisCluster"
) -> None:
    thing, container = new_id(), containers.open()
    container.write_row(thing, 7)
    for written in (b'{"of another": "release"}', b'="text"', b""):
        side_door.set(f"thing:{thing}", written, ex=60)
        assert containers.open().get(thing) == 7
        with containers.open().counting() as trips:
            assert containers.opened[-1].get(thing) == 7
        assert trips == [0, 1]
