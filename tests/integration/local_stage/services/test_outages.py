import pymysql
import pytest
import redis

from local_stage.services import MySqlServer, RedisCluster
from tests.fixtures.outages import frozen, killed, stopped


def connect(server: MySqlServer) -> None:
    pymysql.connect(
        host=server.host, port=server.port, user=server.user, ssl_disabled=True, connect_timeout=1, read_timeout=1
    ).close()


def test_mysql_is_away_for_the_block_and_back_on_its_port_after_it(own_mysql: MySqlServer) -> None:
    for outage in (stopped, killed, frozen):
        with outage(own_mysql), pytest.raises(pymysql.OperationalError):
            connect(own_mysql)
        connect(own_mysql)


def test_redis_is_away_for_the_block_and_back_on_its_port_after_it(own_redis: RedisCluster) -> None:
    with killed(own_redis), pytest.raises(redis.exceptions.RedisClusterException):
        redis.RedisCluster(host=own_redis.host, port=own_redis.port)
    with redis.RedisCluster(host=own_redis.host, port=own_redis.port) as client:
        assert client.ping(target_nodes="all")
