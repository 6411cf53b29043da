import json
from typing import Any

import pytest
import redis

from gochat_repo.cache import command
from gochat_repo.invalidations import CHANNEL, MAX_ENTRIES, MAX_HEARD, STREAMS, stream_of
from gochat_repo.local_cache import LocalCache
from tests.integration.repo.caching.containers import Containers, FakeSeconds, new_id

pytestmark = pytest.mark.usefixtures("side_door")


def stream(thing: int) -> str:
    return f"invalidations:{stream_of(f'thing:{thing}')}"


def test_what_another_container_wrote_is_dropped_by_the_next_pipeline_whatever_it_is_for(
    containers: Containers,
) -> None:
    thing, reader, writer = new_id(), containers.open(), containers.open()
    writer.write_row(thing, 1)
    reader.remember(thing)
    writer.write(thing, 2)
    with reader.counting() as trips:
        reader.send_a_pipeline()
    assert trips == [0, 1], "it rides along"
    assert reader.get(thing) == 2


def test_the_writers_own_copy_is_gone_at_once(containers: Containers) -> None:
    thing, container = new_id(), containers.open()
    container.write_row(thing, 1)
    container.remember(thing)
    container.write(thing, 2)
    assert container.get(thing) == 2


def test_an_invalidation_drops_its_key_and_no_other(containers: Containers) -> None:
    reader, writer = containers.open(), containers.open()
    things = [new_id() for _ in range(50)]
    for thing in things:
        writer.write_row(thing, 1)
        reader.remember(thing)
    writer.write(things[7], 2)
    reader.send_a_pipeline()
    asked = []
    for thing in things:
        with reader.counting() as trips:
            reader.get(thing)
        asked.append(trips != [0, 0])
    assert asked == [thing == things[7] for thing in things]


def test_a_container_follows_only_streams_of_what_it_remembers(
    containers: Containers, side_door: "redis.RedisCluster"
) -> None:
    idle = containers.open(is_local=False)
    idle.get(new_id())
    assert side_door.keys("invalidations:*", target_nodes=side_door.ALL_NODES) == []
    thing, reader = new_id(), containers.open()
    reader.remember(thing)
    assert side_door.keys("invalidations:*", target_nodes=side_door.ALL_NODES) == [stream(thing).encode()]


def test_keys_spread_over_all_streams() -> None:
    assert {stream_of(f"thing:{number}") for number in range(1000)} == set(range(STREAMS))


@pytest.mark.parametrize("missed", [MAX_HEARD + 1, MAX_ENTRIES + 200])
def test_a_reader_that_missed_too_much_drops_everything(
    containers: Containers, side_door: "redis.RedisCluster", missed: int
) -> None:
    reader, writer = containers.open(), containers.open()
    thing, other = new_id(), new_id()
    for one in (thing, other):
        writer.write_row(one, 1)
        reader.remember(one)
    writer.write_row(other, 2)  # told by an entry that is trimmed, or beyond what is heard: nobody tells
    capped = ("XADD", stream(thing), "MAXLEN", MAX_ENTRIES, "*", "k", "nothing:1")
    writer.cache.run([command(*capped)] * missed)
    side_door.delete(f"thing:{other}")
    reader.send_a_pipeline()
    with reader.counting() as trips:
        assert reader.get(other) == 2
    assert trips[0] == 1
    assert reader.remember(thing) == 1, "and follows again"


def test_a_flushed_redis_makes_readers_drop_everything(containers: Containers, side_door: "redis.RedisCluster") -> None:
    thing, reader, writer = new_id(), containers.open(), containers.open()
    writer.write_row(thing, 1)
    reader.remember(thing)
    writer.write(thing, 2)
    side_door.flushall(target_nodes=redis.RedisCluster.PRIMARIES)
    reader.send_a_pipeline()
    assert reader.get(thing) == 2


def test_a_flush_shows_even_where_the_stream_was_written_again(
    containers: Containers, side_door: "redis.RedisCluster"
) -> None:
    thing, reader, writer = new_id(), containers.open(), containers.open()
    writer.write_row(thing, 1)
    reader.remember(thing)
    writer.write(thing, 2)
    side_door.flushall(target_nodes=redis.RedisCluster.PRIMARIES)
    for number in range(20):
        side_door.xadd(stream(thing), {"k": f"nothing:{number}"})
    reader.send_a_pipeline()
    assert reader.get(thing) == 2


def test_what_was_read_before_its_stream_was_followed_is_not_remembered(containers: Containers) -> None:
    thing, reader, writer = new_id(), containers.open(), containers.open()
    writer.write_row(thing, 1)
    reader.get(thing)
    with reader.counting() as trips:
        reader.get(thing)
    assert trips == [0, 1]


def test_long_lived_subscribers_hear_of_every_change(containers: Containers, side_door: "redis.RedisCluster") -> None:
    thing, writer = new_id(), containers.open()
    opened: Any = side_door
    listener = opened.pubsub()
    listener.subscribe(CHANNEL)
    assert listener.get_message(timeout=5)["type"] == "subscribe"
    writer.write(thing, 1)
    heard = listener.get_message(timeout=5)
    assert (heard["type"], json.loads(heard["data"])) == ("message", [f"thing:{thing}"])
    listener.close()


def test_the_least_recently_used_value_goes_first() -> None:
    clock = FakeSeconds()
    local = LocalCache(max_values=2, now_s=clock)
    for key in ("a", "b"):
        local.put(key, key.upper(), read_at_s=clock())
    assert local.get("a") == "A"
    local.put("c", "C", read_at_s=clock())
    assert [local.get(key) for key in ("a", "c")] == ["A", "C"]
    assert len(local) == 2
    clock.now_s += 5
    local.get("a")
    assert len(local) == 1, "what is too old takes no room once it is met"
