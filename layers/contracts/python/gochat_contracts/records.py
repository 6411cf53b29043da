"""The Kafka records: what stands in each topic, typed and versioned.

Rules that keep old and new code talking while a deployment rolls: fields are only ever added, always with a default;
unknown fields are ignored; a record whose `v` or kind is unknown is never guessed at but goes to the dead-letter topic.
Ids are numbers here and become strings only in what clients see.
"""

from typing import Literal, TypeVar

import msgspec

from gochat_contracts.commands import Command
from gochat_core.types import (
    CellId,
    ConnectionId,
    ConversationId,
    DeviceId,
    Seq,
    SessionId,
    UserId,
)

UPSTREAM_TOPIC = "im-upstream-topic"
"""Every action of a client; key: the conversation's id, so that one conversation's actions keep their order."""

TASK_TOPIC = "im-task-topic"
"""Work that no client waits for; key: the conversation's id."""

PUSH_TOPIC = "im-push-topic"
"""Pushes that were decided on, one a device; key: the recipient's user id."""

DEAD_LETTER_TOPIC = "im-dead-letter-topic"
"""Records that can never succeed, with the reason; key: the key of the record."""


def downstream_topic(cell_id: CellId) -> str:
    """Return the topic that a cell's `deliver` reads; key: the recipient's user id."""
    return f"im-downstream-topic-{cell_id}"


def bulk_downstream_topic(cell_id: CellId) -> str:
    """Return the topic that takes what large groups send through a cell, so that nobody's chat queues behind it."""
    return f"im-downstream-bulk-topic-{cell_id}"


MAX_RECORD_BYTES = 256 * 1024
"""Where a downstream record is split: a quarter of Kafka's default of 1 MiB (`message.max.bytes`)."""

MESSAGE_LIFETIME_MS = 120_000
"""How long a downstream item is worth posting; older ones take the offline path."""

PUSH_LIFETIME_MS = 24 * 3_600_000
"""How long after its message a push is worth sending, and until when a provider keeps it for a phone that is off."""

TYPING_LIFETIME_MS = 5_000
"""How long `typing` is worth posting (protocol: it is never stored)."""


class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of every record's value; the value is JSON."""

    v: int = 1


class Sender(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who acts, as the authorizer verified it; `connection_id` and `cell_id` are None for what came over REST."""

    user_id: UserId
    device_id: DeviceId
    session_id: SessionId
    connection_id: ConnectionId | None = None
    cell_id: CellId | None = None


class UpstreamRecord(Record, frozen=True, kw_only=True, omit_defaults=True):
    """One accepted frame of a client, in `im-upstream-topic`."""

    frame_id: str
    sender: Sender
    accepted_at_ms: int
    command: Command


class ConnectionRef(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One open connection of the recipient, as it was when the record was made."""

    connection_id: ConnectionId
    device_id: DeviceId
    connected_at_ms: int


class MessageRef(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Names one stored message."""

    conversation_id: ConversationId
    seq: Seq


class DownstreamItem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One event for the recipient.

    `data` is the event's data as clients see it, but for `message.new`, where it is *one* message: `deliver` puts
    several into one frame. `to` names the devices it is for, as indexes into the record's connections; None means all.
    `message` names the stored message, which then takes the offline path when it can't be posted. What can't be posted
    in time ends its connection, whose client then catches up; `typing` and frames are dropped. `close` ends the
    connection after the event; `once_usable` names a connection that should be usable first. With `is_frame`, `data` is
    the whole frame, event and all: the answer to one of the client's.
    """

    event: str
    data: msgspec.Raw
    expires_at_ms: int
    to: tuple[int, ...] | None = None
    message: MessageRef | None = None
    accepted_at_ms: int | None = None
    trace: str | None = None
    close: bool = False
    is_frame: bool = False
    once_usable: ConnectionRef | None = None


class Recipient(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One user on one cell, with the connections that were open when the record was made."""

    user_id: UserId
    connections: tuple[ConnectionRef, ...]


class DownstreamRecord(Record, frozen=True, kw_only=True, omit_defaults=True):
    """All that one batch has for one user on one cell, in `im-downstream-topic-{cell_id}`; items in their order.

    `also` are told just the same, which saves a record for each member of a large group; items then have no `to`.
    """

    user_id: UserId
    connections: tuple[ConnectionRef, ...]
    items: tuple[DownstreamItem, ...]
    also: tuple[Recipient, ...] = ()


class OfflineTask(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="offline"):
    """Messages of one conversation that reached none of these users' devices; may come twice."""

    conversation_id: ConversationId
    seqs: tuple[Seq, ...]
    user_ids: tuple[UserId, ...]


class FanOutMessage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A stored message for everybody who was a member at its seq; its sender's other devices hear it too."""

    seq: Seq
    origin_device_id: DeviceId | None = None
    accepted_at_ms: int | None = None
    trace: str | None = None


class FanOutEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An event for everybody who was a member at `at_seq`, the conversation's last seq when it was stored.

    With `about_seq` it is about a message, and only for those who may see that one. `expires_at_ms` None means
    `MESSAGE_LIFETIME_MS` from when it is sent.
    """

    event: str
    data: msgspec.Raw
    at_seq: Seq
    about_seq: Seq | None = None
    expires_at_ms: int | None = None
    accepted_at_ms: int | None = None
    trace: str | None = None


class FanOutTask(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="fan_out"):
    """What one batch stored in one large conversation, for all its members; `worker` cuts it into pages.

    `members_version` is that of the conversation when it was stored: the boundaries of the pages are cached under it.
    """

    conversation_id: ConversationId
    members_version: int
    messages: tuple[FanOutMessage, ...] = ()
    events: tuple[FanOutEvent, ...] = ()


class FanOutPage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="fan_out_page"):
    """A fan-out for the members with `after_user_id < user_id <= up_to_user_id`; None: no bound on that side.

    Key: `{conversation_id}:{page}`, so that pages spread over the partitions and one page's keep their order. `cut`
    names the fan-out and where it was cut: a repeat that cuts alike finds which of these pages are done. `members` is
    about how many there are.
    """

    fan_out: FanOutTask
    cut: str
    page: int
    members: int
    after_user_id: UserId | None = None
    up_to_user_id: UserId | None = None


Task = OfflineTask | FanOutTask | FanOutPage
"""Everything that stands in `im-task-topic`, tagged by `kind`."""


class TaskRecord(Record, frozen=True, kw_only=True, omit_defaults=True):
    """One piece of work, in `im-task-topic`; `task_id` is the same when the same work is written again."""

    task_id: str
    created_at_ms: int
    task: Task
    trace: str | None = None


class PushRecord(Record, frozen=True, kw_only=True, omit_defaults=True):
    """One push for one device, in `im-push-topic`; it collapses with others of its conversation.

    `seq` is that of the last message it tells of, `count` of how many. Neither token nor badge stands here: both are
    asked for right before sending. `silent` shows without a sound.
    """

    task_id: str
    user_id: UserId
    device_id: DeviceId
    conversation_id: ConversationId
    seq: Seq
    kind: Literal["alert", "silent"]
    title: str
    body: str
    created_at_ms: int
    expires_at_ms: int
    count: int = 1
    trace: str | None = None


class DeadLetter(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A record that can never succeed, as it came (key, value and headers in base64), with what was wrong.

    `detail` may quote what somebody wrote.
    """

    topic: str
    partition: int
    offset: int
    key: str | None
    value: str | None
    reason: str
    detail: str
    failed_at_ms: int
    headers: dict[str, str] = {}


RecordT = TypeVar("RecordT", bound=Record)

SUPPORTED: Literal[1] = 1


class UnreadableRecordError(ValueError):
    """The bytes are no record of this kind, or of a version that this code does not know."""


_encoder = msgspec.json.Encoder()


def encode(record: Record) -> bytes:
    """Write a record's value."""
    return _encoder.encode(record)


def decode(kind: type[RecordT], value: bytes) -> RecordT:
    """Read a record's value; raises `UnreadableRecordError` for what can't be read however often it is tried."""
    try:
        record = msgspec.json.decode(value, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as fault:
        raise UnreadableRecordError(f"not a {kind.__name__}: {fault}") from fault
    if record.v != SUPPORTED:
        raise UnreadableRecordError(f"{kind.__name__} of version {record.v}")
    return record
