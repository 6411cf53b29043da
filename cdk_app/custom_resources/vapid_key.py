"""Makes the key pair that this deployment shows push services of browsers, once, and tells its public half (RFC 8292).

The secret is one JSON object: `{"private_pem": "-----BEGIN PRIVATE KEY-----…"}`, a key of P-256 (PKCS 8, unencrypted).
The attribute `PublicKey` is the public half as browsers take it for `applicationServerKey`: the uncompressed point in
base64url. Every subscription is bound to the key that it was made with, so a key that is there is never changed,
whichever event comes. Deleting leaves the secret alone.
"""

import base64
import json
from typing import TYPE_CHECKING

import boto3

from cdk_app.custom_resources.answer import Attributes, Context, Event, answer
from cdk_app.custom_resources.secret_text import read_text

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient


def handle(event: Event, context: Context) -> None:
    """Make the key where there is none, and answer with its public half; property: SecretArn."""
    secret_arn = event["ResourceProperties"]["SecretArn"]

    def work() -> Attributes:
        if event["RequestType"] == "Delete":
            return {}
        client = boto3.client("secretsmanager")
        pem = read_key(client, secret_arn)
        if pem is None:
            pem = make_key()
            client.put_secret_value(SecretId=secret_arn, SecretString=json.dumps({"private_pem": pem}))
        return {"PublicKey": public_key(pem)}

    answer(event, context, "vapid-key", work)


def read_key(client: "SecretsManagerClient", secret_arn: str) -> str | None:
    """Return the key in the secret, or None while it holds none.

    Raises ValueError for a secret with other content: somebody's data is not written over.
    """
    text = read_text(client, secret_arn)
    if text is None:
        return None
    try:
        pem = str(json.loads(text)["private_pem"])
        public_key(pem)
    except (ValueError, KeyError, TypeError) as fault:
        # `from None`: the cause quotes the secret's text.
        raise ValueError(
            f"the secret does not hold a key as this function writes it ({type(fault).__name__})"
        ) from None
    return pem


def make_key() -> str:
    """Draw a key from the system's randomness."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    return (
        ec.generate_private_key(ec.SECP256R1())
        .private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        .decode()
    )


def public_key(pem: str) -> str:
    """Return the public half: 87 letters. Raises ValueError for a key of another kind."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    private = serialization.load_pem_private_key(pem.encode(), password=None)
    if not isinstance(private, ec.EllipticCurvePrivateKey) or not isinstance(private.curve, ec.SECP256R1):
        raise ValueError("not a key of P-256")  # noqa: TRY004 - the key's kind is its value here
    point = private.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    return base64.urlsafe_b64encode(point).rstrip(b"=").decode()
