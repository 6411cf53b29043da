"""The database is brought to the new schema, however long it sleeps."""

import io
import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError
from botocore.response import StreamingBody
from botocore.stub import Stubber

from cdk_app.custom_resources import inner_function, migrate_database
from tests.infrastructure.custom_resources.conftest import CloudFormation, Invocation

CLUSTER = "arn:aws:rds:us-east-1:123456789012:cluster:gochat-dev"
SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:master"
IAM_DATABASE = {
    "ClusterArn": CLUSTER,
    "MasterSecretArn": SECRET,
    "Database": "gochat",
    "AppUser": "gochat_app",
    "MigrationUser": "gochat_migration",
}


@dataclass(kw_only=True)
class Api:
    """Lambda and the RDS Data API, answering what the test queues, in order."""

    functions: Stubber
    data: Stubber
    naps: list[float]

    def migrate_answers(self, answer: dict[str, Any], error: str | None = None) -> None:
        """Queue an answer of repo-migrate."""
        body = json.dumps(answer).encode()
        response: dict[str, Any] = {"StatusCode": 200, "Payload": StreamingBody(io.BytesIO(body), len(body))}
        if error:
            response["FunctionError"] = error
        self.functions.add_response("invoke", response, {"FunctionName": "repo-migrate", "Payload": b"{}"})

    def statement(self, sql: str) -> None:
        """Expect a statement through the Data API."""
        self.data.add_response("execute_statement", {}, {"resourceArn": CLUSTER, "secretArn": SECRET, "sql": sql})

    def users(self) -> None:
        """Expect the statements that make both users."""
        for user, rights in (
            ("gochat_app", migrate_database.APP_PRIVILEGES),
            ("gochat_migration", migrate_database.MIGRATION_PRIVILEGES),
        ):
            self.statement(f"CREATE USER IF NOT EXISTS '{user}'@'%' IDENTIFIED WITH AWSAuthenticationPlugin AS 'RDS'")
            self.statement(f"ALTER USER '{user}'@'%' REQUIRE SSL")
            self.statement(f"GRANT {rights} ON `gochat`.* TO '{user}'@'%'")

    def all_was_asked(self) -> None:
        """Fail if a queued answer was not fetched."""
        self.functions.assert_no_pending_responses()
        self.data.assert_no_pending_responses()


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch, invocation: Invocation) -> Iterator[Api]:
    """Both APIs; waiting takes no time but spends the invocation's."""
    naps: list[float] = []

    def nap(seconds: float) -> None:
        naps.append(seconds)
        invocation.remaining_ms -= int(seconds * 1_000)

    monkeypatch.setattr("time.sleep", nap)
    credentials = {"region_name": "us-east-1", "aws_access_key_id": "x", "aws_secret_access_key": "x"}
    clients = {name: boto3.client(name, **credentials) for name in ("lambda", "rds-data")}  # type: ignore[call-overload]
    monkeypatch.setattr(boto3, "client", lambda name, **_: clients[name])
    with Stubber(clients["lambda"]) as functions, Stubber(clients["rds-data"]) as data:
        yield Api(functions=functions, data=data, naps=naps)


def _event(cloudformation: CloudFormation, kind: str = "Create", **more: str) -> Any:
    return cloudformation.event(kind, FunctionName="repo-migrate", Migrations="abc", **more)


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_migrations_run(api: Api, cloudformation: CloudFormation, invocation: Invocation, kind: str) -> None:
    api.migrate_answers({"status": "migrated", "applied": ["0001_initial", "0002_more"]})
    migrate_database.handle(_event(cloudformation, kind), invocation)
    assert cloudformation.answer["Data"] == {"Migrations": "0001_initial, 0002_more"}
    api.all_was_asked()


def test_an_external_database_is_left_with_its_own_users(
    api: Api, cloudformation: CloudFormation, invocation: Invocation
) -> None:
    api.migrate_answers({"status": "migrated", "applied": []})
    migrate_database.handle(_event(cloudformation), invocation)
    assert cloudformation.answer["Status"] == "SUCCESS"
    api.all_was_asked()


def test_users_are_made_before_the_migrations_log_in_as_one(
    api: Api, cloudformation: CloudFormation, invocation: Invocation
) -> None:
    api.users()
    api.migrate_answers({"status": "migrated", "applied": []})
    migrate_database.handle(_event(cloudformation, **IAM_DATABASE), invocation)
    assert cloudformation.answer["Status"] == "SUCCESS"
    api.all_was_asked()


def test_a_sleeping_cluster_is_waited_for(api: Api, cloudformation: CloudFormation, invocation: Invocation) -> None:
    for _ in range(3):
        api.data.add_client_error("execute_statement", "DatabaseResumingException", "The database is resuming")
    api.users()
    api.migrate_answers({"status": "unavailable", "applied": []})
    api.functions.add_client_error("invoke", "ResourceConflictException", "The function is being attached to its VPC")
    api.migrate_answers({"status": "migrated", "applied": []})
    migrate_database.handle(_event(cloudformation, **IAM_DATABASE), invocation)
    assert cloudformation.answer["Status"] == "SUCCESS"
    assert len(api.naps) == 5
    api.all_was_asked()


def test_a_database_that_never_wakes_fails_the_deployment_in_time(
    api: Api, cloudformation: CloudFormation, invocation: Invocation
) -> None:
    invocation.remaining_ms = 60_000
    for _ in range(20):
        api.migrate_answers({"status": "unavailable", "applied": []})
    migrate_database.handle(_event(cloudformation), invocation)
    assert cloudformation.answer["Status"] == "FAILED"
    assert "could not be reached" in cloudformation.answer["Reason"]
    assert invocation.remaining_ms >= inner_function.RESERVE_MS, "time is left for the answer"


def test_what_the_database_says_of_itself_is_told(
    api: Api, cloudformation: CloudFormation, invocation: Invocation
) -> None:
    invocation.remaining_ms = 22_000
    api.migrate_answers({"status": "unavailable", "applied": [], "cause": "(1045, 'Access denied for user')"})
    migrate_database.handle(_event(cloudformation), invocation)
    assert "Access denied for user" in cloudformation.answer["Reason"]


def test_a_statement_that_takes_longer_than_a_deployment_is_told_of_in_time(
    monkeypatch: pytest.MonkeyPatch, cloudformation: CloudFormation, invocation: Invocation
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    invocation.remaining_ms = inner_function.RESERVE_MS + 1_000
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", f"http://127.0.0.1:{silent.getsockname()[1]}")
        migrate_database.handle(_event(cloudformation), invocation)
    assert cloudformation.answer["Status"] == "FAILED"
    assert "deploy again when it has ended" in cloudformation.answer["Reason"]


def test_lambda_being_out_of_reach_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, api: Api, cloudformation: CloudFormation, invocation: Invocation
) -> None:
    answers: list[Exception | dict[str, Any]] = [
        EndpointConnectionError(endpoint_url="https://lambda.us-east-1.amazonaws.com"),
        ConnectionClosedError(endpoint_url="https://lambda.us-east-1.amazonaws.com"),
        {"Payload": io.BytesIO(b'{"status": "migrated", "applied": ["0001_initial"]}')},
    ]

    class Client:
        def invoke(self, **_: object) -> dict[str, Any]:
            answer = answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

    monkeypatch.setattr(boto3, "client", lambda *_, **__: Client())
    migrate_database.handle(_event(cloudformation), invocation)
    assert cloudformation.answer["Data"] == {"Migrations": "0001_initial"}
    assert len(api.naps) == 2


def test_a_broken_migration_fails_at_once(api: Api, cloudformation: CloudFormation, invocation: Invocation) -> None:
    error = {"errorType": "StatementFailed", "errorMessage": "0002_more: 1064 You have an error"}
    api.migrate_answers(error, error="Unhandled")
    migrate_database.handle(_event(cloudformation), invocation)
    assert cloudformation.answer["Status"] == "FAILED"
    assert "StatementFailed: 0002_more" in cloudformation.answer["Reason"]
    assert api.naps == []


def test_a_refused_statement_fails_at_once(api: Api, cloudformation: CloudFormation, invocation: Invocation) -> None:
    api.data.add_client_error("execute_statement", "ForbiddenException", "no")
    migrate_database.handle(_event(cloudformation, **IAM_DATABASE), invocation)
    assert cloudformation.answer["Status"] == "FAILED"
    assert api.naps == []


def test_deleting_touches_nothing(api: Api, cloudformation: CloudFormation, invocation: Invocation) -> None:
    migrate_database.handle(_event(cloudformation, "Delete", **IAM_DATABASE), invocation)
    assert cloudformation.answer["Status"] == "SUCCESS"
