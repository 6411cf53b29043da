"""Verifies access tokens and tickets with public keys only: JWTs signed with Ed25519, told apart by audience.

Verification is written out here, as the authorizer's start is part of every handshake and importing PyJWT, which signs
the tokens, costs it 100 ms of CPU. The algorithm is not negotiable, so what is left of a JWT is small.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gochat_core.base64url import decode_base64url
from gochat_core.clock import Clock
from gochat_core.errors import TokenExpired, Unauthenticated
from gochat_core.types import DeviceId, SessionId, UserId

ALGORITHM = "EdDSA"

ACCESS_AUDIENCE = "gochat-access"
TICKET_AUDIENCE = "gochat-ticket"

ACCESS_LIFETIME_S = 15 * 60
TICKET_LIFETIME_S = 60

LEEWAY_MS = 5_000
"""How far the clocks of two containers may stand apart."""

MAX_TOKEN_CHARACTERS = 4_096
"""Ours have about 400; nothing longer is worth parsing."""

_DECIMAL_ID_LENGTH = 19


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Who a token speaks for, and until when."""

    user_id: UserId
    device_id: DeviceId
    session_id: SessionId
    expires_at_ms: int


@dataclass(frozen=True, kw_only=True)
class Ticket:
    """A ticket that was verified; whether it was used before is for the store of tickets to say."""

    identity: Identity
    ticket_id: str


class _Jwk(msgspec.Struct, frozen=True):
    kty: str
    crv: str
    kid: str
    x: str


class _Jwks(msgspec.Struct, frozen=True):
    keys: list[_Jwk]


class _Header(msgspec.Struct, frozen=True):
    alg: str
    kid: str


class _Claims(msgspec.Struct, frozen=True):
    aud: str
    sub: str
    sid: str
    did: str
    iat: int
    exp: int
    jti: str = ""


def parse_public_keys(jwks: str | bytes) -> Mapping[str, Ed25519PublicKey]:
    """Read a JWKS of Ed25519 public keys (RFC 8037) by `kid`; raises `ValueError` for anything else in it."""
    found: dict[str, Ed25519PublicKey] = {}
    for key in msgspec.json.decode(jwks, type=_Jwks).keys:
        if (key.kty, key.crv) != ("OKP", "Ed25519"):
            raise ValueError(f"key {key.kid} is not an Ed25519 key")
        found[key.kid] = Ed25519PublicKey.from_public_bytes(decode_base64url(key.x))
    if not found:
        raise ValueError("the set holds no key")
    return found


class TokenVerifier:
    """Verify tokens without any network call; made once per container, as parsing keys costs more than using them."""

    def __init__(self, jwks: str | bytes, clock: Clock) -> None:
        """Read the keys; raises `ValueError` for a set that holds none, or one of another kind."""
        self._keys = parse_public_keys(jwks)
        self._clock = clock

    def verify_access_token(self, token: str) -> Identity:
        """Return who an access token speaks for; its session may have been revoked since.

        Raises `TokenExpired` for a good one whose time is over, `Unauthenticated` for all else.
        """
        return self._verify(token, ACCESS_AUDIENCE)[0]

    def verify_ticket(self, token: str) -> Ticket:
        """Return what a ticket stands for; raises as `verify_access_token`."""
        identity, ticket_id = self._verify(token, TICKET_AUDIENCE)
        if not ticket_id:
            raise Unauthenticated
        return Ticket(identity=identity, ticket_id=ticket_id)

    def _verify(self, token: str, audience: str) -> tuple[Identity, str]:
        claims = self._signed_claims(token)
        if claims.aud != audience:
            raise Unauthenticated
        now_ms = self._clock.now_ms()
        if claims.iat * 1000 > now_ms + LEEWAY_MS:
            raise Unauthenticated
        if claims.exp * 1000 <= now_ms - LEEWAY_MS:
            raise TokenExpired
        identity = Identity(
            user_id=UserId(_id_of(claims.sub)),
            device_id=DeviceId(claims.did),
            session_id=SessionId(_id_of(claims.sid)),
            expires_at_ms=claims.exp * 1000,
        )
        return identity, claims.jti

    def _signed_claims(self, token: str) -> _Claims:
        if len(token) > MAX_TOKEN_CHARACTERS or token.count(".") != 2:
            raise Unauthenticated
        signed, _, signature = token.rpartition(".")
        header_part, _, claims_part = signed.partition(".")
        try:
            header = msgspec.json.decode(decode_base64url(header_part), type=_Header)
            key = self._keys.get(header.kid)
            if header.alg != ALGORITHM or key is None:
                raise Unauthenticated
            key.verify(decode_base64url(signature), signed.encode("ascii"))
            return msgspec.json.decode(decode_base64url(claims_part), type=_Claims)
        except (ValueError, RecursionError, msgspec.MsgspecError, InvalidSignature):
            raise Unauthenticated from None


def _id_of(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _DECIMAL_ID_LENGTH):
        raise Unauthenticated
    return int(text)
