"""What a client may send as a message: the rules of `message.send`, the same over WebSocket and REST."""

import re
from collections.abc import Callable, Sequence
from typing import Annotated, TypeVar

import msgspec

from gochat_contracts.commands import SendMessage
from gochat_contracts.content_types import MAX_INT, MESSAGE_TYPES, check_content
from gochat_contracts.views import MessageView
from gochat_core.bodies import read_members, read_object
from gochat_core.errors import FieldFault, InvalidRequest, UserNotFound
from gochat_core.ids import CLIENT_ID, parse_conversation_id, parse_user_id, single_conversation_id
from gochat_core.types import ClientMsgId, ConversationId, Seq, UserId

T = TypeVar("T")

MAX_MENTIONS = 50
MAX_SENT_OUT_BYTES = 30 * 1024
"""Limits of the protocol, "Client frames"; a message as sent out leaves room for the frame's 32 KiB."""

ONE_TARGET = "either this or `to` is required, and not both"

SeqNumber = Annotated[int, msgspec.Meta(ge=1, le=MAX_INT)]
"""The number of a message in its conversation, as a client names it."""


class _SendData(msgspec.Struct, frozen=True, kw_only=True):
    """The members of `data`, before their rules are checked."""

    client_msg_id: str
    type: str
    content: msgspec.Raw
    conversation_id: str | None = None
    to: str | None = None
    reply_to_seq: SeqNumber | None = None
    mentions: list[str] | None = None


_encode = msgspec.json.Encoder().encode


def parse_send_message(
    data: bytes | str | msgspec.Raw, *, sender_id: UserId, conversation_id: str | None = None
) -> SendMessage:
    """Read the JSON of a `message.send`'s data, or the body of a REST send, whose path names the conversation.

    With `conversation_id` given, `conversation_id` and `to` in the data are ignored. Raises `InvalidRequest` with every
    fault, `UserNotFound` or `ConversationNotFound` for an id that can't be anybody's. Pure; safe to repeat.
    """
    members = read_object(bytes(data) if isinstance(data, msgspec.Raw) else data)
    if conversation_id is not None:
        members.pop("to", None)
        members.pop("conversation_id", None)
    faults: list[FieldFault] = []
    given = _collect(faults, lambda: read_members(_SendData, members))
    if given is None:
        # Some members are ill-typed; what can be told of the others is told in the same answer.
        if conversation_id is None and ("conversation_id" in members) == ("to" in members):
            faults.append(FieldFault(field="conversation_id", message=ONE_TARGET))
        _check_content_alone(members, faults)
        raise InvalidRequest(faults=faults)
    return make_send_message(
        sender_id=sender_id,
        conversation_id=conversation_id if conversation_id is not None else given.conversation_id,
        to=given.to,
        client_msg_id=given.client_msg_id,
        type_=given.type,
        content=bytes(given.content),
        reply_to_seq=given.reply_to_seq,
        mentions=given.mentions or (),
    )


def make_send_message(
    *,
    sender_id: UserId,
    conversation_id: str | None,
    to: str | None = None,
    client_msg_id: str,
    type_: str,
    content: bytes,
    reply_to_seq: int | None = None,
    mentions: Sequence[str] = (),
) -> SendMessage:
    """Check the parts of a message that came decoded (gRPC) and return the command; raises as `parse_send_message`.

    The content of the command is compact JSON in unescaped UTF-8, so that the same content always has the same bytes.
    """
    faults: list[FieldFault] = []
    if not CLIENT_ID.fullmatch(client_msg_id):
        faults.append(FieldFault(field="client_msg_id", message=f"must match {CLIENT_ID.pattern}"))
    if reply_to_seq is not None and not 1 <= reply_to_seq <= MAX_INT:
        faults.append(FieldFault(field="reply_to_seq", message="must be a seq of the conversation, 1 or more"))
    checked_content = check_content(type_, content, faults)
    mentioned, mention_all = _check_mentions(mentions, faults)
    target = _check_target(sender_id, conversation_id, to, faults)
    if not faults and sent_out_bytes(client_msg_id, checked_content, mentions) > MAX_SENT_OUT_BYTES:
        faults.append(FieldFault(field="content", message=f"makes a message of more than {MAX_SENT_OUT_BYTES} bytes"))
    if faults:
        raise InvalidRequest(faults=faults)
    found_conversation, found_peer = target()
    return SendMessage(
        conversation_id=found_conversation,
        to=found_peer,
        client_msg_id=ClientMsgId(client_msg_id),
        type=type_,
        content=msgspec.Raw(checked_content),
        reply_to_seq=None if reply_to_seq is None else Seq(reply_to_seq),
        mentions=mentioned,
        mention_all=mention_all,
    )


def _check_target(
    sender_id: UserId, conversation_id: str | None, to: str | None, faults: list[FieldFault]
) -> Callable[[], tuple[ConversationId, UserId | None]]:
    """Note what is wrong with the target; return what finds it, or raises not-found, once there is no fault."""
    if (conversation_id is None) == (to is None):
        faults.append(FieldFault(field="conversation_id", message=ONE_TARGET))
    if to == str(sender_id):
        faults.append(FieldFault(field="to", message="must be somebody else"))

    def target() -> tuple[ConversationId, UserId | None]:
        if to is None:
            return parse_conversation_id(conversation_id or ""), None
        peer = parse_user_id(to)
        return single_conversation_id(sender_id, peer), peer

    return target


def _check_mentions(mentions: Sequence[str], faults: list[FieldFault]) -> tuple[tuple[UserId, ...], bool]:
    if set(mentions) == {"all"}:
        return (), True
    if len(mentions) > MAX_MENTIONS:
        faults.append(FieldFault(field="mentions", message=f"may name at most {MAX_MENTIONS} users"))
        return (), False
    found: dict[UserId, None] = {}
    for place, text in enumerate(mentions):
        try:
            found[parse_user_id(text)] = None
        except UserNotFound:
            faults.append(FieldFault(field=f"mentions.{place}", message='must be a user id; "all" stands alone'))
    return tuple(found), False


def _check_content_alone(members: dict[str, msgspec.Raw], faults: list[FieldFault]) -> None:
    """Add the faults of the content, as far as they can be told while other members are at fault."""
    if "content" not in members:
        return
    type_ = re.fullmatch(rb'"([a-z]+)"', bytes(members["type"])) if "type" in members else None
    # Without a type of ours there is one rule for all contents, which that of `custom` is.
    known = type_[1].decode() if type_ and type_[1].decode() in MESSAGE_TYPES else "custom"
    check_content(known, bytes(members["content"]), faults)


def _collect(faults: list[FieldFault], read: Callable[[], T]) -> T | None:
    try:
        return read()
    except InvalidRequest as fault:
        faults.extend(fault.faults)
        return None


def sent_out_bytes(client_msg_id: str, content: bytes, mentions: Sequence[str]) -> int:
    """Return what a message weighs as the only one of a `message.new`."""
    return _ENVELOPE_BYTES + len(client_msg_id) + len(content) + sum(len(mention) + 3 for mention in mentions)


_ENVELOPE_BYTES = len(
    _encode(
        {
            "event": "message.new",
            "data": {
                "messages": [
                    MessageView(
                        message_id="9" * 19,
                        conversation_id="f" * 32,
                        seq=MAX_INT,
                        sender_id="9" * 19,
                        client_msg_id="",
                        type="location",
                        content=msgspec.Raw(b"{}"),
                        reply_to_seq=MAX_INT,
                        mentions=[],
                        created_at="2026-11-23T07:00:00.123Z",
                        edited_at="2026-11-23T07:00:00.123Z",
                        recalled=False,
                        reactions=[],
                        change=MAX_INT,
                    )
                ]
            },
        }
    )
)
"""What a message weighs beside its content, mentions and client_msg_id, with the longest ids and numbers."""
