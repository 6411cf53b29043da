"""What the content of each type of message must be, and in which bytes it is kept."""

from collections.abc import Iterable
from typing import Annotated

import msgspec

from gochat_core.bodies import read_members, read_object
from gochat_core.errors import FieldFault, InvalidRequest

MAX_TEXT_CHARACTERS = 8_000
MAX_TEXT_BYTES = 24 * 1024
MAX_CUSTOM_BYTES = 16 * 1024
"""Limits of the protocol, "Client frames"."""

MAX_DEPTH = 32
"""How deep content may nest: every later reader recurses, and none of them may run out of stack."""

MAX_INT = (1 << 63) - 1
"""The largest whole number of the contract: what a signed 64-bit number of a client's language can hold."""

MAX_PIXELS = 100_000
"""The longest side of a picture that anybody could show."""

_Url = Annotated[str, msgspec.Meta(max_length=2048, pattern=r"^https?://\S+\Z")]
_Label = Annotated[str, msgspec.Meta(max_length=255)]
_Pixels = Annotated[int, msgspec.Meta(ge=1, le=MAX_PIXELS)]


class _Text(msgspec.Struct):
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_TEXT_CHARACTERS)]


class _Media(msgspec.Struct):
    """`url`, `mime` and `size` in bytes; what else is named here may be absent or null, what isn't is kept as it is."""

    url: _Url
    mime: Annotated[str, msgspec.Meta(max_length=255, pattern=r"^[^\s/;]+/[^\s/;]+( *;.*)?\Z")]
    size: Annotated[int, msgspec.Meta(ge=0, le=MAX_INT)]
    name: _Label | None = None
    width: _Pixels | None = None
    height: _Pixels | None = None
    duration_ms: Annotated[int, msgspec.Meta(ge=0, le=MAX_INT)] | None = None
    thumbnail_url: _Url | None = None


class _Location(msgspec.Struct):
    latitude: Annotated[float, msgspec.Meta(ge=-90, le=90)]
    longitude: Annotated[float, msgspec.Meta(ge=-180, le=180)]
    name: _Label | None = None
    address: Annotated[str, msgspec.Meta(max_length=1000)] | None = None


class _Custom(msgspec.Struct):
    """Any object."""


_SHAPES: dict[str, type[msgspec.Struct]] = {
    "text": _Text,
    "image": _Media,
    "audio": _Media,
    "video": _Media,
    "file": _Media,
    "location": _Location,
    "custom": _Custom,
}

MESSAGE_TYPES = tuple(_SHAPES)
"""The types that a client may send; `system` messages are the server's own."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


def check_content(type_: str, content: bytes, faults: list[FieldFault]) -> bytes:
    """Return the content as it is kept: compact JSON in unescaped UTF-8, the same bytes for the same content.

    What is wrong is added to `faults`. Control characters, U+0000 too, are text like any other and kept; an unpaired
    surrogate is none, and refused.
    """
    shape = _SHAPES.get(type_)
    if shape is None:
        faults.append(FieldFault(field="type", message=f"must be one of {', '.join(MESSAGE_TYPES)}"))
        return b""
    try:
        members = _members(content)
        read_members(shape, members, prefix="content.")
    except InvalidRequest as refusal:
        faults.extend(refusal.faults)
        return b""
    if type_ == "text":
        text = _decode(members["text"])
        if len(text.encode()) > MAX_TEXT_BYTES:
            faults.append(FieldFault(field="content.text", message=f"is longer than {MAX_TEXT_BYTES} bytes of UTF-8"))
        return _encode({"text": text})
    return _normalise(type_, content, faults)


def _members(content: bytes) -> dict[str, msgspec.Raw]:
    try:
        return read_object(content)
    except InvalidRequest:
        raise InvalidRequest(faults=[FieldFault(field="content", message="must be a JSON object in UTF-8")]) from None


def _normalise(type_: str, content: bytes, faults: list[FieldFault]) -> bytes:
    try:
        value = _decode(content)
        if not _nests_too_deep(content, value):
            normal = _encode(value)
            if type_ == "custom" and len(normal) > MAX_CUSTOM_BYTES:
                faults.append(FieldFault(field="content", message=f"is longer than {MAX_CUSTOM_BYTES} bytes"))
            return normal
        faults.append(FieldFault(field="content", message=f"nests deeper than {MAX_DEPTH} levels"))
    except (msgspec.MsgspecError, UnicodeError, RecursionError, OverflowError):
        faults.append(FieldFault(field="content", message="holds text or numbers that JSON can't carry"))
    return b""


def _nests_too_deep(content: bytes, value: object) -> bool:
    """Tell whether it nests deeper than MAX_DEPTH; the walk is made only where enough brackets stand in it."""
    if content.count(b"[") + content.count(b"{") <= MAX_DEPTH:
        return False
    level: list[object] = [value]
    for _ in range(MAX_DEPTH):
        level = [child for parent in level for child in _children(parent) if isinstance(child, dict | list)]
        if not level:
            return False
    return True


def _children(parent: object) -> Iterable[object]:
    if isinstance(parent, dict):
        return parent.values()
    return parent if isinstance(parent, list) else ()
