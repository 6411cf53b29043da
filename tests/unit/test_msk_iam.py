"""Our IAM payload against the one that kafka-python makes with the same keys at the same time."""

import datetime
import json

import pytest
from kafka.net.sasl import get_sasl_mechanism
from kafka.net.sasl.msk import AwsMskIamClient

from gochat_aws.msk_iam import MskIamMechanism, authentication_payload, use_msk_iam
from gochat_aws.sigv4 import Credentials

HOST = "b-1.gochat.abc123.c2.kafka.eu-west-1.amazonaws.com"


@pytest.mark.parametrize("token", [None, "IQoJb3Jp+/=Z2lu=="])
def test_the_payload_is_the_one_that_kafka_python_makes(token: str | None) -> None:
    theirs = AwsMskIamClient(HOST, "AKIDEXAMPLE", "secret/+key", "eu-west-1", token)
    signed_at = datetime.datetime.strptime(theirs.timestamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.UTC)

    ours = authentication_payload(
        host=HOST,
        region="eu-west-1",
        credentials=Credentials(access_key_id="AKIDEXAMPLE", secret_access_key="secret/+key", session_token=token),
        epoch_s=signed_at.timestamp(),
    )

    assert json.loads(ours) == {**json.loads(theirs.first_message()), "user-agent": "gochat"}


def test_the_mechanism_signs_with_the_credentials_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hidden")
    use_msk_iam()

    mechanism = get_sasl_mechanism("AWS_MSK_IAM")(host=HOST, security_protocol="SASL_SSL")

    assert isinstance(mechanism, MskIamMechanism)
    assert json.loads(mechanism.auth_bytes())["x-amz-credential"].startswith("AKIDEXAMPLE/")
    assert b"hidden" not in mechanism.auth_bytes()
    assert not mechanism.is_done()
    mechanism.receive(b"")
    assert mechanism.is_done()
    assert not mechanism.is_authenticated()
