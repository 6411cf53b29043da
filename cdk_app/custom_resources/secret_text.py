"""Reads the text of a secret that a template has declared without one."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient


def read_text(client: "SecretsManagerClient", secret_arn: str) -> str | None:
    """Return the secret's text, or None while it holds none."""
    try:
        text = client.get_secret_value(SecretId=secret_arn)["SecretString"]
    except client.exceptions.ResourceNotFoundException:
        return None  # the secret exists (the template made it) but has no value yet
    return text or None  # how the local AWS says the same
