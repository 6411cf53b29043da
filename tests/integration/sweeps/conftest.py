"""Sweeps over real stores, with a clock that tests move and a broker that keeps what it is given."""

from collections.abc import Iterator

import pytest

from gochat_core.sweeps import TimeLimit
from gochat_core.types import UserId
from local_stage.services.mysql import MySqlServer
from local_stage.services.redis import RedisCluster
from tests.fixtures.services import fresh_database
from tests.integration.messages.conftest import open_stage
from tests.integration.messages.stage import Stage

DAY_MS = 24 * 3600 * 1000


@pytest.fixture
def stage(mysql_server: MySqlServer, redis_cluster: RedisCluster) -> Iterator[Stage]:
    """Give the test an empty database with three people in it, and an empty cache."""
    with (
        fresh_database(mysql_server, label="sweeps") as name,
        open_stage(mysql_server, redis_cluster, name) as opened,
    ):
        yield opened


def in_time(stage: Stage) -> TimeLimit:
    """Return a limit that is far away."""
    return TimeLimit(clock=stage.clock, ends_at_ms=stage.clock.now_ms() + DAY_MS)


def too_late(stage: Stage) -> TimeLimit:
    """Return a limit that is over."""
    return TimeLimit(clock=stage.clock, ends_at_ms=stage.clock.now_ms())


def presence_told(stage: Stage, user_id: UserId) -> list[tuple[str, bool]]:
    """Return of whom somebody was told, and whether to be online."""
    return [(data["user_id"], data["online"]) for data in stage.told(user_id, "presence")]
