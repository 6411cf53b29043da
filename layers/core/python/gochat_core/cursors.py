"""Opaque cursors of paged lists: where the next page begins, with a check that refuses what we did not write."""

from hashlib import blake2b
from typing import Any

import msgspec

from gochat_core.base64url import decode_base64url, encode_base64url
from gochat_core.errors import FieldFault, InvalidRequest

_CHECK_BYTES = 6
_MAX_CHARACTERS = 512


def write_cursor(kind: str, *position: int | str) -> str:
    """Write where a page ended; `kind` names the list, so that no list takes another's cursor."""
    body = msgspec.json.encode(position)
    return encode_base64url(_check(kind, body) + body)


def read_cursor(kind: str, cursor: str, *types: type[int] | type[str], field: str = "cursor") -> tuple[Any, ...]:
    """Return the position, of these types; raises `InvalidRequest` for what `write_cursor` did not write for this list.

    `field` is what the request calls the cursor.

    The check is no secret: a cursor grants nothing, every page is selected for the caller anyway.
    """
    try:
        data = decode_base64url(cursor) if len(cursor) <= _MAX_CHARACTERS else b""
        check, body = data[:_CHECK_BYTES], data[_CHECK_BYTES:]
        if check == _check(kind, body):
            position: tuple[Any, ...] = msgspec.json.decode(body, type=tuple.__class_getitem__(types))
            return position
    except (ValueError, msgspec.MsgspecError):
        pass
    raise InvalidRequest(faults=[FieldFault(field=field, message=f"is not a {field} of this list")])


def _check(kind: str, body: bytes) -> bytes:
    return blake2b(body, digest_size=_CHECK_BYTES, person=kind.encode()[:16]).digest()
