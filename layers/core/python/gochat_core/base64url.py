"""Base64 as it stands in tokens and cursors: the URL-safe alphabet, no padding."""

from base64 import urlsafe_b64decode, urlsafe_b64encode


def encode_base64url(data: bytes) -> str:
    """Encode without padding (RFC 7515, section 2)."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def decode_base64url(text: str) -> bytes:
    """Decode base64url without padding (RFC 7515, section 2); raises `ValueError` for anything else."""
    if not text.isascii() or any(sign in text for sign in "+/="):
        raise ValueError("not base64url")
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
