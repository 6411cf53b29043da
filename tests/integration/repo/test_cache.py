from typing import Any

import pytest
import redis
from redis.crc import key_slot

from gochat_repo.cache import Cache, CacheCommandFailed, CacheUnavailable, Reply, Script, command
from gochat_repo.cache_nodes import SLOTS
from local_stage.services.redis import RedisCluster, RedisNode
from tests.integration.repo.conftest import redis_settings, wait_until


def raw(node: RedisNode | RedisCluster) -> redis.Redis:
    return redis.Redis(host=node.host, port=node.port)


def get(cache: Cache, key: str) -> Reply:
    return cache.run([command("GET", key)])[0]


def node_of(cluster: RedisCluster, key: str) -> RedisNode:
    """Return the node that serves a key."""
    slot = key_slot(key.encode())
    with raw(cluster) as client:
        ranges: Any = client.execute_command("CLUSTER SLOTS")
    port = next(primary[1] for first, last, primary, *_ in ranges if first <= slot <= last)
    return next(node for node in cluster.nodes if node.port == port)


def node_id(node: RedisNode) -> str:
    with raw(node) as client:
        return str(client.execute_command("CLUSTER MYID").decode())


def test_a_hundred_keys_over_three_nodes_cost_one_round_trip(three_nodes: RedisCluster) -> None:
    cache = Cache(redis_settings(three_nodes))
    get(cache, "warm")
    before = cache.round_trips
    keys = [f"hundred:{number}" for number in range(100)]
    replies = cache.run([*(command("SET", key, key) for key in keys), *(command("GET", key) for key in keys)])
    assert replies[100:] == [key.encode() for key in keys]
    assert cache.round_trips - before == 1
    assert len({node_of(three_nodes, key).port for key in keys}) == 3
    cache.close()


def test_a_script_is_loaded_where_it_is_not_known(cache: Cache, redis_cluster: RedisCluster) -> None:
    add = Script("return redis.call('INCRBY', KEYS[1], ARGV[1])")
    with raw(redis_cluster) as client:
        client.delete("{sum}")
        assert cache.run([add.call(["{sum}"], [2]), add.call(["{sum}"], [3])]) == [2, 5]
        client.script_flush()
    assert cache.run([add.call(["{sum}"], [4])]) == [9]


def test_a_refused_command_is_told_and_the_others_are_done(cache: Cache) -> None:
    cache.run([command("SET", "text", "x"), command("DEL", "other")])
    with pytest.raises(CacheCommandFailed, match="WRONGTYPE"):
        cache.run([command("LPUSH", "text", "y"), command("SET", "other", "done")])
    assert get(cache, "other") == b"done"


def test_a_moved_slot_is_followed(three_nodes: RedisCluster) -> None:
    cache = Cache(redis_settings(three_nodes))
    key = "moving"
    assert get(cache, key) is None
    source = node_of(three_nodes, key)
    target = next(node for node in three_nodes.nodes if node.port != source.port)
    slot = key_slot(key.encode())
    for node in three_nodes.nodes:
        with raw(node) as client:
            client.execute_command("CLUSTER SETSLOT", slot, "NODE", node_id(target))
    before = cache.round_trips
    assert cache.run([command("SET", key, "there"), command("GET", key)]) == [b"OK", b"there"]
    assert cache.round_trips - before <= 3, "the command, the new map, the command again"
    with raw(target) as client:
        assert client.get(key) == b"there"
    before = cache.round_trips
    get(cache, key)
    assert cache.round_trips - before == 1, "the new owner is remembered"
    cache.close()


def test_a_slot_on_its_way_is_asked_for_at_its_new_node(three_nodes: RedisCluster) -> None:
    cache = Cache(redis_settings(three_nodes))
    key = "on-its-way"
    get(cache, key)
    source = node_of(three_nodes, key)
    target = next(node for node in three_nodes.nodes if node.port != source.port)
    slot = key_slot(key.encode())
    with raw(source) as old, raw(target) as new:
        new.execute_command("CLUSTER SETSLOT", slot, "IMPORTING", node_id(source))
        old.execute_command("CLUSTER SETSLOT", slot, "MIGRATING", node_id(target))
        assert cache.run([command("SET", key, "early"), command("GET", "elsewhere")]) == [b"OK", None]
        assert new.execute_command("CLUSTER COUNTKEYSINSLOT", slot) == 1
        new.execute_command("CLUSTER SETSLOT", slot, "NODE", node_id(target))
        old.execute_command("CLUSTER SETSLOT", slot, "NODE", node_id(target))
    assert get(cache, key) == b"early"
    cache.close()


def test_a_restarted_server_goes_unnoticed(own_redis: RedisCluster) -> None:
    cache = Cache(redis_settings(own_redis))
    cache.run([command("SET", "key", "before")])
    own_redis.restart()
    assert get(cache, "key") is None
    cache.close()


def test_a_stopped_server_is_left_alone_for_a_while_and_then_found_again(own_redis: RedisCluster) -> None:
    cache = Cache(redis_settings(own_redis))
    cache.run([command("SET", "key", "before")])
    own_redis.stop()
    with pytest.raises(CacheUnavailable):
        get(cache, "key")
    own_redis.restart()
    with pytest.raises(CacheUnavailable):
        get(cache, "key")  # the circuit is open: nobody waits for a dead server at every request
    wait_until(lambda: _answers(cache))
    cache.close()


def test_a_frozen_server_costs_one_timeout_and_then_none(own_redis: RedisCluster) -> None:
    cache = Cache(redis_settings(own_redis))
    cache.run([command("SET", "key", "before")])
    own_redis.pause()
    with pytest.raises(CacheUnavailable):
        get(cache, "key")
    own_redis.resume()
    with pytest.raises(CacheUnavailable):
        get(cache, "key")
    wait_until(lambda: _answers(cache))
    assert get(cache, "key") == b"before"
    cache.close()


def test_without_a_server_at_the_start_it_is_found_when_it_comes(own_redis: RedisCluster) -> None:
    own_redis.stop()
    cache = Cache(redis_settings(own_redis))
    with pytest.raises(CacheUnavailable):
        get(cache, "key")
    own_redis.restart()
    wait_until(lambda: _answers(cache))
    cache.close()


def test_one_dead_node_takes_only_its_own_keys_with_it(tmp_path_factory: pytest.TempPathFactory) -> None:
    from local_stage.services.redis import start_redis

    cluster = start_redis(tmp_path_factory.mktemp("partly"), nodes=3)
    cache = Cache(redis_settings(cluster))
    keys = [f"key:{number}" for number in range(50)]
    by_port = {key: node_of(cluster, key).port for key in keys}
    dead = cluster.nodes[2]
    cache.run([command("SET", key, "x") for key in keys])
    dead.kill()
    with pytest.raises(CacheUnavailable):
        cache.run([command("GET", key) for key in keys])
    alive = [key for key in keys if by_port[key] != dead.port]
    assert cache.run([command("GET", key) for key in alive]) == [b"x"] * len(alive)
    cache.close()
    cluster.stop()


def test_every_slot_has_an_owner(three_nodes: RedisCluster) -> None:
    cache = Cache(redis_settings(three_nodes))
    get(cache, "any")
    assert {cache._topology.owner(slot).port for slot in range(SLOTS)} == {node.port for node in three_nodes.nodes}
    cache.close()


def _answers(cache: Cache) -> bool:
    try:
        cache.run([command("PING", "x")])
    except CacheUnavailable:
        return False
    return True
