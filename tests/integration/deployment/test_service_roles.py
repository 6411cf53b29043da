"""In an empty account the services' own roles are made before the stage needs them."""

from dataclasses import replace

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from cdk_app.stages import EXTERNAL, PROD
from dev_cli.aws.target import Target
from dev_cli.deployment.service_roles import make_service_roles, services_of
from tests.integration.deployment.conftest import target_of

STORES = ["rds.amazonaws.com", "elasticache.amazonaws.com", "kafka.amazonaws.com"]


def _answering(target: Target, *codes: str) -> tuple[Target, Stubber]:
    client = boto3.client("iam")
    stub = Stubber(client)
    for code in codes:
        stub.add_client_error("create_service_linked_role", service_error_code=code)
    stub.activate()

    class Session:
        def client(self, *_: object, **__: object) -> object:
            return client

    return replace(target, session=Session()), stub


def test_an_empty_account_gets_them(dev: Target) -> None:
    assert make_service_roles(dev) == STORES
    roles = {role["RoleName"] for role in boto3.client("iam").list_roles()["Roles"]}
    assert len([role for role in roles if role.startswith("AWSServiceRoleFor")]) == len(STORES)


def test_those_that_are_there_and_those_that_one_may_not_make_are_left_alone(dev: Target) -> None:
    target, stub = _answering(dev, "InvalidInput", "AccessDenied", "InvalidInput")
    assert make_service_roles(target) == []
    stub.assert_no_pending_responses()


def test_another_failure_is_told(dev: Target) -> None:
    target, _ = _answering(dev, "ServiceFailure")
    with pytest.raises(ClientError):
        make_service_roles(target)


def test_a_vault_needs_one_more_and_existing_stores_none() -> None:
    assert list(services_of(target_of(PROD).stage)) == [*STORES, "backup.amazonaws.com"]
    assert list(services_of(EXTERNAL)) == []
