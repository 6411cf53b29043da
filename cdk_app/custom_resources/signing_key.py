"""Makes the keys that tokens are signed with, once, and tells their public half.

The secret is one JSON object:

    {"signing_kid": "k-1a2b3c4d5e6f7081",
     "keys": [{"kid": "k-1a2b3c4d5e6f7081", "alg": "EdDSA", "private_pem": "-----BEGIN PRIVATE KEY-----…"}],
     "refresh_key": "<32 random bytes, base64>"}

`keys` are Ed25519 private keys (PKCS 8, PEM, unencrypted). Tokens are signed with the one named by `signing_kid` and
carry that `kid`; the others are kept so that tokens which they signed stay good, and `retired_at_s` (Unix time) says
since when they sign no more (`./dev rotate-keys`). `refresh_key` is an HMAC-SHA-256 key:
refresh tokens are derived and recognised with it.

The attribute `PublicKeys` is the JWKS of all keys (RFC 8037: kty OKP, crv Ed25519), which functions get as
GOCHAT_TOKEN_PUBLIC_KEYS. The private half leaves this function only towards the secret: no attribute, no log.
Safe to repeat: a secret that holds keys is never changed here, whichever event comes. Deleting leaves the secret alone.
"""

import base64
import json
import secrets
from typing import TYPE_CHECKING, NotRequired, TypedDict

import boto3

from cdk_app.custom_resources.answer import Attributes, Context, Event, answer
from cdk_app.custom_resources.secret_text import read_text

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

REFRESH_KEY_BYTES = 32


class PrivateKey(TypedDict):
    """One signing key."""

    kid: str
    alg: str
    private_pem: str
    retired_at_s: NotRequired[int]


class KeySet(TypedDict):
    """What the secret holds."""

    signing_kid: str
    keys: list[PrivateKey]
    refresh_key: str


def handle(event: Event, context: Context) -> None:
    """Make the keys where there are none, and answer with the public ones; properties: SecretArn, MayCreate."""
    properties = event["ResourceProperties"]

    def work() -> Attributes:
        if event["RequestType"] == "Delete":
            return {}
        client = boto3.client("secretsmanager")
        keys = read_keys(client, properties["SecretArn"])
        if keys is None:
            if properties.get("MayCreate", "true") != "true":
                raise LookupError("the secret holds no keys yet")
            keys = make_keys()
            client.put_secret_value(SecretId=properties["SecretArn"], SecretString=json.dumps(keys))
        return {"PublicKeys": public_keys(keys)}

    answer(event, context, "signing-key", work)


def read_keys(client: "SecretsManagerClient", secret_arn: str) -> KeySet | None:
    """Return the keys in the secret, or None while it holds none.

    Raises ValueError for a secret with other content: somebody's data is not written over.
    """
    text = read_text(client, secret_arn)
    if text is None:
        return None
    try:
        found: KeySet = json.loads(text)
        public_keys(found)
    except (ValueError, KeyError, TypeError) as fault:
        # `from None`: the cause quotes the secret's text.
        raise ValueError(
            f"the secret does not hold keys as this function writes them ({type(fault).__name__})"
        ) from None
    return found


def make_keys() -> KeySet:
    """Draw a signing key and a refresh key from the system's randomness."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    kid = f"k-{secrets.token_hex(8)}"
    return {
        "signing_kid": kid,
        "keys": [{"kid": kid, "alg": "EdDSA", "private_pem": pem.decode()}],
        "refresh_key": base64.b64encode(secrets.token_bytes(REFRESH_KEY_BYTES)).decode(),
    }


def public_keys(keys: KeySet) -> str:
    """Return the JWKS of a key set, as one line of JSON."""
    from cryptography.hazmat.primitives import serialization

    found = []
    for key in keys["keys"]:
        private = serialization.load_pem_private_key(key["private_pem"].encode(), password=None)
        raw = private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        x = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
        found.append({"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": key["kid"], "x": x})
    return json.dumps({"keys": found}, separators=(",", ":"))
