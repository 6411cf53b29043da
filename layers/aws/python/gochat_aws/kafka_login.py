"""How a client proves itself to Kafka: not at all, by IAM, by SCRAM or by a certificate; with TLS wherever it does."""

import json
import ssl
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from gochat_aws.secrets import CachedSecret
from gochat_core.settings import read_settings

KafkaAuth = Literal["none", "iam", "scram", "mtls"]


class KafkaSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where Kafka is and how to log in; the secrets are those that Lambda's own event source mappings read."""

    kafka_bootstrap: str
    kafka_auth: KafkaAuth = "none"
    kafka_secret_arn: str | None = None
    """scram: `username`, `password`; mtls: `certificate`, `privateKey` (PEM), `privateKeyPassword` if it has one
    (Lambda developer guide, "Configuring cluster authentication methods")."""
    kafka_ca_secret_arn: str | None = None
    """`certificate`: the root (PEM) of brokers whose certificates no public authority signs."""


def login_options(settings: KafkaSettings) -> dict[str, Any]:
    """Return the options by which kafka-python logs in; reads the secrets, so it may raise Unavailable."""
    if settings.kafka_auth == "none":
        return {}
    if settings.kafka_auth == "iam":
        from gochat_aws.msk_iam import use_msk_iam

        return use_msk_iam()
    secret = _read(settings.kafka_secret_arn)
    tls = _tls(settings)
    if settings.kafka_auth == "mtls":
        _present(tls, secret)
        return {"security_protocol": "SSL", "ssl_context": tls}
    return {
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": secret["username"],
        "sasl_plain_password": secret["password"],
        "ssl_context": tls,
    }


def kafka_settings(environ: Mapping[str, str]) -> KafkaSettings:
    """Read the settings; raises ValueError when a login lacks its secret."""
    settings = read_settings(KafkaSettings, environ)
    if settings.kafka_auth in ("scram", "mtls") and not settings.kafka_secret_arn:
        raise ValueError(f"GOCHAT_KAFKA_AUTH={settings.kafka_auth} needs GOCHAT_KAFKA_SECRET_ARN")
    return settings


def _tls(settings: KafkaSettings) -> ssl.SSLContext:
    if not settings.kafka_ca_secret_arn:
        return ssl.create_default_context()
    return ssl.create_default_context(cadata=_read(settings.kafka_ca_secret_arn)["certificate"])


def _present(tls: ssl.SSLContext, secret: Mapping[str, str]) -> None:
    """Load the client's certificate and key, which `ssl` takes from files alone."""
    with tempfile.TemporaryDirectory() as folder:
        certificate, key = Path(folder) / "certificate.pem", Path(folder) / "key.pem"
        certificate.write_text(secret["certificate"])
        key.touch(mode=0o600)
        key.write_text(secret["privateKey"])
        tls.load_cert_chain(certificate, key, password=secret.get("privateKeyPassword") or "")


def _read(secret_arn: str | None) -> Mapping[str, str]:
    assert secret_arn is not None
    found: Mapping[str, str] = json.loads(CachedSecret(secret_arn).read())
    return found
