import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gochat_core.errors import Unavailable
from gochat_repo.cache import CacheUnavailable, command
from gochat_repo.mysql_pool import MySqlSettings
from local_stage.services.redis import RedisCluster, start_redis
from tests.fixtures.outages import frozen, stopped
from tests.integration.repo.caching.containers import Container, Containers, new_id
from tests.integration.repo.conftest import redis_settings, wait_until


@pytest.fixture
def apart(things: MySqlSettings, own_redis: RedisCluster) -> Iterator[Containers]:
    """Open containers over a Redis that may be taken away."""
    opened = Containers(mysql=things, redis=redis_settings(own_redis))
    yield opened
    opened.close()


def answers(container: Container) -> bool:
    try:
        container.send_a_pipeline()
    except CacheUnavailable:
        return False
    return True


def test_with_redis_stopped_every_answer_is_right_and_none_takes_long(
    apart: Containers, own_redis: RedisCluster
) -> None:
    reader, writer, thing = apart.open(), apart.open(), new_id()
    writer.write_row(thing, 1)
    reader.remember(thing)
    took_s: list[float] = []
    with stopped(own_redis):
        for value in range(2, 30):
            began_s = time.monotonic()
            writer.write(thing, value)
            with pytest.raises(CacheUnavailable):
                reader.send_a_pipeline()
            assert reader.get(thing) == value
            took_s.append(time.monotonic() - began_s)
    assert max(took_s) < 5
    wait_until(lambda: answers(reader) and answers(writer))
    assert reader.get(thing) == 29
    writer.write(thing, 30)
    reader.send_a_pipeline()
    assert reader.get(thing) == 30


def test_while_redis_is_away_a_lagging_reader_is_not_asked(apart: Containers, own_redis: RedisCluster) -> None:
    reader, writer, thing = apart.open(), apart.open(), new_id()
    writer.write_row(thing, 1)
    reader.database.freeze_reader()
    with stopped(own_redis):
        writer.write(thing, 2)
        assert reader.get(thing) == 2


def test_a_redis_that_hung_during_a_change_and_kept_the_old_value_is_told_when_it_answers(
    apart: Containers, own_redis: RedisCluster
) -> None:
    reader, writer, thing = apart.open(), apart.open(), new_id()
    writer.write_row(thing, 1)
    reader.remember(thing)
    with frozen(own_redis):
        with pytest.raises(CacheUnavailable):
            writer.send_a_pipeline()
        writer.write(thing, 2)  # the circuit is open: Redis was not even asked
    wait_until(lambda: answers(writer))
    wait_until(lambda: answers(reader))
    assert writer.get(thing) == reader.get(thing) == apart.open().get(thing) == 2
    reader.remember(thing)
    writer.send_a_pipeline()
    reader.send_a_pipeline()
    with reader.counting() as trips:
        reader.get(thing)
    assert trips == [0, 0], "it was told once"


def test_a_redis_that_goes_between_two_steps_of_a_reading_costs_nothing_but_the_copy(
    apart: Containers, own_redis: RedisCluster
) -> None:
    reader, thing = apart.open(), new_id()
    reader.write_row(thing, 1)
    reader.hooks.after_load = own_redis.kill
    assert reader.get(thing) == 1
    reader.hooks.after_load = None
    own_redis.restart()


def test_without_mysql_what_is_cached_can_be_read_and_the_rest_cannot(apart: Containers) -> None:
    reader, thing = apart.open(), new_id()
    reader.write_row(thing, 1)
    reader.get(thing)

    def gone() -> None:
        raise Unavailable

    reader.hooks.before_load = gone
    assert reader.get(thing) == 1
    with pytest.raises(Unavailable):
        reader.get(new_id())


def test_a_dead_node_that_holds_a_stream_troubles_no_command_of_another(things: MySqlSettings, tmp_path: Path) -> None:
    cluster = start_redis(tmp_path / "three", nodes=3)
    opened = Containers(mysql=things, redis=redis_settings(cluster))
    reader, ids = opened.open(), [new_id() for _ in range(60)]
    for thing in ids:
        reader.write_row(thing, thing)
        reader.remember(thing)
    dead = cluster.nodes[2]
    alive = next(key for key in map(str, range(100)) if reader.cache._topology.owner(_slot(key)).port != dead.port)
    dead.kill()
    assert reader.cache.run([command("SET", alive, "x", "EX", 60)]) == [b"OK"]
    assert len(reader.values._local) == 0, "some invalidations can't be heard any more"
    assert reader.values.get_many(reader.things, ids) == {thing: thing for thing in ids}
    opened.close()
    cluster.stop()


def _slot(key: str) -> int:
    from redis.crc import key_slot

    return int(key_slot(key.encode()))
