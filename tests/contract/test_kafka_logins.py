"""Every login that the settings name, against Apache Kafka: the producer writes, the maker of topics makes."""

import gc
import json
import uuid
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from kafka import KafkaConsumer, TopicPartition
from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    KafkaAdminClient,
    ResourcePattern,
    ResourceType,
)
from moto import mock_aws

from gochat_aws.kafka_admin import TopicsRefused
from gochat_aws.kafka_login import KafkaSettings, kafka_settings
from gochat_aws.kafka_producer import KafkaRecordProducer, OutgoingRecord
from gochat_aws.kafka_topics import TopicMaker, WantedTopic
from gochat_core.errors import Unavailable
from local_stage.services.kafka import KafkaBroker
from tests.fixtures.kafka_logins import OWNER, STRANGER, KafkaLogins

LOGINS = ["none", "scram", "mtls"]
pytestmark = [
    pytest.mark.timeout(180),
    # kafka-python leaves a socket open whose handshake failed.
    pytest.mark.filterwarnings("ignore:.*SSLSocket:pytest.PytestUnraisableExceptionWarning"),
]


class Doors:
    """Gives settings as a deployed function has them: the secrets lie in Secrets Manager."""

    def __init__(self, broker: KafkaBroker, logins: KafkaLogins) -> None:
        self.address = broker.address
        self._logins = logins
        self._secrets: Any = boto3.client("secretsmanager", region_name="us-east-1")

    def settings(self, login: str, user: str = OWNER, *, root: bool = True, **changed: str) -> KafkaSettings:
        """Log `user` in by a login, with the cluster's own root unless told otherwise."""
        if login == "none":
            return kafka_settings({"GOCHAT_KAFKA_BOOTSTRAP": self.address})
        person = self._logins.people[user]
        secret = (
            {"username": user, "password": self._logins.password(user)}
            if login == "scram"
            else {"certificate": person.certificate, "privateKey": person.key}
        )
        told = {
            "GOCHAT_KAFKA_BOOTSTRAP": self._logins.scram if login == "scram" else self._logins.mtls,
            "GOCHAT_KAFKA_AUTH": login,
            "GOCHAT_KAFKA_SECRET_ARN": self._keep({**secret, **changed}),
        }
        if root:
            told["GOCHAT_KAFKA_CA_SECRET_ARN"] = self._keep({"certificate": self._logins.root})
        return kafka_settings(told)

    def _keep(self, content: dict[str, str]) -> str:
        made = self._secrets.create_secret(Name=uuid.uuid4().hex, SecretString=json.dumps(content))
        return str(made["ARN"])


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """Find such sockets here, and not in somebody else's test."""
    yield
    gc.collect()


@pytest.fixture
def doors(apache_kafka: KafkaBroker, kafka_logins: KafkaLogins, monkeypatch: pytest.MonkeyPatch) -> Iterator[Doors]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        yield Doors(apache_kafka, kafka_logins)


@pytest.fixture
def admin(apache_kafka: KafkaBroker) -> Iterator[KafkaAdminClient]:
    """The broker's owner, who looks and hands out rights."""
    client = KafkaAdminClient(bootstrap_servers=apache_kafka.address)
    yield client
    client.close()


@pytest.fixture
def name() -> str:
    """Name a topic that is not there yet."""
    return f"im-{uuid.uuid4().hex[:12]}"


def wanted(name: str, partitions: int = 3, **configs: str) -> WantedTopic:
    told = {"retention.ms": "604800000", "min.insync.replicas": "1"} | {
        key.replace("_", "."): value for key, value in configs.items()
    }
    return WantedTopic(name=name, partitions=partitions, replication_factor=1, configs=told)


def partitions(admin: KafkaAdminClient, name: str) -> int:
    (topic,) = admin.describe_topics([name])
    return len(topic["partitions"])


def configs(admin: KafkaAdminClient, name: str) -> dict[str, str]:
    from kafka.admin import ConfigResource, ConfigResourceType

    found = admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name)], config_filter="all")
    return {entry: told["value"] for entry, told in found["topic"][name].items()}


def allow(admin: KafkaAdminClient, name: str, *operations: ACLOperation) -> None:
    pattern = ResourcePattern(ResourceType.TOPIC, name, ACLResourcePatternType.LITERAL)
    admin.create_acls(
        [ACL(f"User:{STRANGER}", "*", operation, ACLPermissionType.ALLOW, pattern) for operation in operations]
    )


@pytest.mark.parametrize("login", LOGINS)
def test_topics_are_made_and_written_to_by_every_login(
    doors: Doors, admin: KafkaAdminClient, name: str, login: str
) -> None:
    settings = doors.settings(login)
    assert TopicMaker(settings).ensure([wanted(name)]) == [f"{name}: made with 3 partitions"]
    assert partitions(admin, name) == 3
    assert configs(admin, name)["retention.ms"] == "604800000"

    producer = KafkaRecordProducer(settings, client_id="test")
    producer.produce([OutgoingRecord(topic=name, key=b"k", value=login.encode())])
    producer.discard()
    consumer = KafkaConsumer(bootstrap_servers=doors.address, auto_offset_reset="earliest", consumer_timeout_ms=20_000)
    consumer.assign([TopicPartition(name, number) for number in range(3)])
    assert next(consumer).value == login.encode()
    consumer.close()


def test_whoever_repeats_changes_nothing(doors: Doors, name: str) -> None:
    maker = TopicMaker(doors.settings("scram"))
    maker.ensure([wanted(name)])
    assert maker.ensure([wanted(name)]) == []


def test_topics_grow_and_never_shrink(doors: Doors, admin: KafkaAdminClient, name: str) -> None:
    maker = TopicMaker(doors.settings("scram"))
    maker.ensure([wanted(name)])
    assert maker.ensure([wanted(name, 5)]) == [f"{name}: grew from 3 to 5 partitions"]
    assert partitions(admin, name) == 5
    assert maker.ensure([wanted(name, 2)]) == [f"{name}: keeps its 5 partitions, as Kafka takes none away"]
    assert partitions(admin, name) == 5


def test_settings_that_differ_are_set_and_the_others_left_alone(
    doors: Doors, admin: KafkaAdminClient, name: str
) -> None:
    maker = TopicMaker(doors.settings("mtls"))
    maker.ensure([wanted(name, max_message_bytes="2000000")])
    assert maker.ensure([wanted(name, retention_ms="1000")]) == [f"{name}: retention.ms is 1000 now"]
    assert configs(admin, name)["retention.ms"] == "1000"
    assert configs(admin, name)["max.message.bytes"] == "2000000"


def test_more_replicas_in_sync_than_there_are_is_refused_before_it_stops_all_writes(
    doors: Doors, admin: KafkaAdminClient, name: str
) -> None:
    maker = TopicMaker(doors.settings("none"))
    maker.ensure([wanted(name)])
    with pytest.raises(TopicsRefused, match=f"{name} has 1 replicas, and 2 in sync"):
        maker.ensure([wanted(name, min_insync_replicas="2")])
    assert configs(admin, name)["min.insync.replicas"] == "1"


def test_more_replicas_than_brokers_are_refused_with_the_broker_s_reason(doors: Doors, name: str) -> None:
    topic = WantedTopic(name=name, partitions=1, replication_factor=3, configs={})
    with pytest.raises(TopicsRefused, match="InvalidReplicationFactorError"):
        TopicMaker(doors.settings("none")).ensure([topic])


def test_a_cluster_may_decide_on_replication_itself(doors: Doors, admin: KafkaAdminClient, name: str) -> None:
    topic = WantedTopic(name=name, partitions=2, replication_factor=-1, configs={"retention.ms": "1000"})
    TopicMaker(doors.settings("none")).ensure([topic])
    assert partitions(admin, name) == 2
    assert TopicMaker(doors.settings("none")).ensure([topic]) == []


def test_each_missing_right_is_named(doors: Doors, admin: KafkaAdminClient, name: str) -> None:
    maker = TopicMaker(doors.settings("scram", STRANGER))

    def refused(topic: WantedTopic) -> str:
        with pytest.raises(TopicsRefused) as refusal:
            maker.ensure([topic])
        return str(refusal.value)

    assert "the ACL DESCRIBE on it" in refused(wanted(name))
    allow(admin, name, ACLOperation.DESCRIBE)
    assert f"to create {name}, the user of the Kafka secret needs the ACL CREATE" in refused(wanted(name))
    allow(admin, name, ACLOperation.CREATE)
    maker.ensure([wanted(name)])
    assert "the ACL DESCRIBE_CONFIGS" in refused(wanted(name))
    allow(admin, name, ACLOperation.DESCRIBE_CONFIGS)
    assert maker.ensure([wanted(name)]) == []
    assert "the ACL ALTER on it" in refused(wanted(name, 4))
    assert "the ACL ALTER_CONFIGS" in refused(wanted(name, retention_ms="1000"))
    allow(admin, name, ACLOperation.ALTER, ACLOperation.ALTER_CONFIGS)
    assert len(maker.ensure([wanted(name, 4, retention_ms="1000")])) == 2


def test_an_owner_s_topics_are_looked_at_with_the_right_to_describe_them_alone(
    doors: Doors, admin: KafkaAdminClient, name: str
) -> None:
    allow(admin, name, ACLOperation.DESCRIBE)
    maker = TopicMaker(doors.settings("scram", STRANGER))
    with pytest.raises(TopicsRefused, match=rf"{name} \(3 partitions, min.insync.replicas=1, retention.ms=604800000\)"):
        maker.check([wanted(name)])
    TopicMaker(doors.settings("none")).ensure([wanted(name, 2)])
    assert maker.check([wanted(name, 2)]) == []
    assert maker.check([wanted(name)]) == [f"{name}: has 2 partitions, fewer than 3"]


def test_a_wrong_password_is_named_as_what_may_be_wrong(doors: Doors, name: str) -> None:
    maker = TopicMaker(doors.settings("scram", password="guess"), bootstrap_timeout_ms=1_500)
    # Refused for good, or, where kafka-python has not heard why it was sent away, for the moment.
    with pytest.raises((TopicsRefused, Unavailable), match=r"refuse[ds] (the|a) login"):
        maker.ensure([wanted(name)])


@pytest.mark.parametrize("login", ["scram", "mtls"])
def test_a_broker_whose_root_is_not_trusted_is_not_spoken_to(doors: Doors, name: str, login: str) -> None:
    settings = doors.settings(login, root=False)
    with pytest.raises(Unavailable, match=r"(?i)certificate verify failed"):
        TopicMaker(settings, bootstrap_timeout_ms=1_000).ensure([wanted(name)])
    producer = KafkaRecordProducer(settings, client_id="test", timeout_s=1.0)
    with pytest.raises(Unavailable):
        producer.produce([OutgoingRecord(topic=name, key=b"k", value=b"v")])


def test_a_certificate_of_somebody_else_is_not_let_in(doors: Doors, name: str) -> None:
    with pytest.raises(TopicsRefused, match="the ACL DESCRIBE"):
        TopicMaker(doors.settings("mtls", STRANGER)).ensure([wanted(name)])


def test_a_broker_that_is_away_may_come_back(name: str) -> None:
    settings = KafkaSettings(kafka_bootstrap="127.0.0.1:1")
    with pytest.raises(Unavailable, match="does not answer"):
        TopicMaker(settings, bootstrap_timeout_ms=500).ensure([wanted(name)])
