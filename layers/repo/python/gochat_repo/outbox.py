"""The outbox: what is stored and not yet known to be announced, so that a crash in between loses nothing."""

from collections.abc import Collection, Sequence
from typing import Literal

import msgspec

from gochat_core.types import ConversationId, DeviceId, Seq, UserId
from gochat_repo.mysql import Database, DeferredWrite, Transaction

OutboxKind = Literal["message", "change", "created", "entry", "notice", "group"]

OVERDUE_MS = 30_000
"""An older row belongs to an announcement that failed or whose function died."""

REDRIVEN_AT_ONCE = 50
"""Overdue rows that one batch takes over: it must not become slow because another one failed."""

_DELETE = "DELETE FROM outbox WHERE (conversation_id, kind, number) IN %s AND (kind <> 'entry' OR created_at_ms <= %s)"


class OutboxEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to be announced. By its kind, `number` and the audience are:

    - `message`: the message's seq; `message.new` to all members, not to `origin_device_id`, which sent it (REST: None);
    - `change`: the change's number; the event of `payload` to every device of all members who may see its message;
    - `created`: 0 (single chats), or a user's id; `conversation.created` to both, or that one, as that member sees it;
    - `entry`: a user's id; `conversation.updated` to that user's devices alone;
    - `group`: an id of its own; the event of `payload` to all present members, and whom the payload names besides;
    - `notice`: an id of its own; what is said to somebody whether a member or not, as between contacts.

    `payload` is JSON, where what is to be said can't be read again from what is stored: `{"event", "data"}` of a
    `change`, with `members`, `user_ids` and `at_seq` of a `group`, a list of `{"user_id", "event", "data"}` of a
    `notice`.
    """

    conversation_id: ConversationId
    kind: OutboxKind
    number: int
    origin_device_id: DeviceId | None = None
    payload: bytes | None = None

    @property
    def key(self) -> tuple[bytes, str, int]:
        """The row's primary key."""
        return bytes.fromhex(self.conversation_id), self.kind, self.number


class Outstanding(msgspec.Struct, frozen=True, kw_only=True):
    """A row that stands, and since when, however often its announcement was taken over since."""

    conversation_id: ConversationId
    kind: OutboxKind
    number: int
    noted_at_ms: int


class NoticePayload(msgspec.Struct, frozen=True, kw_only=True):
    """What a `notice` says to all devices of one user."""

    user_id: UserId
    event: str
    data: msgspec.Raw


class EventPayload(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a `change` says, in a large group with the last seq when it was stored."""

    event: str
    data: msgspec.Raw
    at_seq: Seq | None = None


class GroupPayload(msgspec.Struct, frozen=True, kw_only=True):
    """What a `group` says, whether to the present `members`, and to whom besides, members or not.

    `at_seq` is the seq of the message that tells the same in the group's history.
    """

    event: str
    data: msgspec.Raw
    at_seq: Seq | None = None
    members: bool = True
    user_ids: tuple[UserId, ...] = ()


def insert_outbox(tx: Transaction, entries: Sequence[OutboxEntry], *, now_ms: int) -> None:
    """Note, in the transaction that makes them true, what is to be announced; one statement.

    An `entry` that is there already names no version: it is made as young as this transaction, and the announcement of
    the older state then does not tick it off.
    """
    tx.execute_rows(
        "INSERT INTO outbox"
        " (conversation_id, kind, number, origin_device_id, payload, created_at_ms, noted_at_ms) VALUES",
        [
            (*one.key, one.origin_device_id, None if one.payload is None else one.payload.decode(), now_ms, now_ms)
            for one in sorted(entries, key=lambda one: one.key)
        ],
        "ON DUPLICATE KEY UPDATE origin_device_id = VALUES(origin_device_id), payload = VALUES(payload),"
        " created_at_ms = GREATEST(created_at_ms, VALUES(created_at_ms))",
    )


def start_delete_outbox(database: Database, entries: Collection[OutboxEntry], *, noted_by_ms: int) -> DeferredWrite:
    """Send the deletion of announced rows without waiting; it happens with the `commit` of what is returned.

    Sent while the broker is still busy with the announcement and committed once it is held, the deletion costs no time;
    when it is lost, the rows are announced again after OVERDUE_MS, which clients bear. An `entry` that was noted once
    more after `noted_by_ms` (when what is announced was read) stays.
    """
    return database.write_deferred(_DELETE, (tuple(one.key for one in entries), noted_by_ms))


def claim_overdue(tx: Transaction, *, now_ms: int) -> list[OutboxEntry]:
    """Take over rows whose announcement is overdue, oldest first; nobody else takes them for another OVERDUE_MS.

    Rows that somebody is deleting or claiming right now are skipped, not waited for.
    """
    rows = tx.query(
        "SELECT conversation_id, kind, number, origin_device_id, payload FROM outbox WHERE created_at_ms < %s"
        " ORDER BY created_at_ms LIMIT %s FOR UPDATE SKIP LOCKED",
        (now_ms - OVERDUE_MS, REDRIVEN_AT_ONCE),
    )
    if rows:
        tx.execute(
            "UPDATE outbox SET created_at_ms = %s WHERE (conversation_id, kind, number) IN %s",
            (now_ms, tuple((row[0], row[1], row[2]) for row in rows)),
        )
    return [
        OutboxEntry(
            conversation_id=ConversationId(row[0].hex()),
            kind=row[1],
            number=row[2],
            origin_device_id=row[3],
            payload=None if row[4] is None else row[4].encode(),
        )
        for row in rows
    ]


def list_outstanding(tx: Transaction, *, limit: int) -> list[Outstanding]:
    """List what is not known to be announced, what was taken over longest ago first.

    A healthy outbox holds what the last second stored, so what stands for minutes is among the first few hundred.
    """
    rows = tx.query(
        "SELECT conversation_id, kind, number, created_at_ms, noted_at_ms FROM outbox FORCE INDEX (outbox_age)"
        " ORDER BY created_at_ms LIMIT %s",
        (limit,),
    )
    return [
        # What older code has noted knows no better time.
        Outstanding(
            conversation_id=ConversationId(row[0].hex()), kind=row[1], number=row[2], noted_at_ms=row[4] or row[3]
        )
        for row in rows
    ]
