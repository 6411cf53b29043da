"""Containers over a real database and clusters of one and of three nodes."""

from collections.abc import Iterator

import pytest
import redis

from gochat_repo.cache_entries import SWAP
from gochat_repo.mysql import Database
from gochat_repo.mysql_pool import MySqlSettings
from local_stage.services.mysql import MySqlServer
from local_stage.services.redis import RedisCluster
from tests.integration.repo.caching.containers import TABLE, Containers, raw
from tests.integration.repo.conftest import mysql_settings, redis_settings


@pytest.fixture(scope="module")
def things(mysql_server: MySqlServer, mysql_database: str) -> MySqlSettings:
    """Give the module a database with a table of things."""
    settings = mysql_settings(mysql_server, mysql_database)
    database = Database(settings)
    database.transaction(lambda tx: tx.execute(TABLE))
    database.close()
    return settings


@pytest.fixture(params=["one node", "three nodes"])
def cluster(request: pytest.FixtureRequest) -> RedisCluster:
    """Give the test an empty cluster, once of one node and once of three."""
    name = "redis_cluster" if request.param == "one node" else "three_nodes"
    found: RedisCluster = request.getfixturevalue(name)
    return found


@pytest.fixture
def side_door(cluster: RedisCluster) -> Iterator["redis.RedisCluster"]:
    """Open a side door to an empty Redis that knows the scripts: a node that does not costs the first call one more."""
    with raw(cluster) as client:
        client.flushall(target_nodes=redis.RedisCluster.PRIMARIES)
        client.script_load(SWAP.text)
        yield client


@pytest.fixture
def containers(things: MySqlSettings, cluster: RedisCluster, side_door: "redis.RedisCluster") -> Iterator[Containers]:
    """Open containers."""
    opened = Containers(mysql=things, redis=redis_settings(cluster))
    yield opened
    opened.close()
