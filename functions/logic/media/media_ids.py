"""Ids of media: nobody can guess one, and each tells under which key its file lies, so that no table is asked."""

from dataclasses import dataclass
from enum import IntEnum
from hashlib import blake2b

from gochat_core.base64url import decode_base64url, encode_base64url
from gochat_core.errors import MediaNotFound
from gochat_core.types import UserId

PREFIX = "media/"
"""Everything that clients upload lies below it; what signs may reach nothing else of the bucket."""

_CHECK_BYTES = 4
_RANDOM_BYTES = 16
_ID_BYTES = _CHECK_BYTES + 1 + 8 + _RANDOM_BYTES
_ID_CHARACTERS = 39


class Disposition(IntEnum):
    """Whether a browser may show the file in place, or has to save it."""

    ATTACHMENT = 0
    INLINE = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Media:
    """One file: whose, how it is served, and the 128 random bits that make its id unguessable."""

    user_id: UserId
    disposition: Disposition
    random: bytes

    @property
    def key(self) -> str:
        """The key in the bucket.

        It holds the disposition: an id that was made to say "inline" of a file that was uploaded as an attachment leads
        to a key under which nothing lies.
        """
        return f"{PREFIX}{self.disposition.name.lower()}/{self.user_id}/{self.random.hex()}"

    @property
    def media_id(self) -> str:
        """The id that stands in URLs."""
        body = bytes([self.disposition]) + self.user_id.to_bytes(8) + self.random
        return encode_base64url(_check(body) + body)


def parse_media_id(text: str) -> Media:
    """Read a media id; raises `MediaNotFound` for what can't be one: cut short, mistyped, made up.

    The check is no secret. Whether the file was ever uploaded, the bucket alone knows.
    """
    try:
        data = decode_base64url(text) if len(text) == _ID_CHARACTERS else b""
        check, body = data[:_CHECK_BYTES], data[_CHECK_BYTES:]
        if len(data) == _ID_BYTES and check == _check(body) and encode_base64url(data) == text:
            return Media(user_id=UserId(int.from_bytes(body[1:9])), disposition=Disposition(body[0]), random=body[9:])
    except ValueError:
        pass
    raise MediaNotFound


def _check(body: bytes) -> bytes:
    return blake2b(body, digest_size=_CHECK_BYTES, person=b"media").digest()
