"""The signing keys are made once, kept for ever, and only their public half is told."""

import base64
import json
import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import boto3
import jwt
import pytest
from moto import mock_aws

from cdk_app.custom_resources import signing_key
from tests.infrastructure.custom_resources.conftest import CloudFormation, Invocation

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> Iterator["SecretsManagerClient"]:
    """Secrets Manager, empty."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    with mock_aws():
        yield boto3.client("secretsmanager")


@pytest.fixture
def secret_arn(secrets: "SecretsManagerClient") -> str:
    """A secret as the template declares it: without a value."""
    return secrets.create_secret(Name="gochat-test/token-signing")["ARN"]


def _stored(secrets: "SecretsManagerClient", arn: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(secrets.get_secret_value(SecretId=arn)["SecretString"])
    return value


def test_keys_are_made_and_the_public_one_verifies_what_the_private_one_signed(
    secrets: "SecretsManagerClient", secret_arn: str, cloudformation: CloudFormation, invocation: Invocation
) -> None:
    signing_key.handle(cloudformation.event(SecretArn=secret_arn), invocation)

    stored = _stored(secrets, secret_arn)
    (key,) = stored["keys"]
    assert key["kid"] == stored["signing_kid"]
    token = jwt.encode({"sub": "alice"}, key["private_pem"], algorithm=key["alg"], headers={"kid": key["kid"]})
    (public,) = json.loads(cloudformation.answer["Data"]["PublicKeys"])["keys"]
    assert (public["kty"], public["crv"], public["kid"]) == ("OKP", "Ed25519", key["kid"])
    assert jwt.decode(token, jwt.PyJWK(public).key, algorithms=["EdDSA"]) == {"sub": "alice"}
    assert len(base64.b64decode(stored["refresh_key"])) == 32


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_keys_that_are_there_are_kept(
    secrets: "SecretsManagerClient",
    secret_arn: str,
    cloudformation: CloudFormation,
    invocation: Invocation,
    kind: str,
) -> None:
    signing_key.handle(cloudformation.event(SecretArn=secret_arn), invocation)
    before = _stored(secrets, secret_arn)
    signing_key.handle(cloudformation.event(kind, SecretArn=secret_arn), invocation)
    assert _stored(secrets, secret_arn) == before
    first, second = cloudformation.answers
    assert first["Data"] == second["Data"]


def test_all_keys_are_published_so_that_older_tokens_stay_good(
    secrets: "SecretsManagerClient", secret_arn: str, cloudformation: CloudFormation, invocation: Invocation
) -> None:
    old, new = signing_key.make_keys(), signing_key.make_keys()
    both = {**new, "keys": [*old["keys"], *new["keys"]]}
    secrets.put_secret_value(SecretId=secret_arn, SecretString=json.dumps(both))
    signing_key.handle(cloudformation.event("Update", SecretArn=secret_arn), invocation)
    published = json.loads(cloudformation.answer["Data"]["PublicKeys"])["keys"]
    assert [key["kid"] for key in published] == [old["signing_kid"], new["signing_kid"]]


def test_deleting_leaves_the_secret_alone(
    secrets: "SecretsManagerClient", secret_arn: str, cloudformation: CloudFormation, invocation: Invocation
) -> None:
    signing_key.handle(cloudformation.event(SecretArn=secret_arn), invocation)
    before = _stored(secrets, secret_arn)
    signing_key.handle(cloudformation.event("Delete", SecretArn=secret_arn), invocation)
    assert cloudformation.answers[-1]["Status"] == "SUCCESS"
    assert _stored(secrets, secret_arn) == before


def test_a_stack_that_only_verifies_never_makes_keys(
    secrets: "SecretsManagerClient", secret_arn: str, cloudformation: CloudFormation, invocation: Invocation
) -> None:
    signing_key.handle(cloudformation.event(SecretArn=secret_arn, MayCreate="false"), invocation)
    assert cloudformation.answer["Status"] == "FAILED"
    with pytest.raises(secrets.exceptions.ResourceNotFoundException):
        secrets.get_secret_value(SecretId=secret_arn)


@pytest.mark.parametrize("text", ["{}", "not JSON", '{"signing_kid": "k", "keys": [{"kid": "k"}]}', "[]"])
def test_a_secret_with_other_content_is_neither_overwritten_nor_quoted(
    secrets: "SecretsManagerClient",
    secret_arn: str,
    cloudformation: CloudFormation,
    invocation: Invocation,
    text: str,
) -> None:
    secrets.put_secret_value(SecretId=secret_arn, SecretString=text)
    signing_key.handle(cloudformation.event(SecretArn=secret_arn), invocation)
    assert cloudformation.answer["Status"] == "FAILED"
    assert secrets.get_secret_value(SecretId=secret_arn)["SecretString"] == text


def test_the_private_half_appears_in_no_answer_and_no_log(
    secrets: "SecretsManagerClient",
    secret_arn: str,
    cloudformation: CloudFormation,
    invocation: Invocation,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    signing_key.handle(cloudformation.event(SecretArn=secret_arn), invocation)
    stored = _stored(secrets, secret_arn)
    private_line = stored["keys"][0]["private_pem"].splitlines()[1]
    # botocore's own debug log shows what it sends; Lambda runs at INFO.
    ours = [record.getMessage() for record in caplog.records if record.levelno >= logging.INFO]
    for shown in (str(cloudformation.answers), "\n".join(ours)):
        assert private_line not in shown
        assert stored["refresh_key"] not in shown


def test_the_functions_read_the_secret_as_it_is_written(
    secrets: "SecretsManagerClient", secret_arn: str, cloudformation: CloudFormation, invocation: Invocation
) -> None:
    from gochat_core.token_signing import parse_token_secret

    signing_key.handle(cloudformation.event(SecretArn=secret_arn), invocation)
    text = secrets.get_secret_value(SecretId=secret_arn)["SecretString"]
    assert parse_token_secret(text).signing_kid == json.loads(text)["signing_kid"]
