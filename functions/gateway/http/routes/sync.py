"""/sync: what changed while a device was away."""

from collections.abc import Mapping
from typing import Annotated

import msgspec

from gateway.http import encode
from gateway.http.answers import Answer
from gateway.http.logic_client import call
from gateway.http.request import Request
from gateway.http.routing import Route, Services
from gochat_contracts.logic import sync_pb2
from gochat_core.bodies import read_body, read_members
from gochat_core.errors import FieldFault, InvalidRequest

MAX_CURSORS = 1_000
"""Of one request (protocol, `/sync`)."""

MAX_SYNC_BYTES = 256 * 1024
"""Room for MAX_CURSORS, each an id and two numbers of 19 digits at most, however a client writes its JSON."""

Count = Annotated[int, msgspec.Meta(ge=0, le=(1 << 63) - 1)]


class SyncBody(msgspec.Struct, frozen=True, kw_only=True):
    """POST /sync."""

    token: str | None = None
    cursors: dict[str, msgspec.Raw] | None = None


class CursorBody(msgspec.Struct, frozen=True, kw_only=True):
    """How far a device has one conversation."""

    seq: Count
    change: Count


def sync_conversations(request: Request, services: Services) -> Answer:
    """Tell what changed since the token, or everything."""
    body = read_body(SyncBody, request.body(max_bytes=MAX_SYNC_BYTES))
    message = sync_pb2.SyncConversationsRequest(token=body.token, cursors=_cursors(body.cursors or {}))
    answer = call(services.logic.sync.SyncConversations, message, request)
    return Answer(
        value={
            "token": answer.token,
            "conversations": [
                {
                    "conversation": encode.conversation(one.conversation),
                    "messages": [encode.message(stored) for stored in one.messages],
                    "changed": [encode.message(stored) for stored in one.changed],
                    "has_more": one.has_more,
                }
                for one in answer.conversations
            ],
            "removed": list(answer.removed_conversation_ids),
            "has_more": answer.has_more,
        }
    )


def _cursors(named: Mapping[str, msgspec.Raw]) -> list[sync_pb2.SyncCursor]:
    """Read each cursor; raises `InvalidRequest` with every fault of every one."""
    if len(named) > MAX_CURSORS:
        message = f"may name at most {MAX_CURSORS:,} conversations"
        raise InvalidRequest(faults=[FieldFault(field="cursors", message=message)])
    cursors: list[sync_pb2.SyncCursor] = []
    faults: list[FieldFault] = []
    for conversation_id, value in named.items():
        field = f"cursors.{conversation_id}"
        try:
            cursor = read_members(CursorBody, _members(field, value), prefix=f"{field}.")
        except InvalidRequest as fault:
            faults += fault.faults
        else:
            cursors.append(sync_pb2.SyncCursor(conversation_id=conversation_id, seq=cursor.seq, change=cursor.change))
    if faults:
        raise InvalidRequest(faults=faults)
    return cursors


def _members(field: str, value: msgspec.Raw) -> dict[str, msgspec.Raw]:
    try:
        return _decode_members(value)
    except msgspec.MsgspecError:
        raise InvalidRequest(faults=[FieldFault(field=field, message="must be an object")]) from None


_decode_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode

ROUTES = (Route(method="POST", path="/sync", answer=sync_conversations, reads=True),)
