"""How clients log in to stores that exist already: secrets read late, certificates verified, nothing told twice."""

import json
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from moto import mock_aws

from gochat_aws.kafka_login import kafka_settings, login_options
from gochat_aws.store_secret import StoreSecret, store_secret
from gochat_core.errors import Unavailable
from gochat_repo.cache_nodes import CacheUnavailable, Node, Nodes, RedisSettings, redis_password
from gochat_repo.mysql_pool import MySqlSettings, password_from, tls_context


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        yield boto3.client("secretsmanager")


def _made(secrets: Any, name: str, **content: str) -> str:
    return str(secrets.create_secret(Name=name, SecretString=json.dumps(content))["ARN"])


@pytest.fixture(scope="module")
def identity() -> tuple[str, str]:
    """A certificate that signs itself and its key, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "gochat")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return certificate.public_bytes(serialization.Encoding.PEM).decode(), private.decode()


def _verifies(context: ssl.SSLContext) -> bool:
    return context.check_hostname and context.verify_mode is ssl.CERT_REQUIRED


def test_kafka_by_scram_sends_its_password_over_verified_tls_alone(secrets: Any) -> None:
    arn = _made(secrets, "AmazonMSK_gochat", username="gochat", password="hush")
    settings = kafka_settings(
        {"GOCHAT_KAFKA_BOOTSTRAP": "b:9096", "GOCHAT_KAFKA_AUTH": "scram", "GOCHAT_KAFKA_SECRET_ARN": arn}
    )
    options = login_options(settings)
    assert _verifies(options.pop("ssl_context"))
    assert options == {
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "gochat",
        "sasl_plain_password": "hush",
    }


def test_kafka_by_certificate_trusts_the_root_that_its_secret_names_and_no_other(
    secrets: Any, identity: tuple[str, str]
) -> None:
    certificate, key = identity
    settings = kafka_settings(
        {
            "GOCHAT_KAFKA_BOOTSTRAP": "b:9094",
            "GOCHAT_KAFKA_AUTH": "mtls",
            "GOCHAT_KAFKA_SECRET_ARN": _made(secrets, "client", certificate=certificate, privateKey=key),
            "GOCHAT_KAFKA_CA_SECRET_ARN": _made(secrets, "root", certificate=certificate),
        }
    )
    options = login_options(settings)
    assert options["security_protocol"] == "SSL"
    assert _verifies(options["ssl_context"])
    assert len(options["ssl_context"].get_ca_certs()) == 1


@pytest.mark.parametrize("auth", ["scram", "mtls"])
def test_a_kafka_login_that_lacks_its_secret_is_refused_when_the_container_starts(auth: str) -> None:
    with pytest.raises(ValueError, match="GOCHAT_KAFKA_SECRET_ARN"):
        kafka_settings({"GOCHAT_KAFKA_BOOTSTRAP": "b:9096", "GOCHAT_KAFKA_AUTH": auth})


def _mysql(secret_arn: str | None, host: str = "mysql.example.org") -> MySqlSettings:
    return MySqlSettings(
        mysql_host=host,
        mysql_user="gochat",
        mysql_database="gochat",
        mysql_auth="password",
        mysql_secret_arn=secret_arn,
    )


def test_mysql_by_password_reads_it_when_a_session_is_opened_and_verifies_the_server(secrets: Any) -> None:
    settings = _mysql(_made(secrets, "mysql", username="gochat", password="hush"))
    password, context = password_from(settings, {}), tls_context(settings)
    assert password is not None
    assert password("mysql.example.org") == "hush"
    assert context is not None
    assert _verifies(context)


def test_a_root_in_the_secret_is_the_only_one_that_is_trusted(secrets: Any, identity: tuple[str, str]) -> None:
    context = tls_context(_mysql(_made(secrets, "mysql", password="hush", ca=identity[0])))
    assert context is not None
    assert len(context.get_ca_certs()) == 1


@pytest.mark.parametrize(
    ("host", "public"),
    [
        ("gochat.proxy-c1.us-east-1.rds.amazonaws.com", True),
        ("gochat-reader.endpoint.proxy-c1.us-east-1.rds.amazonaws.com", True),
        ("mysql.example.org", True),
        ("proxy-like.cluster-c1.us-east-1.rds.amazonaws.com", False),
    ],
)
def test_aurora_s_own_roots_are_trusted_for_aurora_alone(host: str, public: bool) -> None:
    settings = MySqlSettings(mysql_host=host, mysql_user="gochat", mysql_database="gochat", mysql_auth="iam")
    context = tls_context(settings)
    assert context is not None
    assert (len(context.get_ca_certs()) != 3) is public, "the bundle has three roots for a region"


def test_a_mysql_password_without_its_secret_is_refused_when_the_container_starts() -> None:
    with pytest.raises(ValueError, match="GOCHAT_MYSQL_SECRET_ARN"):
        password_from(_mysql(None), {})


def test_redis_by_password_reads_it_from_its_secret(secrets: Any) -> None:
    arn = _made(secrets, "redis", password="hush")
    settings = RedisSettings(redis_host="redis.example.org", redis_auth="password", redis_secret_arn=arn)
    password = redis_password(settings, {})
    assert password is not None
    assert password() == "hush"


def test_a_redis_whose_secret_can_t_be_read_is_a_redis_that_is_away(secrets: Any) -> None:
    gone = "arn:aws:secretsmanager:us-east-1:123456789012:secret:gone-AbCdEf"
    settings = RedisSettings(redis_host="redis.example.org", redis_auth="password", redis_secret_arn=gone)
    with pytest.raises(CacheUnavailable):
        Nodes(settings, redis_password(settings, {})).take(Node("redis.example.org", 6379))


def test_a_secret_that_never_could_be_read_is_told_as_an_outage(secrets: Any) -> None:
    with pytest.raises(Unavailable):
        store_secret("arn:aws:secretsmanager:us-east-1:123456789012:secret:gone-AbCdEf").password()


@pytest.mark.parametrize("text", ["hush", '["hush"]'])
def test_a_secret_that_is_no_object_is_refused_without_its_text(text: str) -> None:
    with pytest.raises(ValueError, match="no JSON object") as raised:
        StoreSecret(lambda: text).password()
    assert "hush" not in f"{raised.value!r} {raised.value.__cause__!r}"
    assert raised.value.__suppress_context__
