"""The frames of the public contract: reads what a client sent, writes what it is answered."""

import json

import msgspec

from gochat_core.bodies import read_members, read_object
from gochat_core.errors import FieldFault, GochatError, InvalidRequest
from gochat_core.ids import CLIENT_ID

MAX_FRAME_BYTES = 32 * 1024
"""What the platform lets through (API Gateway developer guide, "Quotas for WebSocket APIs": frame size 32 KB)."""

NO_FRAME = (
    "The frame is not a JSON object in UTF-8; half a character (an unpaired surrogate) and NaN have no place in one"
)

EMPTY_OBJECT = msgspec.Raw(b"{}")

_encode = msgspec.json.Encoder().encode
_decode_text = msgspec.json.Decoder(str).decode


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """One frame of a client; `data` is its JSON, undecoded."""

    action: str
    id: str
    data: msgspec.Raw = EMPTY_OBJECT


class UnreadableFrameError(InvalidRequest):
    """The frame breaks the contract; `frame_id` is its id where that could be read."""

    def __init__(self, refusal: InvalidRequest, frame_id: str | None) -> None:
        super().__init__(refusal.detail, faults=refusal.faults)
        self.frame_id = frame_id


class _Error(msgspec.Struct, omit_defaults=True):
    code: str
    message: str
    retryable: bool
    retry_after_ms: int | None = None


class _ErrorFrame(msgspec.Struct):
    event: str
    id: str | None
    error: _Error


class _AckFrame(msgspec.Struct):
    event: str
    id: str
    data: object


def read_frame(text: str) -> Frame:
    """Read a client's frame; raises UnreadableFrameError with every fault."""
    try:
        members = read_object(text)
    except InvalidRequest as refusal:
        raise UnreadableFrameError(InvalidRequest(NO_FRAME), _id_in_lax_json(text)) from refusal
    frame_id = _readable_id(members.get("id"))
    faults: list[FieldFault] = []
    frame = None
    try:
        frame = read_members(Frame, members)
    except InvalidRequest as refusal:
        faults.extend(refusal.faults)
    if frame_id is None and not any(fault.field == "id" for fault in faults):
        faults.append(FieldFault(field="id", message=f"must match {CLIENT_ID.pattern}"))
    data = members.get("data")
    if data is not None and not bytes(data).startswith(b"{"):
        faults.append(FieldFault(field="data", message="must be an object"))
    if faults or frame is None:
        raise UnreadableFrameError(InvalidRequest(faults=faults), frame_id)
    return frame


def write_ack(frame_id: str, data: object) -> str:
    """Write the `ack` of a frame: `data` of plain values or a Struct, in unescaped UTF-8."""
    return _encode(_AckFrame(event="ack", id=frame_id, data=data)).decode()


def write_error(frame_id: str | None, error: GochatError) -> str:
    """Write the `error` that answers a frame; the message tells every fault, `field: what is wrong`."""
    told = _Error(
        code=error.code,
        message="; ".join(f"{fault.field}: {fault.message}" for fault in error.faults) or error.detail,
        retryable=error.retryable,
        retry_after_ms=error.retry_after_ms if error.retryable else None,
    )
    return _encode(_ErrorFrame(event="error", id=frame_id, error=told)).decode()


def _id_in_lax_json(text: str) -> str | None:
    """Return the id of a frame that is JSON to whoever is lax about it.

    A browser that cut a text in the middle of an emoji writes half of it as an escape: it should learn which frame that
    was.
    """
    try:
        frame = json.loads(text)
    except (ValueError, RecursionError):
        return None
    frame_id = frame.get("id") if isinstance(frame, dict) else None
    return frame_id if isinstance(frame_id, str) and CLIENT_ID.fullmatch(frame_id) else None


def _readable_id(raw: msgspec.Raw | None) -> str | None:
    if raw is None:
        return None
    try:
        text = _decode_text(raw)
    except (msgspec.MsgspecError, UnicodeError):
        return None
    return text if CLIENT_ID.fullmatch(text) else None
