"""Encrypts what a browser is pushed, against its push service (RFC 8291), and signs who pushes it (RFC 8292)."""

import os
import time
from collections.abc import Callable
from typing import NamedTuple

import jwt
import msgspec
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gochat_core.base64url import encode_base64url

RECORD_BYTES = 4_096
"""What every push service takes (RFC 8030, section 7.2), and so the size of the only record."""

MAX_PLAINTEXT_BYTES = RECORD_BYTES - 86 - 16 - 1
"""Beside it stand the header, the tag and the delimiter (RFC 8188, section 2)."""

PADDED_BYTES = 1_024
"""Payloads are filled up to multiples of it: their length, which shows, tells little of what was written."""

TOKEN_LIFETIME_S = 12 * 3_600
"""At most 24 h (RFC 8292, section 2); clocks differ."""

_LAST_RECORD = b"\x02"


class Draw(NamedTuple):
    """What is drawn for each message."""

    key: ec.EllipticCurvePrivateKey
    salt: bytes


def draw() -> Draw:
    """Draw a key and a salt from the system's randomness."""
    return Draw(ec.generate_private_key(ec.SECP256R1()), os.urandom(16))


def encrypt(plaintext: bytes, *, p256dh: bytes, auth: bytes, drawn: Draw) -> bytes:
    """Return the body of the request, in content coding aes128gcm.

    Raises ValueError for a `p256dh` that is no point of the curve.
    """
    browser = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), p256dh)
    own = public_bytes(drawn.key)
    secret = drawn.key.exchange(ec.ECDH(), browser)
    key_material = _derive(secret, salt=auth, info=b"WebPush: info\0" + p256dh + own, length=32)
    key = _derive(key_material, salt=drawn.salt, info=b"Content-Encoding: aes128gcm\0", length=16)
    nonce = _derive(key_material, salt=drawn.salt, info=b"Content-Encoding: nonce\0", length=12)
    header = drawn.salt + RECORD_BYTES.to_bytes(4) + bytes([len(own)]) + own
    return header + AESGCM(key).encrypt(nonce, plaintext + _LAST_RECORD, None)


def pad(payload: bytes) -> bytes:
    """Fill JSON up with blanks, which mean nothing to who reads it."""
    return payload.ljust(min(-(-len(payload) // PADDED_BYTES) * PADDED_BYTES, MAX_PLAINTEXT_BYTES))


def public_bytes(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return the public half as an uncompressed point: 65 bytes."""
    return key.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


class VapidKey(msgspec.Struct, frozen=True, kw_only=True):
    """What the secret holds (cdk_app/custom_resources/vapid_key.py)."""

    private_pem: str

    def __repr__(self) -> str:
        return "VapidKey()"


class Vapid:
    """Says towards push services who pushes; safe for several threads. `now_s`: a clock, s since 1970."""

    def __init__(self, key: VapidKey, *, contact: str, now_s: Callable[[], float] = time.time) -> None:
        """Take the key; raises ValueError if it is none of P-256. `contact`: a mailto: or https: URL."""
        private = serialization.load_pem_private_key(key.private_pem.encode(), password=None)
        if not isinstance(private, ec.EllipticCurvePrivateKey):
            raise ValueError("the VAPID key is no key of P-256")  # noqa: TRY004 - its type is its value here
        self._key = private
        self._public = encode_base64url(public_bytes(private))
        self._contact = contact
        self._now_s = now_s
        self._signed: dict[str, tuple[str, float]] = {}

    def authorization(self, origin: str) -> str:
        """Return the header for one push service; a token serves for half of its lifetime."""
        now_s = self._now_s()
        token, good_until_s = self._signed.get(origin, ("", 0.0))
        if now_s >= good_until_s:
            claims = {"aud": origin, "exp": int(now_s) + TOKEN_LIFETIME_S, "sub": self._contact}
            token = jwt.encode(claims, self._key, algorithm="ES256")
            self._signed[origin] = token, now_s + TOKEN_LIFETIME_S / 2
        return f"vapid t={token}, k={self._public}"


def _derive(secret: bytes, *, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=length, salt=salt, info=info).derive(secret)
