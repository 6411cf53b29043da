"""The repo layer over real servers: clients as the functions build them, and side doors to look and to break things."""

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pymysql
import pytest

from gochat_repo.cache import Cache, RedisSettings
from gochat_repo.migrate import migrate
from gochat_repo.mysql import Database
from gochat_repo.mysql_pool import MySqlSettings
from local_stage.services.mysql import MySqlServer, start_mysql
from local_stage.services.redis import RedisCluster, start_redis


def mysql_settings(server: MySqlServer, database: str, *, read_timeout_s: float = 10.0) -> MySqlSettings:
    """Return settings for a server as the local stage gives them."""
    return MySqlSettings(
        mysql_host=server.host,
        mysql_port=server.port,
        mysql_user=server.user,
        mysql_database=database,
        mysql_read_timeout_s=read_timeout_s,
        mysql_lock_wait_s=1,
    )


def redis_settings(cluster: RedisCluster) -> RedisSettings:
    """Return settings for a cluster, as patient as a busy test machine needs."""
    return RedisSettings(
        redis_host=cluster.host, redis_port=cluster.port, redis_connect_timeout_s=1.0, redis_read_timeout_s=1.0
    )


def wait_until(condition: Callable[[], bool], *, timeout_s: float = 20.0) -> None:
    """Poll until a condition holds; fails when it never does."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "the condition never held"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def migrated(mysql_server: MySqlServer, mysql_database: str) -> MySqlSettings:
    """Give the module a database with the product's tables."""
    settings = mysql_settings(mysql_server, mysql_database)
    migrate(settings)
    return settings


@pytest.fixture
def database(migrated: MySqlSettings) -> Iterator[Database]:
    """Give the test a client with no connection yet."""
    client = Database(migrated)
    yield client
    client.close()


@pytest.fixture
def admin(mysql_server: MySqlServer, mysql_database: str) -> Iterator[pymysql.cursors.Cursor]:
    """Give the test a second way into its database."""
    connection = pymysql.connect(
        host=mysql_server.host,
        port=mysql_server.port,
        user=mysql_server.user,
        database=mysql_database,
        autocommit=True,
        ssl_disabled=True,
    )
    with contextlib.closing(connection):
        yield connection.cursor()


@pytest.fixture
def own_mysql(tmp_path: Path) -> Iterator[MySqlServer]:
    """Run a server that the test may stop and freeze."""
    server = start_mysql(tmp_path / "mysql")
    yield server
    server.stop()


@pytest.fixture
def cache(redis_cluster: RedisCluster) -> Iterator[Cache]:
    """Give the test a client with no connection yet."""
    client = Cache(redis_settings(redis_cluster))
    yield client
    client.close()


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisCluster]:
    """Run a cluster of one node that the test may stop and freeze."""
    cluster = start_redis(tmp_path / "redis")
    yield cluster
    cluster.stop()


@pytest.fixture(scope="module")
def three_nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisCluster]:
    """Run a cluster of three nodes for the module."""
    cluster = start_redis(tmp_path_factory.mktemp("three"), nodes=3)
    yield cluster
    cluster.stop()
