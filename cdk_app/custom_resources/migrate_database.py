"""Brings the database to the schema of this deployment: makes its users where IAM guards it, then runs repo-migrate.

Stands outside the VPC, because from inside it could not answer CloudFormation. A paused Aurora cluster takes 15 to 30 s
to resume; both steps are repeated until it does, or until this invocation's own time is nearly over.
"""

import json
import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError, ReadTimeoutError
from botocore.exceptions import ConnectionError as HTTPConnectionError

from cdk_app.custom_resources.answer import Attributes, Context, Event, answer

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

logger = logging.getLogger()

RETRY_EVERY_S = 5.0
RESERVE_MS = 20_000
"""Time kept back for the answer to CloudFormation."""

RESUMING = ("DatabaseResumingException", "DatabaseUnavailableException", "StatementTimeoutException")
"""What the Data API says while a cluster wakes up (RDS Data API reference, "ExecuteStatement")."""

NOT_READY = ("ResourceConflictException", "TooManyRequestsException", "ServiceException")
"""What Invoke says of a function whose network is still being attached, or that is throttled."""

STILL_RUNNING = "a statement runs for longer than a deployment may wait; it goes on: deploy again when it has ended"

APP_PRIVILEGES = "SELECT, INSERT, UPDATE, DELETE"
MIGRATION_PRIVILEGES = f"{APP_PRIVILEGES}, CREATE, ALTER, DROP, INDEX, REFERENCES"


class MigrationFailed(Exception):
    """The migrations ran into something that trying again does not mend."""


def handle(event: Event, context: Context) -> None:
    """Migrate; properties: FunctionName, Migrations (their content's hash: another one runs this again).

    With IAM authentication also ClusterArn, MasterSecretArn, Database, AppUser and MigrationUser. Safe to repeat:
    users and migrations that are there already are left alone. Deleting the resource does nothing.
    """
    properties = event["ResourceProperties"]

    def work() -> Attributes:
        if event["RequestType"] == "Delete":
            return {}
        patience = Patience(lambda: context.get_remaining_time_in_millis() - RESERVE_MS)
        if properties.get("ClusterArn"):
            make_users(properties, patience)
        return {"Migrations": run_migrations(properties["FunctionName"], patience)}

    answer(event, context, "database-migrations", work)


class Patience:
    """Decides how long to keep trying."""

    def __init__(self, remaining_ms: Callable[[], int]) -> None:
        self._remaining_ms = remaining_ms

    def another_try(self, reason: str) -> bool:
        """Wait a little and say True; False once too little time is left."""
        if self._remaining_ms() < RETRY_EVERY_S * 1_000:
            return False
        logger.info("the database is not ready (%s): trying again", reason)
        time.sleep(RETRY_EVERY_S)
        return True

    @property
    def remaining_s(self) -> float:
        """How long a single call may still take."""
        return max(1.0, self._remaining_ms() / 1_000)


def make_users(properties: dict[str, Any], patience: Patience) -> None:
    """Make the IAM users of the functions and of the migrations with the rights they need, through the Data API."""
    client = boto3.client("rds-data")
    database = _quoted(properties["Database"])
    for user, privileges in (
        (properties["AppUser"], APP_PRIVILEGES),
        (properties["MigrationUser"], MIGRATION_PRIVILEGES),
    ):
        name = f"'{user}'@'%'"
        for statement in (
            f"CREATE USER IF NOT EXISTS {name} IDENTIFIED WITH AWSAuthenticationPlugin AS 'RDS'",
            f"ALTER USER {name} REQUIRE SSL",
            f"GRANT {privileges} ON {database}.* TO {name}",
        ):
            while True:
                try:
                    client.execute_statement(
                        resourceArn=properties["ClusterArn"], secretArn=properties["MasterSecretArn"], sql=statement
                    )
                    break
                except ClientError as fault:
                    if not _is_resuming(fault) or not patience.another_try(fault.response["Error"]["Code"]):
                        raise


def run_migrations(function_name: str, patience: Patience) -> str:
    """Invoke repo-migrate until it has reached the database, and return the names of the migrations it applied.

    repo-migrate answers `{"status": "migrated"}`, or "unavailable" while the database is away; it raises for what would
    fail again in the same way, and MigrationFailed says so here.
    """
    while True:
        answer = _invoke(function_name, patience)
        if answer.get("status") == "migrated":
            return ", ".join(answer["applied"])[:500] or "none were missing"
        if not patience.another_try(str(answer)):
            raise MigrationFailed(f"the database could not be reached or is busy: {answer}")


def _invoke(function_name: str, patience: Patience) -> dict[str, Any]:
    # One attempt a call, which may take all the time that is left: botocore's own retry would start a second migration
    # beside one that is merely slow.
    patient = Config(read_timeout=patience.remaining_s, retries={"total_max_attempts": 1})
    client: LambdaClient = boto3.client("lambda", config=patient)
    try:
        result = client.invoke(FunctionName=function_name, Payload=b"{}")
    except ClientError as fault:
        if fault.response["Error"]["Code"] in NOT_READY:
            return {"status": fault.response["Error"]["Code"]}
        raise
    except ReadTimeoutError:
        raise MigrationFailed(STILL_RUNNING) from None
    except (HTTPClientError, HTTPConnectionError) as fault:
        return {"status": "unavailable", "cause": str(fault)}
    answer: dict[str, Any] = json.loads(result["Payload"].read())
    if result.get("FunctionError"):
        raise MigrationFailed(f"{answer.get('errorType')}: {answer.get('errorMessage')}")
    return answer


def _is_resuming(fault: ClientError) -> bool:
    error = fault.response["Error"]
    return error["Code"] in RESUMING or "resuming" in error["Message"]


def _quoted(identifier: str) -> str:
    return f"`{identifier.replace('`', '``')}`"
