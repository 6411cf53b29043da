"""What holds while Redis or MySQL is away: no service is started twice, each test has stores of its own."""

import time
from collections.abc import Iterator

import pytest

from gochat_repo.migrate import migrate_from
from local_stage.services.mysql import MySqlServer, start_mysql
from local_stage.services.redis import RedisCluster, start_redis
from tests.fixtures.services import fresh_database
from tests.integration.rest.conftest import Login, Rest, build_rest, build_rpc, logic_environ

WRONG = "wrong horse battery"


@pytest.fixture(scope="module")
def own_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisCluster]:
    """Run a cache that may be stopped."""
    cluster = start_redis(tmp_path_factory.mktemp("redis"))
    yield cluster
    cluster.stop()


@pytest.fixture(scope="module")
def own_mysql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MySqlServer]:
    """Run a database that may be stopped."""
    server = start_mysql(tmp_path_factory.mktemp("mysql"))
    yield server
    server.stop()


@pytest.fixture
def rest(own_mysql: MySqlServer, own_redis: RedisCluster, token_secret: str) -> Iterator[Rest]:
    """Open the REST door over stores that run at the beginning of each test."""
    if not own_redis.running:
        own_redis.restart()
    if not own_mysql.running:
        own_mysql.restart()
    with fresh_database(own_mysql, label="away") as name:
        environ = logic_environ(own_mysql, own_redis, name, token_secret)
        migrate_from(environ)
        yield build_rest(build_rpc(environ, token_secret), token_secret)
        if not own_mysql.running:
            own_mysql.restart()


def elsewhere(rest: Rest) -> Rest:
    return build_rest(build_rpc(rest.rpc.environ, rest.secret), rest.secret)


def test_without_redis_everything_about_accounts_works(rest: Rest, own_redis: RedisCluster) -> None:
    own_redis.stop()
    user = rest.register("alice")
    phone, tablet = rest.login(user), rest.login(user, device="tablet")
    refreshed = Login(answer=rest.refresh(phone.refresh_token).json)
    assert all(rest.is_accepted(login) for login in (phone, tablet, refreshed))
    renamed = rest.api.send("PATCH", "/users/me", token=phone.token, body={"display_name": "Alice"})
    assert rest.api.send("GET", "/users/me", token=phone.token).json == renamed.json
    assert rest.api.send("POST", "/auth/logout", token=phone.token).status == 204
    assert [rest.is_accepted(login) for login in (phone, tablet)] == [False, True]


def test_without_redis_guessing_is_throttled_by_mysql(rest: Rest, own_redis: RedisCluster) -> None:
    user = rest.register("alice")
    own_redis.stop()
    assert [rest.try_login(user["username"], password=WRONG).status for _ in range(10)] == [401] * 10
    answer = rest.try_login(user["username"])
    assert (answer.status, answer.code) == (429, "too_many_attempts")
    assert 800 < int(answer.headers["retry-after"]) <= 900
    age = "UPDATE login_failures SET window_started_at_ms = window_started_at_ms - 900000"
    rest.rpc.database.transaction(lambda tx: tx.execute(age))
    rest.login(user)
    assert rest.rpc.database.read(lambda tx: tx.query("SELECT * FROM login_failures")) == []


def test_a_flushed_cache_loses_no_login(rest: Rest, own_redis: RedisCluster) -> None:
    login = rest.login(rest.register("alice"))
    own_redis.restart()
    assert rest.is_accepted(login)


def test_a_login_ended_while_redis_was_away_stays_ended_when_it_comes_back(rest: Rest, own_redis: RedisCluster) -> None:
    user = rest.register("alice")
    phone, tablet = rest.login(user), rest.login(user, device="tablet")
    assert rest.is_accepted(phone)
    own_redis.stop()
    assert rest.api.send("POST", "/auth/logout", token=phone.token).status == 204
    own_redis.restart()
    assert [elsewhere(rest).is_accepted(login) for login in (phone, tablet)] == [False, True]


def test_a_revoked_login_stops_everywhere_within_five_seconds(rest: Rest) -> None:
    user = rest.register("alice")
    phone, tablet = rest.login(user), rest.login(user, device="tablet")
    others = [elsewhere(rest) for _ in range(3)]
    assert all(other.is_accepted(phone) for other in others)
    assert rest.api.send("POST", "/auth/logout", token=tablet.token, body={"all_devices": True}).status == 204
    deadline_s = time.monotonic() + 5
    while any(other.is_accepted(phone) for other in others):
        assert time.monotonic() < deadline_s


def test_without_mysql_requests_are_to_be_repeated_and_guesses_still_counted(
    rest: Rest, own_mysql: MySqlServer
) -> None:
    user = rest.register("alice")
    login = rest.login(user)
    own_mysql.stop()
    answer = rest.try_login(user["username"])
    assert (answer.status, answer.code) == (503, "unavailable")
    assert int(answer.headers["retry-after"]) > 0
    assert rest.refresh(login.refresh_token, key="attempt-1").code == "unavailable"
    own_mysql.restart()
    assert rest.refresh(login.refresh_token, key="attempt-1").status == 200
    rest.login(user)
