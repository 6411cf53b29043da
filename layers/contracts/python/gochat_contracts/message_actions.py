"""What a client may ask for beside sending: the rules of each such action's data, the same over WebSocket and REST."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

import msgspec

from gochat_contracts.commands import (
    AddReaction,
    EditMessage,
    MarkDelivered,
    MarkRead,
    RecallMessage,
    RemoveReaction,
    Typing,
)
from gochat_contracts.content_types import check_content
from gochat_contracts.emoji import is_emoji
from gochat_contracts.message_content import MAX_MENTIONS, MAX_SENT_OUT_BYTES, SeqNumber, sent_out_bytes
from gochat_core.bodies import read_members, read_object
from gochat_core.errors import FieldFault, InvalidRequest
from gochat_core.ids import parse_conversation_id
from gochat_core.types import Seq

Data = bytes | str | msgspec.Raw
"""The JSON of a frame's `data`, or the body of a REST call."""

_LONGEST_CLIENT_MSG_ID = "x" * 64
_MOST_MENTIONS = ["9" * 19] * MAX_MENTIONS
"""What stands beside an edited text can't be told at the door, so that the most is taken for granted."""


class _Place(msgspec.Struct, frozen=True, kw_only=True):
    conversation_id: str


class _Message(_Place, frozen=True, kw_only=True):
    seq: SeqNumber


class _Edit(_Message, frozen=True, kw_only=True):
    content: msgspec.Raw


class _Reaction(_Message, frozen=True, kw_only=True):
    emoji: str


_GivenT = TypeVar("_GivenT", bound=_Place)

_encode = msgspec.json.Encoder().encode
_decode_text = msgspec.json.Decoder(str).decode


def parse_mark_delivered(data: Data, *, conversation_id: str | None = None) -> MarkDelivered:
    """Read the data of a `message.delivered`.

    Of every function here: with `conversation_id` given (the path of a REST call) the one in the data is ignored.
    Raises `InvalidRequest` with every fault, `ConversationNotFound` for an id that no conversation can have. Pure.
    """
    given = _take(_Message, _members(data, conversation_id))
    return MarkDelivered(conversation_id=parse_conversation_id(given.conversation_id), seq=Seq(given.seq))


def parse_mark_read(data: Data, *, conversation_id: str | None = None) -> MarkRead:
    """Read the data of a `message.read`."""
    given = _take(_Message, _members(data, conversation_id))
    return MarkRead(conversation_id=parse_conversation_id(given.conversation_id), seq=Seq(given.seq))


def parse_recall_message(data: Data, *, conversation_id: str | None = None) -> RecallMessage:
    """Read the data of a `message.recall`."""
    given = _take(_Message, _members(data, conversation_id))
    return RecallMessage(conversation_id=parse_conversation_id(given.conversation_id), seq=Seq(given.seq))


def parse_edit_message(data: Data, *, conversation_id: str | None = None) -> EditMessage:
    """Read the data of a `message.edit`; the content must be a text's, and is kept in the same bytes as a sent one."""
    members = _members(data, conversation_id)
    faults: list[FieldFault] = []
    content = _text_content(members, faults)
    given = _take(_Edit, members, faults)
    return EditMessage(
        conversation_id=parse_conversation_id(given.conversation_id), seq=Seq(given.seq), content=msgspec.Raw(content)
    )


def parse_add_reaction(data: Data, *, conversation_id: str | None = None) -> AddReaction:
    """Read the data of a `reaction.add`."""
    given = _take_reaction(_members(data, conversation_id))
    return AddReaction(
        conversation_id=parse_conversation_id(given.conversation_id), seq=Seq(given.seq), emoji=given.emoji
    )


def parse_remove_reaction(data: Data, *, conversation_id: str | None = None) -> RemoveReaction:
    """Read the data of a `reaction.remove`."""
    given = _take_reaction(_members(data, conversation_id))
    return RemoveReaction(
        conversation_id=parse_conversation_id(given.conversation_id), seq=Seq(given.seq), emoji=given.emoji
    )


def parse_typing(data: Data) -> Typing:
    """Read the data of a `typing`."""
    given = _take(_Place, _members(data, None))
    return Typing(conversation_id=parse_conversation_id(given.conversation_id))


def _members(data: Data, conversation_id: str | None) -> dict[str, msgspec.Raw]:
    members = read_object(bytes(data) if isinstance(data, msgspec.Raw) else data)
    if conversation_id is not None:
        members["conversation_id"] = msgspec.Raw(_encode(conversation_id))
    return members


def _take(shape: type[_GivenT], members: Mapping[str, msgspec.Raw], faults: Sequence[FieldFault] = ()) -> _GivenT:
    """Return the members as `shape`; raises for what is wrong with them together with the faults found before."""
    try:
        given = read_members(shape, members)
    except InvalidRequest as refusal:
        raise InvalidRequest(faults=(*refusal.faults, *faults)) from None
    if faults:
        raise InvalidRequest(faults=faults)
    return given


def _take_reaction(members: Mapping[str, msgspec.Raw]) -> _Reaction:
    faults: list[FieldFault] = []
    try:
        emoji = _decode_text(members.get("emoji", b""))
    except (msgspec.MsgspecError, UnicodeError):
        # Missing or no text: told by its type.
        pass
    else:
        if not is_emoji(emoji):
            faults.append(FieldFault(field="emoji", message="must be an emoji"))
    return _take(_Reaction, members, faults)


def _text_content(members: Mapping[str, msgspec.Raw], faults: list[FieldFault]) -> bytes:
    if "content" not in members:
        return b""
    content = check_content("text", bytes(members["content"]), faults)
    if not faults and sent_out_bytes(_LONGEST_CLIENT_MSG_ID, content, _MOST_MENTIONS) > MAX_SENT_OUT_BYTES:
        faults.append(FieldFault(field="content", message=f"makes a message of more than {MAX_SENT_OUT_BYTES} bytes"))
    return content
