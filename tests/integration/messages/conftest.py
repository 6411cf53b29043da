"""A fresh stage for each test of messages: an empty database with the product's tables, and three people."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from gochat_repo.cache import RedisSettings
from gochat_repo.migrate import migrate
from gochat_repo.mysql_pool import MySqlSettings
from local_stage.services.mysql import MySqlServer
from local_stage.services.redis import RedisCluster
from tests.fixtures.services import fresh_database
from tests.integration.messages.frames import ALICE, BOB, CAROL
from tests.integration.messages.stage import Stage


@pytest.fixture
def stage(mysql_server: MySqlServer, redis_cluster: RedisCluster) -> Iterator[Stage]:
    """Give the test a stage with one door; the cache holds nothing of the tests before."""
    with (
        fresh_database(mysql_server, label="messages") as name,
        open_stage(mysql_server, redis_cluster, name) as opened,
    ):
        yield opened


@contextmanager
def open_stage(mysql: MySqlServer, redis: RedisCluster, database: str) -> Iterator[Stage]:
    """Migrate a database, empty the cache, add three people."""
    settings = MySqlSettings(
        mysql_host=mysql.host, mysql_port=mysql.port, mysql_user=mysql.user, mysql_database=database
    )
    migrate(settings)
    stage = Stage(
        mysql=settings,
        redis=RedisSettings(
            redis_host=redis.host, redis_port=redis.port, redis_connect_timeout_s=1.0, redis_read_timeout_s=1.0
        ),
    )
    stage.open_door()
    stage.add_users(ALICE, BOB, CAROL)
    flush(redis)
    try:
        yield stage
    finally:
        stage.close()


def flush(redis_cluster: RedisCluster) -> None:
    """Empty the cache, if there is one in this run."""
    import redis

    if not redis_cluster.running:
        return
    with redis.Redis(host=redis_cluster.host, port=redis_cluster.port) as client:
        client.flushall()
