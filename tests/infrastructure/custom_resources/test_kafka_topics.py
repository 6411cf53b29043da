"""Topics are made once on a real broker, grow, and are never deleted or shrunk."""

import json

import pytest
from kafka import KafkaAdminClient

from cdk_app.custom_resources import kafka_topics
from local_stage.services.kafka import KafkaBroker
from tests.infrastructure.custom_resources.conftest import CloudFormation, Invocation


def _topics(name: str, partitions: int) -> str:
    topic = {"name": name, "partitions": partitions, "replication_factor": 1, "configs": {"retention.ms": "604800000"}}
    return json.dumps([topic])


def _partitions(broker: KafkaBroker, name: str) -> int:
    admin = KafkaAdminClient(bootstrap_servers=broker.address)
    try:
        return sum(len(topic["partitions"]) for topic in admin.describe_topics() if topic["name"] == name)
    finally:
        admin.close()


@pytest.fixture
def made(kafka_broker: KafkaBroker, cloudformation: CloudFormation, invocation: Invocation, topic_name: str) -> str:
    """A topic of four partitions that the resource has made."""
    event = cloudformation.event(BootstrapServers=kafka_broker.address, Topics=_topics(topic_name, 4))
    kafka_topics.handle(event, invocation)
    assert cloudformation.answers.pop()["Status"] == "SUCCESS"
    return topic_name


def test_missing_topics_are_made(kafka_broker: KafkaBroker, made: str) -> None:
    assert _partitions(kafka_broker, made) == 4


@pytest.mark.parametrize("partitions", [4, 2])
def test_existing_topics_are_left_as_they_are(
    kafka_broker: KafkaBroker, cloudformation: CloudFormation, invocation: Invocation, made: str, partitions: int
) -> None:
    event = cloudformation.event("Update", BootstrapServers=kafka_broker.address, Topics=_topics(made, partitions))
    kafka_topics.handle(event, invocation)
    assert cloudformation.answer["Status"] == "SUCCESS"
    assert _partitions(kafka_broker, made) == 4


def test_deleting_the_resource_keeps_the_topics(
    kafka_broker: KafkaBroker, cloudformation: CloudFormation, invocation: Invocation, made: str
) -> None:
    event = cloudformation.event("Delete", BootstrapServers=kafka_broker.address, Topics=_topics(made, 4))
    kafka_topics.handle(event, invocation)
    assert cloudformation.answer["Status"] == "SUCCESS"
    assert _partitions(kafka_broker, made) == 4


def test_deleting_needs_no_broker(cloudformation: CloudFormation, invocation: Invocation) -> None:
    kafka_topics.handle(cloudformation.event("Delete", BootstrapServers="127.0.0.1:1", Topics="[]"), invocation)
    assert cloudformation.answer["Status"] == "SUCCESS"


def test_a_broker_that_is_away_fails_the_deployment(
    cloudformation: CloudFormation, invocation: Invocation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka_topics, "BOOTSTRAP_TIMEOUT_MS", 500)
    event = cloudformation.event(BootstrapServers="127.0.0.1:1", Topics=_topics("nowhere", 1))
    kafka_topics.handle(event, invocation)
    assert cloudformation.answer["Status"] == "FAILED"
