"""Token secrets of the form that the deployment writes, made for one test."""

import base64
import json
import secrets

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gochat_core.token_signing import TokenSecret, parse_token_secret


def make_token_secret(kid: str = "k-test") -> TokenSecret:
    """Draw a fresh signing key and refresh key."""
    return parse_token_secret(make_token_secret_json(kid))


def make_token_secret_json(kid: str = "k-test") -> str:
    """Draw fresh keys and return the secret's text."""
    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return json.dumps(
        {
            "signing_kid": kid,
            "keys": [{"kid": kid, "alg": "EdDSA", "private_pem": pem.decode()}],
            "refresh_key": base64.b64encode(secrets.token_bytes(32)).decode(),
        }
    )


def public_jwks(*token_secrets: TokenSecret) -> str:
    """Return the JWKS that verifies what these secrets sign."""
    found = []
    for secret in token_secrets:
        for key in secret.keys:
            private = serialization.load_pem_private_key(key.private_pem.encode(), password=None)
            raw = private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
            x = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
            found.append({"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": key.kid, "x": x})
    return json.dumps({"keys": found})
