"""The deployment waits for the topics, and says why it fails where they can't be made."""

import io
import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.response import StreamingBody
from botocore.stub import Stubber

from cdk_app.custom_resources import kafka_topics
from cdk_app.custom_resources.inner_function import RESERVE_MS
from tests.infrastructure.custom_resources.conftest import CloudFormation, Invocation

TOPICS = [{"name": "im-task-topic", "partitions": 4, "replication_factor": 1, "configs": {"retention.ms": "1"}}]
REQUEST = json.dumps({"topics": TOPICS, "create": True}).encode()


@pytest.fixture
def functions(monkeypatch: pytest.MonkeyPatch, invocation: Invocation) -> Iterator[Stubber]:
    """Lambda, answering what the test queues; waiting takes no time but spends the invocation's."""

    def nap(seconds: float) -> None:
        invocation.remaining_ms -= int(seconds * 1_000)

    monkeypatch.setattr("time.sleep", nap)
    client = boto3.client("lambda", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    monkeypatch.setattr(boto3, "client", lambda *_, **__: client)
    with Stubber(client) as stubber:
        yield stubber


def _answers(functions: Stubber, answer: dict[str, Any], *, payload: bytes = REQUEST, error: str | None = None) -> None:
    body = json.dumps(answer).encode()
    response: dict[str, Any] = {"StatusCode": 200, "Payload": StreamingBody(io.BytesIO(body), len(body))}
    if error:
        response["FunctionError"] = error
    functions.add_response("invoke", response, {"FunctionName": "repo-topics", "Payload": payload})


def _event(cloudformation: CloudFormation, kind: str = "Create", *, create: str = "true") -> Any:
    return cloudformation.event(
        kind, FunctionName="repo-topics", Topics=json.dumps(TOPICS), Create=create, BootstrapServers="b:9092"
    )


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_topics_are_made(functions: Stubber, cloudformation: CloudFormation, invocation: Invocation, kind: str) -> None:
    _answers(functions, {"status": "done", "told": ["im-task-topic: made with 4 partitions"]})
    kafka_topics.handle(_event(cloudformation, kind), invocation)
    assert cloudformation.answer["Data"] == {"Topics": "im-task-topic: made with 4 partitions"}


def test_topics_of_somebody_else_s_making_are_looked_at_alone(
    functions: Stubber, cloudformation: CloudFormation, invocation: Invocation
) -> None:
    _answers(functions, {"status": "done", "told": []}, payload=REQUEST.replace(b"true", b"false"))
    kafka_topics.handle(_event(cloudformation, create="false"), invocation)
    assert cloudformation.answer["Data"] == {"Topics": "all were there"}


def test_a_broker_that_is_away_is_waited_for(
    functions: Stubber, cloudformation: CloudFormation, invocation: Invocation
) -> None:
    functions.add_client_error("invoke", "ResourceConflictException", "The function is being attached to its VPC")
    _answers(functions, {"status": "unavailable", "told": ["partitions have no leader yet"]})
    _answers(functions, {"status": "done", "told": []})
    kafka_topics.handle(_event(cloudformation), invocation)
    assert cloudformation.answer["Status"] == "SUCCESS"
    functions.assert_no_pending_responses()


def test_a_broker_that_never_answers_fails_the_deployment_in_time_and_with_its_reason(
    functions: Stubber, cloudformation: CloudFormation, invocation: Invocation
) -> None:
    invocation.remaining_ms = 60_000
    for _ in range(20):
        _answers(functions, {"status": "unavailable", "told": ["Kafka does not answer: certificate verify failed"]})
    kafka_topics.handle(_event(cloudformation), invocation)
    assert cloudformation.answer["Status"] == "FAILED"
    assert "certificate verify failed" in cloudformation.answer["Reason"]
    assert invocation.remaining_ms >= RESERVE_MS, "time is left for the answer"


def test_a_missing_right_fails_the_deployment_at_once(
    functions: Stubber, cloudformation: CloudFormation, invocation: Invocation
) -> None:
    error = {"errorType": "TopicsRefused", "errorMessage": "to create im-task-topic, …the ACL CREATE on it"}
    _answers(functions, error, error="Unhandled")
    kafka_topics.handle(_event(cloudformation), invocation)
    assert cloudformation.answer["Status"] == "FAILED"
    assert "the ACL CREATE" in cloudformation.answer["Reason"]
    assert invocation.remaining_ms == 900_000


def test_deleting_the_resource_keeps_the_topics(
    functions: Stubber, cloudformation: CloudFormation, invocation: Invocation
) -> None:
    kafka_topics.handle(_event(cloudformation, "Delete"), invocation)
    assert cloudformation.answer["Status"] == "SUCCESS"
    functions.assert_no_pending_responses()
