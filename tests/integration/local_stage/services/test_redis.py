from pathlib import Path

import pytest
import redis

from local_stage.services import MissingProgram, RedisCluster, ServiceError, Unreachable
from local_stage.services.redis import start_redis, use_external_redis


def client(cluster: RedisCluster) -> "redis.RedisCluster":
    return redis.RedisCluster(host=cluster.host, port=cluster.port, decode_responses=True)


def test_a_restart_keeps_port_and_slots_and_loses_the_keys(tmp_path: Path) -> None:
    cluster = start_redis(tmp_path)
    port = cluster.port
    try:
        with client(cluster) as before:
            before.set("key", "value", ex=60)
        cluster.kill()
        assert not cluster.running
        cluster.restart()
        assert cluster.port == port
        with client(cluster) as after:
            assert after.get("key") is None
            assert after.set("key", "value", ex=60)
    finally:
        cluster.stop()


def test_three_nodes_share_the_slots_and_one_can_be_restarted_alone(tmp_path: Path) -> None:
    cluster = start_redis(tmp_path, nodes=3)
    try:
        with client(cluster) as connected:
            assert all(connected.set(f"key-{number}", "value", ex=60) for number in range(50))
            sizes = [connected.dbsize(target_nodes=node) for node in connected.get_primaries()]
        assert len(sizes) == 3
        assert all(size > 0 for size in sizes)
        cluster.nodes[1].kill()
        assert not cluster.running
        cluster.nodes[1].restart()
        cluster.wait_ready()
        with client(cluster) as connected:
            assert all(connected.set(f"key-{number}", "value", ex=60) for number in range(50))
    finally:
        cluster.stop()


def test_a_missing_server_is_named_with_the_ways_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def not_there(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("local_stage.services.redis.importlib.import_module", not_there)
    with pytest.raises(MissingProgram, match=r"uv sync.*redis-server.*--redis HOST:PORT"):
        start_redis(tmp_path)


def test_an_external_cluster_is_used_and_never_stopped(redis_cluster: RedisCluster) -> None:
    external = use_external_redis(redis_cluster.host, redis_cluster.port)
    external.stop()
    with client(external) as connected:
        assert connected.ping(target_nodes="all")
    for action in (external.kill, external.restart, external.pause):
        with pytest.raises(ServiceError, match="external"):
            action()


def test_an_external_server_that_does_not_answer_is_named(free_port: int) -> None:
    with pytest.raises(Unreachable, match=f"127.0.0.1:{free_port}.*leave --redis away"):
        use_external_redis("127.0.0.1", free_port)
