"""Starts MySQL, Redis and Kafka side by side, for `./dev up` and for tests."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from local_stage.services.apache_kafka import start_apache_kafka
from local_stage.services.errors import ServiceError
from local_stage.services.kafka import KafkaBroker, start_tansu, use_external_kafka
from local_stage.services.mysql import MySqlServer, start_mysql, use_external_mysql
from local_stage.services.redis import RedisCluster, start_redis, use_external_redis

EMBEDDED = "embedded"


@dataclass(frozen=True, kw_only=True)
class Services:
    """Hold the three services of one local stage."""

    mysql: MySqlServer
    redis: RedisCluster
    kafka: KafkaBroker

    def stop(self) -> None:
        """End the embedded ones."""
        for service in (self.kafka, self.redis, self.mysql):
            service.stop()


def start_services(
    state_dir: Path, *, mysql: str = EMBEDDED, redis: str = EMBEDDED, kafka: str = "tansu", redis_nodes: int = 1
) -> Services:
    """Start all three in parallel under `state_dir` (about 2.2 s; the first time on a machine 3 s); all or none.

    `mysql` and `redis` are "embedded" or HOST:PORT; `kafka` is "tansu", "apache" or HOST:PORT. MySQL and Apache Kafka
    find the data of an earlier run again. Raises a ServiceError whose message says what to do.
    """
    with ThreadPoolExecutor(max_workers=3, thread_name_prefix="start-services") as pool:
        my_sql = pool.submit(_mysql_starter(mysql, state_dir / "mysql"))
        redis_cluster = pool.submit(_redis_starter(redis, state_dir / "redis", redis_nodes))
        broker = pool.submit(_kafka_starter(kafka, state_dir / "kafka"))
    futures: tuple[Future[MySqlServer] | Future[RedisCluster] | Future[KafkaBroker], ...]
    futures = (my_sql, redis_cluster, broker)
    failures = [failure for failure in (future.exception() for future in futures) if failure is not None]
    if failures:
        for future in futures:
            if future.exception() is None:
                future.result().stop()
        raise failures[0]
    return Services(mysql=my_sql.result(), redis=redis_cluster.result(), kafka=broker.result())


def _mysql_starter(choice: str, directory: Path) -> Callable[[], MySqlServer]:
    if choice == EMBEDDED:
        return lambda: start_mysql(directory)
    host, port = parse_address(choice, option="--mysql")
    return lambda: use_external_mysql(host, port)


def _redis_starter(choice: str, directory: Path, nodes: int) -> Callable[[], RedisCluster]:
    if choice == EMBEDDED:
        return lambda: start_redis(directory, nodes=nodes)
    host, port = parse_address(choice, option="--redis")
    return lambda: use_external_redis(host, port)


def _kafka_starter(choice: str, directory: Path) -> Callable[[], KafkaBroker]:
    if choice == "tansu":
        return lambda: start_tansu(directory)
    if choice == "apache":
        return lambda: start_apache_kafka(directory)
    host, port = parse_address(choice, option="--kafka")
    return lambda: use_external_kafka(host, port)


def parse_address(text: str, *, option: str) -> tuple[str, int]:
    """Return host and port of `HOST:PORT`; ServiceError, naming the option, if it is something else."""
    host, colon, port = text.rpartition(":")
    if not (colon and host and port.isdecimal() and 0 < int(port) < 65536):
        raise ServiceError(f"{option} takes HOST:PORT, for example 127.0.0.1:9092; got {text!r}.")
    return host.strip("[]"), int(port)
