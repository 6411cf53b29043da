"""A fresh stage for each test of catching up."""

from collections.abc import Iterator

import pytest

from local_stage.services.mysql import MySqlServer
from local_stage.services.redis import RedisCluster
from tests.fixtures.services import fresh_database
from tests.integration.messages.conftest import open_stage
from tests.integration.messages.stage import Stage


@pytest.fixture
def stage(mysql_server: MySqlServer, redis_cluster: RedisCluster) -> Iterator[Stage]:
    """Give the test a stage with one door."""
    with fresh_database(mysql_server, label="sync") as name, open_stage(mysql_server, redis_cluster, name) as opened:
        yield opened
