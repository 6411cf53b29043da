"""Brings the database to the schema of this deployment: makes its users where IAM guards it, then runs repo-migrate.

Stands outside the VPC, because from inside it could not answer CloudFormation. A paused Aurora cluster takes 15 to 30 s
to resume; both steps are repeated until it does, or until this invocation's own time is nearly over.
"""

from typing import Any

import boto3
from botocore.exceptions import ClientError

from cdk_app.custom_resources.answer import Attributes, Context, Event, answer
from cdk_app.custom_resources.inner_function import Patience, run_until_done

RESUMING = ("DatabaseResumingException", "DatabaseUnavailableException", "StatementTimeoutException")
"""What the Data API says while a cluster wakes up (RDS Data API reference, "ExecuteStatement")."""

APP_PRIVILEGES = "SELECT, INSERT, UPDATE, DELETE"
MIGRATION_PRIVILEGES = f"{APP_PRIVILEGES}, CREATE, ALTER, DROP, INDEX, REFERENCES"


def handle(event: Event, context: Context) -> None:
    """Migrate; properties: FunctionName, Migrations (their content's hash: another one runs this again).

    With IAM authentication also ClusterArn, MasterSecretArn, Database, AppUser and MigrationUser. Safe to repeat:
    users and migrations that are there already are left alone. Deleting the resource does nothing.
    """
    properties = event["ResourceProperties"]

    def work() -> Attributes:
        if event["RequestType"] == "Delete":
            return {}
        patience = Patience(context.get_remaining_time_in_millis)
        if properties.get("ClusterArn"):
            make_users(properties, patience)
        return {"Migrations": run_migrations(properties["FunctionName"], patience)}

    answer(event, context, "database-migrations", work)


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
    """Invoke repo-migrate until it has reached the database, and return the names of the migrations it applied."""
    answer = run_until_done(function_name, {}, patience, done="migrated", store="the database")
    return ", ".join(answer["applied"])[:500] or "none were missing"


def _is_resuming(fault: ClientError) -> bool:
    error = fault.response["Error"]
    return error["Code"] in RESUMING or "resuming" in error["Message"]


def _quoted(identifier: str) -> str:
    return f"`{identifier.replace('`', '``')}`"
