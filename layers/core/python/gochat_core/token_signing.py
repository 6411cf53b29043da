"""Signs access tokens and tickets, and derives refresh tokens: the part that needs the secret, so im-logic's alone."""

import hmac
import secrets
import struct
from base64 import b64decode
from dataclasses import dataclass

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from gochat_core.base64url import decode_base64url, encode_base64url
from gochat_core.errors import Unauthenticated
from gochat_core.tokens import (
    ACCESS_AUDIENCE,
    ACCESS_LIFETIME_S,
    ALGORITHM,
    TICKET_AUDIENCE,
    TICKET_LIFETIME_S,
)
from gochat_core.types import DeviceId, SessionId, UserId

MIN_REFRESH_KEY_BYTES = 32

_REFRESH_PREFIX = b"\x01"
"""Form of the refresh token; another form gets another number."""

_REFRESH_NUMBERS = struct.Struct(">QI")
_REFRESH_MAC_BYTES = 32
_REFRESH_CONTEXT = b"gochat refresh token"


class SigningKey(msgspec.Struct, frozen=True, kw_only=True):
    """One Ed25519 private key: PKCS 8, PEM, unencrypted."""

    kid: str
    private_pem: str

    def __repr__(self) -> str:
        return f"SigningKey(kid={self.kid!r})"


class TokenSecret(msgspec.Struct, frozen=True, kw_only=True):
    """The secret as the deployment writes it (`cdk_app/custom_resources/signing_key.py`): one JSON object.

    `signing_kid` names the key that signs; `refresh_key` is the key of the refresh tokens' MAC, in base64.
    """

    signing_kid: str
    keys: list[SigningKey]
    refresh_key: str

    def __repr__(self) -> str:
        return f"TokenSecret(signing_kid={self.signing_kid!r})"


def parse_token_secret(text: str | bytes) -> TokenSecret:
    """Read the secret; raises `ValueError` for another form, without quoting what it holds."""
    try:
        return msgspec.json.decode(text, type=TokenSecret)
    except (msgspec.MsgspecError, UnicodeError):
        raise ValueError("the token secret is not of the form that the deployment writes") from None


@dataclass(frozen=True, kw_only=True)
class RefreshToken:
    """What a refresh token says; `mac` is checked against the session's salt with `TokenSigner.is_genuine`."""

    session_id: SessionId
    generation: int
    mac: bytes


class TokenSigner:
    """Sign and derive tokens with the keys of one secret."""

    def __init__(self, secret: TokenSecret) -> None:
        """Read the keys; raises `ValueError` for a secret of another form."""
        signing = next((key for key in secret.keys if key.kid == secret.signing_kid), None)
        if signing is None:
            raise ValueError(f"the token secret holds no key {secret.signing_kid}")
        private_key = load_pem_private_key(signing.private_pem.encode(), password=None)
        if not isinstance(private_key, Ed25519PrivateKey):
            raise TypeError(f"key {signing.kid} is not an Ed25519 key")
        self._kid = signing.kid
        self._private_key = private_key
        self._refresh_key = b64decode(secret.refresh_key, validate=True)
        if len(self._refresh_key) < MIN_REFRESH_KEY_BYTES:
            raise ValueError("the refresh key is too short")

    def access_token(self, user_id: UserId, device_id: DeviceId, session_id: SessionId, *, issued_at_ms: int) -> str:
        """Return an access token; the same arguments give the same bytes, since EdDSA is deterministic (RFC 8032)."""
        return self._sign(ACCESS_AUDIENCE, user_id, device_id, session_id, issued_at_ms, ACCESS_LIFETIME_S, {})

    def ticket(self, user_id: UserId, device_id: DeviceId, session_id: SessionId, *, issued_at_ms: int) -> str:
        """Return a ticket with a fresh id; every call gives another one."""
        fresh = {"jti": secrets.token_urlsafe(16)}
        return self._sign(TICKET_AUDIENCE, user_id, device_id, session_id, issued_at_ms, TICKET_LIFETIME_S, fresh)

    def refresh_token(self, session_id: SessionId, generation: int, salt: bytes) -> str:
        """Derive the refresh token of one generation of a session; nothing of it needs to be stored."""
        mac = self._mac(session_id, generation, salt)
        token = _REFRESH_PREFIX + _REFRESH_NUMBERS.pack(session_id, generation) + mac
        return encode_base64url(token)

    def is_genuine(self, token: RefreshToken, salt: bytes) -> bool:
        """Tell in constant time whether we made the token for the session that has this salt."""
        return hmac.compare_digest(token.mac, self._mac(token.session_id, token.generation, salt))

    def _mac(self, session_id: SessionId, generation: int, salt: bytes) -> bytes:
        message = _REFRESH_CONTEXT + _REFRESH_NUMBERS.pack(session_id, generation) + salt
        return hmac.digest(self._refresh_key, message, "sha256")

    def _sign(
        self,
        audience: str,
        user_id: UserId,
        device_id: DeviceId,
        session_id: SessionId,
        issued_at_ms: int,
        lifetime_s: int,
        more: dict[str, str],
    ) -> str:
        issued_at_s = issued_at_ms // 1000
        claims = {
            "aud": audience,
            "sub": str(user_id),
            "sid": str(session_id),
            "did": device_id,
            "iat": issued_at_s,
            "exp": issued_at_s + lifetime_s,
            **more,
        }
        return jwt.encode(claims, self._private_key, algorithm=ALGORITHM, headers={"kid": self._kid})


def parse_refresh_token(text: str) -> RefreshToken:
    """Read a refresh token without believing it; raises `Unauthenticated` for what can't be one."""
    try:
        token = decode_base64url(text)
    except ValueError:
        raise Unauthenticated from None
    numbers_end = len(_REFRESH_PREFIX) + _REFRESH_NUMBERS.size
    if not token.startswith(_REFRESH_PREFIX) or len(token) != numbers_end + _REFRESH_MAC_BYTES:
        raise Unauthenticated
    session_id, generation = _REFRESH_NUMBERS.unpack_from(token, len(_REFRESH_PREFIX))
    return RefreshToken(session_id=SessionId(session_id), generation=generation, mac=token[numbers_end:])
