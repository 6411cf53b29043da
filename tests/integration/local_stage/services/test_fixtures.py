import pymysql
import redis
from confluent_kafka import Consumer, Producer

from local_stage.services import KafkaBroker, MySqlServer, RedisCluster


def test_mysql_behaves_like_auroras_parameter_group(mysql_server: MySqlServer, mysql_database: str) -> None:
    with pymysql.connect(
        host=mysql_server.host, port=mysql_server.port, user="root", database=mysql_database, ssl_disabled=True
    ) as connection:
        cursor = connection.cursor()
        cursor.execute(
            "SELECT @@sql_mode, @@tx_isolation, @@time_zone, @@collation_database, @@innodb_autoinc_lock_mode, "
            "@@innodb_flush_log_at_trx_commit, @@performance_schema, DATABASE()"
        )
        row = cursor.fetchone()
    assert row is not None
    mode, isolation, zone, collation, autoincrement, flush, performance_schema, database = row
    assert {"STRICT_TRANS_TABLES", "ONLY_FULL_GROUP_BY", "NO_ZERO_DATE"} <= set(mode.split(","))
    assert (isolation, zone, collation) == ("READ-COMMITTED", "+00:00", "utf8mb4_bin")
    assert (autoincrement, flush, performance_schema) == (2, 1, 0)
    assert database == mysql_database


def test_redis_is_a_cluster_that_serves_every_slot(redis_cluster: RedisCluster) -> None:
    with redis.RedisCluster(host=redis_cluster.host, port=redis_cluster.port) as client:
        assert all(client.set(f"key-{number}", "value", ex=60) for number in range(100))
        assert client.info("memory")["maxmemory_policy"] == "volatile-lru"


def test_kafka_keeps_the_order_within_a_partition(kafka_broker: KafkaBroker, topic_name: str) -> None:
    kafka_broker.create_topics(**{topic_name: 3})
    producer = Producer({"bootstrap.servers": kafka_broker.address})
    for number in range(30):
        producer.produce(topic_name, key=b"same", value=str(number).encode())
    assert producer.flush(10) == 0
    consumer = Consumer(
        {
            "bootstrap.servers": kafka_broker.address,
            "group.id": topic_name,
            "auto.offset.reset": "earliest",
            "session.timeout.ms": 2000,
            "heartbeat.interval.ms": 300,
        }
    )
    consumer.subscribe([topic_name])
    received: list[int] = []
    while len(received) < 30:
        message = consumer.poll(10)
        assert message is not None
        assert message.error() is None
        received.append(int(message.value() or b""))
    consumer.close()
    assert received == list(range(30))
