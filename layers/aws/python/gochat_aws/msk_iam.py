"""Authenticates to MSK with IAM, signing locally: kafka-python's own mechanism would import botocore for it."""

import json
import os
import ssl
import time
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from kafka.net.sasl import register_sasl_mechanism
from kafka.net.sasl.abc import SaslMechanism

from gochat_aws.sigv4 import Credentials, presign_url, read_environment_credentials

_PROTOCOL_VERSION = "2020_10_22"
_SIGNATURE_LIFETIME_S = 900


def use_msk_iam() -> dict[str, Any]:
    """Register the mechanism with kafka-python and return the options by which a client uses it (TLS included)."""
    register_sasl_mechanism("AWS_MSK_IAM", MskIamMechanism, overwrite=True)
    # One context for all connections: making it reads the CA bundle, 20 to 100 ms of CPU each time.
    return {
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "AWS_MSK_IAM",
        "ssl_context": ssl.create_default_context(),
    }


def authentication_payload(*, host: str, region: str, credentials: Credentials, epoch_s: float) -> bytes:
    """Return what a client sends first (aws-msk-iam-auth, "Details"): a presigned `kafka-cluster:Connect` as JSON."""
    url = presign_url(
        f"https://{host}/",
        query=[("Action", "kafka-cluster:Connect")],
        service="kafka-cluster",
        region=region,
        credentials=credentials,
        expires_s=_SIGNATURE_LIFETIME_S,
        epoch_s=epoch_s,
    )
    signed = {name.lower(): value for name, value in parse_qsl(urlsplit(url).query)}
    payload = {"version": _PROTOCOL_VERSION, "host": host, "user-agent": "gochat", **signed}
    return json.dumps(payload, separators=(",", ":")).encode()


class MskIamMechanism(SaslMechanism):  # type: ignore[misc]  # kafka-python ships no types
    """One authentication of one connection; kafka-python makes it with the broker's host among its options."""

    def __init__(self, **config: Any) -> None:
        self._host: str = config["host"]
        self._answer: bytes | None = None

    def auth_bytes(self) -> bytes:
        """Return the payload, signed now with the credentials of now."""
        return authentication_payload(
            host=self._host,
            region=os.environ["AWS_REGION"],
            credentials=read_environment_credentials(),
            epoch_s=time.time(),
        )

    def receive(self, auth_bytes: bytes) -> None:
        """Take the broker's answer, which is empty when it refused."""
        self._answer = auth_bytes

    def is_done(self) -> bool:
        """Tell whether the broker has answered."""
        return self._answer is not None

    def is_authenticated(self) -> bool:
        """Tell whether the broker accepted."""
        return bool(self._answer)

    def auth_details(self) -> str:
        """Say in kafka-python's log how the connection was authenticated."""
        return "authenticated by IAM"
