"""The key of web push is made once, kept for ever, and only its public half is told."""

import json
import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING

import boto3
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from moto import mock_aws

from cdk_app.custom_resources import signing_key, vapid_key
from gochat_core.base64url import decode_base64url
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
    return secrets.create_secret(Name="gochat-test/web-push")["ARN"]


def test_a_key_is_made_and_the_public_half_verifies_what_the_private_one_signed(
    secrets: "SecretsManagerClient", secret_arn: str, cloudformation: CloudFormation, invocation: Invocation
) -> None:
    vapid_key.handle(cloudformation.event(SecretArn=secret_arn), invocation)
    pem = json.loads(secrets.get_secret_value(SecretId=secret_arn)["SecretString"])["private_pem"]
    point = decode_base64url(cloudformation.answer["Data"]["PublicKey"])
    assert (len(point), point[0]) == (65, 4)
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    token = jwt.encode({"sub": "mailto:ops@example.org"}, pem, algorithm="ES256")
    assert jwt.decode(token, public, algorithms=["ES256"]) == {"sub": "mailto:ops@example.org"}


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_a_key_that_is_there_is_kept(
    secrets: "SecretsManagerClient",
    secret_arn: str,
    cloudformation: CloudFormation,
    invocation: Invocation,
    kind: str,
) -> None:
    vapid_key.handle(cloudformation.event(SecretArn=secret_arn), invocation)
    before = secrets.get_secret_value(SecretId=secret_arn)["SecretString"]
    vapid_key.handle(cloudformation.event(kind, SecretArn=secret_arn), invocation)
    assert secrets.get_secret_value(SecretId=secret_arn)["SecretString"] == before
    first, second = cloudformation.answers
    assert first["Data"] == second["Data"]


def test_deleting_leaves_the_key_alone(
    secrets: "SecretsManagerClient", secret_arn: str, cloudformation: CloudFormation, invocation: Invocation
) -> None:
    vapid_key.handle(cloudformation.event(SecretArn=secret_arn), invocation)
    before = secrets.get_secret_value(SecretId=secret_arn)["SecretString"]
    vapid_key.handle(cloudformation.event("Delete", SecretArn=secret_arn), invocation)
    assert secrets.get_secret_value(SecretId=secret_arn)["SecretString"] == before


@pytest.mark.parametrize("content", ["something else", '{"private_pem": 5}', "OTHER KEY"])
def test_a_secret_with_other_content_is_not_written_over_and_not_quoted(
    secrets: "SecretsManagerClient",
    secret_arn: str,
    cloudformation: CloudFormation,
    invocation: Invocation,
    content: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    if content == "OTHER KEY":
        content = json.dumps({"private_pem": signing_key.make_keys()["keys"][0]["private_pem"]})
    secrets.put_secret_value(SecretId=secret_arn, SecretString=content)
    with caplog.at_level(logging.INFO):
        vapid_key.handle(cloudformation.event(SecretArn=secret_arn), invocation)
    assert cloudformation.answer["Status"] == "FAILED"
    assert secrets.get_secret_value(SecretId=secret_arn)["SecretString"] == content
    assert content not in caplog.text + json.dumps(cloudformation.answer)


def test_the_private_half_is_told_to_nobody_but_the_secret(
    secrets: "SecretsManagerClient",
    secret_arn: str,
    cloudformation: CloudFormation,
    invocation: Invocation,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO):
        vapid_key.handle(cloudformation.event(SecretArn=secret_arn), invocation)
    pem = json.loads(secrets.get_secret_value(SecretId=secret_arn)["SecretString"])["private_pem"]
    private = serialization.load_pem_private_key(pem.encode(), password=None)
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    # botocore's own debug log shows what it sends; Lambda runs at INFO.
    told = caplog.text + json.dumps(cloudformation.answer)
    assert pem.splitlines()[1] not in told
    assert hex(private.private_numbers().private_value)[2:] not in told
