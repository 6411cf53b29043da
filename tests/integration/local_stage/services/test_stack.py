import socket
from pathlib import Path

import pytest

from local_stage.services import (
    DidNotStart,
    KafkaBroker,
    MissingProgram,
    MySqlServer,
    RedisCluster,
    ServiceError,
    Unreachable,
    start_services,
    stop_leftovers,
)
from local_stage.services import mysql as mysql_service
from local_stage.services import ports as ports_module
from local_stage.services.kafka import start_tansu, use_external_kafka
from local_stage.services.ports import is_port_free, pick_free_port, start_on_free_port
from local_stage.services.stack import parse_address
from local_stage.services.topics import admin_client, create_topics


def partitions(broker: KafkaBroker) -> dict[str, int]:
    topics = admin_client(broker.address).list_topics(timeout=10).topics
    return {name: len(topic.partitions) for name, topic in topics.items()}


def test_all_three_start_together_and_stop_together(tmp_path: Path) -> None:
    services = start_services(tmp_path)
    pids = [services.mysql.pid, services.redis.pid, services.kafka.pid]
    assert all(pids)
    services.stop()
    assert [service.running for service in (services.mysql, services.redis, services.kafka)] == [False] * 3


def test_external_services_are_taken_as_they_are(
    tmp_path: Path, mysql_server: MySqlServer, redis_cluster: RedisCluster, kafka_broker: KafkaBroker
) -> None:
    services = start_services(
        tmp_path, mysql=mysql_server.address, redis=redis_cluster.address, kafka=kafka_broker.address
    )
    services.stop()
    assert (mysql_server.running, redis_cluster.running, kafka_broker.running) == (True, True, True)
    assert list(tmp_path.iterdir()) == []


def test_when_one_service_cannot_start_the_others_are_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mysql_service, "find_program", _missing)
    with pytest.raises(MissingProgram, match="not here"):
        start_services(tmp_path)
    assert stop_leftovers(tmp_path) == []


def _missing(*names: str) -> Path:
    raise MissingProgram("not here")


@pytest.mark.parametrize("address", ["nowhere", ":3306", "host:", "host:x", "host:0", "host:70000"])
def test_an_address_of_another_form_is_refused_with_an_example(tmp_path: Path, address: str) -> None:
    with pytest.raises(ServiceError, match=r"--mysql takes HOST:PORT, for example"):
        start_services(tmp_path, mysql=address)


def test_ipv6_addresses_are_read() -> None:
    assert parse_address("[::1]:9092", option="--kafka") == ("::1", 9092)


def test_topics_can_be_created_twice(kafka_broker: KafkaBroker, topic_name: str) -> None:
    kafka_broker.create_topics(**{topic_name: 5})
    create_topics(kafka_broker.address, {topic_name: 5, f"{topic_name}-more": 2})
    assert partitions(kafka_broker)[topic_name] == 5
    assert partitions(kafka_broker)[f"{topic_name}-more"] == 2


def test_a_tansu_that_is_restarted_comes_back_on_its_port_and_empty(tmp_path: Path) -> None:
    broker = start_tansu(tmp_path)
    try:
        broker.create_topics(gone=1)
        broker.kill()
        broker.restart()
        assert not broker.durable
        assert partitions(broker) == {}
    finally:
        broker.stop()


def test_an_apache_kafka_that_is_killed_keeps_its_topics(apache_kafka: KafkaBroker, topic_name: str) -> None:
    apache_kafka.create_topics(**{topic_name: 3})
    apache_kafka.kill()
    apache_kafka.restart()
    assert apache_kafka.durable
    assert partitions(apache_kafka)[topic_name] == 3


def test_an_external_broker_that_does_not_answer_is_named(free_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local_stage.services.kafka._EXTERNAL_TIMEOUT_S", 0.3)
    with pytest.raises(Unreachable, match=f"127.0.0.1:{free_port}.*--kafka tansu"):
        use_external_kafka("127.0.0.1", free_port)


def test_a_port_that_somebody_takes_in_between_is_given_up_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = iter([taken.getsockname()[1], pick_free_port()])
        monkeypatch.setattr(ports_module, "pick_free_port", lambda: next(ports))
        tried: list[int] = []

        def start(port: int) -> int:
            tried.append(port)
            if not is_port_free(port):
                raise DidNotStart("the port is taken")
            return port

        assert start_on_free_port(start) == tried[1]
    assert len(tried) == 2


def test_a_server_that_gives_up_for_another_reason_is_not_tried_again() -> None:
    tried: list[int] = []

    def start(port: int) -> int:
        tried.append(port)
        raise DidNotStart("out of memory")

    with pytest.raises(DidNotStart, match="out of memory"):
        start_on_free_port(start)
    assert len(tried) == 1
