"""Secrets as Secrets Manager gives them, in moto."""

from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws
from mypy_boto3_secretsmanager import SecretsManagerClient

from gochat_aws.secrets import CachedSecret
from gochat_core.errors import Unavailable


class SetClock:
    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def manager(monkeypatch: pytest.MonkeyPatch) -> Iterator[SecretsManagerClient]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    with mock_aws():
        yield boto3.client("secretsmanager")


def test_a_secret_is_read_once_and_again_when_it_has_grown_old(manager: SecretsManagerClient, clock: SetClock) -> None:
    arn = manager.create_secret(Name="signing", SecretString="first")["ARN"]
    secret = CachedSecret(arn, monotonic_s=clock)
    assert secret.read() == "first"
    manager.put_secret_value(SecretId=arn, SecretString="second")

    clock.now_s += 299
    assert secret.read() == "first"
    clock.now_s += 2
    assert secret.read() == "second"


def test_an_old_secret_outlives_an_outage(manager: SecretsManagerClient, clock: SetClock) -> None:
    arn = manager.create_secret(Name="signing", SecretString="first")["ARN"]
    secret = CachedSecret(arn, monotonic_s=clock)
    secret.read()
    manager.delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)

    clock.now_s += 301

    assert secret.read() == "first"


def test_a_secret_that_was_never_read_is_unavailable(manager: SecretsManagerClient, clock: SetClock) -> None:
    with pytest.raises(Unavailable):
        CachedSecret("absent", monotonic_s=clock).read()
