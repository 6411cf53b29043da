"""The brokers' addresses are looked up as functions need them: for IAM over TLS."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from cdk_app.custom_resources import bootstrap_brokers
from tests.infrastructure.custom_resources.conftest import CloudFormation, Invocation

CLUSTER = "arn:aws:kafka:us-east-1:123456789012:cluster/gochat-dev/0f0f0f0f-1"


@pytest.fixture
def kafka(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    """MSK's API, answering what the test queues; moto's knows no addresses."""
    client = boto3.client("kafka", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    monkeypatch.setattr(boto3, "client", lambda *_, **__: client)
    with Stubber(client) as stubber:
        yield stubber


def _brokers(stubber: Stubber, answer: dict[str, Any]) -> None:
    stubber.add_response("get_bootstrap_brokers", answer, {"ClusterArn": CLUSTER})


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_addresses_for_iam_are_told(
    kafka: Stubber, cloudformation: CloudFormation, invocation: Invocation, kind: str
) -> None:
    _brokers(kafka, {"BootstrapBrokerStringSaslIam": "b-1:9098,b-2:9098", "BootstrapBrokerStringTls": "b-1:9094"})
    bootstrap_brokers.handle(cloudformation.event(kind, ClusterArn=CLUSTER, Brokers="2"), invocation)
    assert cloudformation.answer["Data"] == {"Brokers": "b-1:9098,b-2:9098"}


def test_a_cluster_without_iam_fails_the_deployment(
    kafka: Stubber, cloudformation: CloudFormation, invocation: Invocation
) -> None:
    _brokers(kafka, {"BootstrapBrokerStringTls": "b-1:9094"})
    bootstrap_brokers.handle(cloudformation.event(ClusterArn=CLUSTER), invocation)
    assert cloudformation.answer["Status"] == "FAILED"
    assert "IAM" in cloudformation.answer["Reason"]


def test_deleting_asks_nothing(kafka: Stubber, cloudformation: CloudFormation, invocation: Invocation) -> None:
    bootstrap_brokers.handle(cloudformation.event("Delete", ClusterArn=CLUSTER), invocation)
    assert cloudformation.answer["Status"] == "SUCCESS"
