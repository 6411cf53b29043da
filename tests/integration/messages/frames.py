"""Frames of people, as the gateway produced them: records of the upstream topic."""

from collections.abc import Iterator, Mapping
from itertools import count

import msgspec

from gochat_aws.kafka_event import IncomingRecord
from gochat_contracts.commands import (
    AddReaction,
    Command,
    EditMessage,
    MarkDelivered,
    MarkRead,
    RecallMessage,
    RemoveReaction,
    SendMessage,
    Typing,
)
from gochat_contracts.records import (
    UPSTREAM_TOPIC,
    Sender,
    UpstreamRecord,
    encode,
)
from gochat_core.ids import single_conversation_id
from gochat_core.types import CellId, ClientMsgId, ConnectionId, ConversationId, DeviceId, Seq, SessionId, UserId
from tests.fakes.clock import SettableClock

ALICE, BOB, CAROL = UserId(1), UserId(2), UserId(3)
PHONE, LAPTOP = DeviceId("phone"), DeviceId("laptop")
G1 = CellId("g1")
CHAT = single_conversation_id(ALICE, BOB)

_OFFSETS = count()


def command(
    client_msg_id: str,
    *,
    text: str = "hello",
    conversation_id: ConversationId = CHAT,
    to: UserId | None = None,
    type_: str = "text",
) -> SendMessage:
    """Return what a client asks for."""
    return SendMessage(
        conversation_id=conversation_id,
        client_msg_id=ClientMsgId(client_msg_id),
        type=type_,
        content=msgspec.Raw(msgspec.json.encode({"text": text})),
        to=to,
    )


def incoming(
    value: bytes | None, *, key: bytes | None = b"key", headers: Mapping[str, bytes] | None = None
) -> IncomingRecord:
    """Return a record of the upstream topic."""
    return IncomingRecord(
        topic=UPSTREAM_TOPIC,
        partition=0,
        offset=next(_OFFSETS),
        timestamp_ms=0,
        key=key,
        value=value,
        headers=headers or {},
    )


def frame(
    client_msg_id: str,
    *,
    sender: UserId = ALICE,
    peer: UserId = BOB,
    text: str = "hello",
    device: DeviceId = PHONE,
    names_peer: bool = True,
    type_: str = "text",
) -> IncomingRecord:
    """Return an accepted `message.send` from one user to another, as the gateway produced it."""
    return act(
        command(
            client_msg_id,
            text=text,
            conversation_id=single_conversation_id(sender, peer),
            to=peer if names_peer else None,
            type_=type_,
        ),
        sender=sender,
        device=device,
    )


def act(
    asked: Command,
    *,
    sender: UserId = ALICE,
    device: DeviceId = PHONE,
    frame_id: str = "f1",
    at_ms: int | None = None,
) -> IncomingRecord:
    """Return any accepted frame, as the gateway produced it."""
    record = UpstreamRecord(
        frame_id=frame_id,
        sender=Sender(
            user_id=sender,
            device_id=device,
            session_id=SessionId(1),
            connection_id=ConnectionId("at-that-time="),
            cell_id=G1,
        ),
        accepted_at_ms=SettableClock().now_ms() if at_ms is None else at_ms,
        command=asked,
    )
    return incoming(encode(record), key=asked.conversation_id.encode())


def read(seq: int, *, by: UserId = BOB, device: DeviceId = PHONE, chat: ConversationId = CHAT) -> IncomingRecord:
    """Return a `message.read`."""
    return act(MarkRead(conversation_id=chat, seq=Seq(seq)), sender=by, device=device)


def delivered(seq: int, *, by: UserId = BOB, device: DeviceId = PHONE, chat: ConversationId = CHAT) -> IncomingRecord:
    """Return a `message.delivered`."""
    return act(MarkDelivered(conversation_id=chat, seq=Seq(seq)), sender=by, device=device)


def recall(seq: int, *, by: UserId = ALICE, chat: ConversationId = CHAT, at_ms: int | None = None) -> IncomingRecord:
    """Return a `message.recall`."""
    return act(RecallMessage(conversation_id=chat, seq=Seq(seq)), sender=by, at_ms=at_ms)


def edit(seq: int, text: str, *, by: UserId = ALICE, chat: ConversationId = CHAT) -> IncomingRecord:
    """Return a `message.edit`."""
    content = msgspec.Raw(msgspec.json.encode({"text": text}))
    return act(EditMessage(conversation_id=chat, seq=Seq(seq), content=content), sender=by)


def react(seq: int, emoji: str = "👍", *, by: UserId = BOB, chat: ConversationId = CHAT) -> IncomingRecord:
    """Return a `reaction.add`."""
    return act(AddReaction(conversation_id=chat, seq=Seq(seq), emoji=emoji), sender=by)


def unreact(seq: int, emoji: str = "👍", *, by: UserId = BOB, chat: ConversationId = CHAT) -> IncomingRecord:
    """Return a `reaction.remove`."""
    return act(RemoveReaction(conversation_id=chat, seq=Seq(seq), emoji=emoji), sender=by)


def typing(*, by: UserId = BOB, chat: ConversationId = CHAT, at_ms: int | None = None) -> IncomingRecord:
    """Return a `typing`."""
    return act(Typing(conversation_id=chat), sender=by, at_ms=at_ms)


def pairs(number: int) -> Iterator[tuple[UserId, UserId]]:
    """Yield pairs of users, none of whom is in two of them."""
    for index in range(number):
        yield UserId(1000 + 2 * index), UserId(1001 + 2 * index)
