"""A worker and a `deliver` over real stores, with topics and an `@connections` in memory, for groups of any size."""

from collections.abc import Iterator, Mapping

import pytest

from gochat_repo.migrate import migrate_from
from local_stage.services.mysql import MySqlServer
from local_stage.services.redis import RedisCluster
from tests.fixtures.services import fresh_database
from tests.integration.fan_out.machinery import Machinery

PAGE_MEMBERS = 500


@pytest.fixture(scope="module")
def environ(mysql_server: MySqlServer, redis_cluster: RedisCluster) -> Iterator[Mapping[str, str]]:
    """Migrate a database and give the functions the environment that names it."""
    with fresh_database(mysql_server, label="fan_out") as name, pytest.MonkeyPatch.context() as patch:
        environ = {
            "AWS_REGION": "eu-west-1",
            "POWERTOOLS_METRICS_DISABLED": "true",
            "GOCHAT_STAGE": "test",
            "GOCHAT_CELL_ID": "g1",
            "GOCHAT_LOG_LEVEL": "CRITICAL",
            "GOCHAT_KAFKA_BOOTSTRAP": "in memory",
            "GOCHAT_MYSQL_HOST": mysql_server.host,
            "GOCHAT_MYSQL_PORT": str(mysql_server.port),
            "GOCHAT_MYSQL_USER": mysql_server.user,
            "GOCHAT_MYSQL_DATABASE": name,
            "GOCHAT_REDIS_HOST": redis_cluster.host,
            "GOCHAT_REDIS_PORT": str(redis_cluster.port),
            "GOCHAT_PARTIAL_BATCH": "true",
            "GOCHAT_WEBSOCKET_FUNCTION": "gateway-websocket",
            "GOCHAT_CONNECTIONS_ENDPOINT": "https://in-memory.example/local",
            "GOCHAT_FAN_OUT_PAGE_MEMBERS": str(PAGE_MEMBERS),
        }
        for name_, value in environ.items():
            patch.setenv(name_, value)
        migrate_from(environ)
        yield environ


@pytest.fixture
def machinery(environ: Mapping[str, str], redis_cluster: RedisCluster) -> Iterator[Machinery]:
    """Start a deployment with fresh containers and empty topics; the cache holds nothing of the tests before."""
    machinery = Machinery(environ, has_cache=redis_cluster.running)
    machinery.flush_cache()
    with machinery.fleet.wired():
        yield machinery
    machinery.close()
