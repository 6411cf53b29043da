"""Conversations: the row whose lock gives every message its place, and what a member sees of it."""

from collections.abc import Collection, Iterable, Sequence

import msgspec

from gochat_core.types import ConversationId, Seq, UserId
from gochat_repo.mysql import Transaction, values_table
from gochat_repo.mysql_errors import DuplicateKey, LockConflict


class LockedConversation(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation whose row this transaction holds."""

    conversation_id: ConversationId
    type: str
    last_seq: Seq
    change: int = 0
    expired_seq: int = 0
    member_count: int = 2
    is_large: bool = False
    members_version: int = 0


class NewSingleConversation(msgspec.Struct, frozen=True, kw_only=True):
    """A single chat that has no row yet."""

    conversation_id: ConversationId
    members: tuple[UserId, UserId]


class MemberMove(msgspec.Struct, frozen=True, kw_only=True):
    """How far a member got, with 0 for what stays: no column ever goes back."""

    user_id: UserId
    read_seq: int = 0
    sent_seq: int = 0
    delivered_seq: int = 0
    activity_at_ms: int = 0
    changed_at_ms: int = 0


class ConversationMove(msgspec.Struct, frozen=True, kw_only=True):
    """How far a conversation got, with at least one member who moved.

    `updated_at_ms` is 0 where only cursors moved, `activity_at_ms` where no message came.
    """

    conversation_id: ConversationId
    type: str
    member_count: int
    last_seq: int
    change: int
    updated_at_ms: int
    activity_at_ms: int
    members: tuple[MemberMove, ...]


_MOVE_COLUMNS = (
    "conversation_id",
    "last_seq",
    "last_change",
    "updated_at_ms",
    "told_at_ms",
    "user_id",
    "read_seq",
    "sent_seq",
    "delivered_seq",
    "activity_at_ms",
    "changed_at_ms",
)
# FORCE INDEX: a scan would wait for the rows of conversations that others hold.
_MOVE = """
UPDATE ({values}) v
  STRAIGHT_JOIN conversations c FORCE INDEX (PRIMARY) ON c.conversation_id = v.conversation_id
  STRAIGHT_JOIN conversation_participants p FORCE INDEX (PRIMARY)
             ON p.conversation_id = v.conversation_id AND p.user_id = v.user_id
   SET c.last_seq = v.last_seq, c.last_change = v.last_change,
       c.updated_at_ms = GREATEST(c.updated_at_ms, v.updated_at_ms),
       c.activity_at_ms = GREATEST(c.activity_at_ms, v.told_at_ms),
       p.read_seq = GREATEST(p.read_seq, v.read_seq), p.sent_seq = GREATEST(p.sent_seq, v.sent_seq),
       p.delivered_seq = GREATEST(p.delivered_seq, v.delivered_seq),
       p.activity_at_ms = GREATEST(p.activity_at_ms, v.activity_at_ms),
       p.changed_at_ms = GREATEST(p.changed_at_ms, v.changed_at_ms)"""

_SAVE_CONVERSATIONS = (
    "INSERT INTO conversations"
    " (conversation_id, type, member_count, created_at_ms, last_seq, last_change, updated_at_ms, activity_at_ms) VALUES"
)
_SAVE_MEMBERS = (
    "INSERT INTO conversation_participants"
    " (conversation_id, user_id, read_seq, sent_seq, delivered_seq, activity_at_ms, changed_at_ms) VALUES"
)


def _greatest(*columns: str) -> str:
    return "ON DUPLICATE KEY UPDATE " + ", ".join(f"{one} = GREATEST({one}, VALUES({one}))" for one in columns)


def lock_conversations(
    tx: Transaction, conversation_ids: Collection[ConversationId]
) -> dict[ConversationId, LockedConversation]:
    """Lock the rows that exist, in the order of their ids, so that two batches never wait for each other in a ring.

    To be called before any plain read of the transaction: what is read behind the lock is then the latest.
    """
    rows = tx.query(
        "SELECT conversation_id, type, last_seq, last_change, expired_seq, member_count, is_large, members_version"
        " FROM conversations WHERE conversation_id IN %s ORDER BY conversation_id FOR UPDATE",
        (tuple(bytes.fromhex(conversation_id) for conversation_id in sorted(conversation_ids)),),
    )
    locked = [
        LockedConversation(
            conversation_id=ConversationId(row[0].hex()),
            type=row[1],
            last_seq=row[2],
            change=row[3],
            expired_seq=row[4],
            member_count=row[5],
            is_large=bool(row[6]),
            members_version=row[7],
        )
        for row in rows
    ]
    return {one.conversation_id: one for one in locked}


def insert_single_conversations(tx: Transaction, new: Sequence[NewSingleConversation], *, now_ms: int) -> None:
    """Insert single chats with their two members, in two statements; their rows are then locked by this transaction.

    When somebody else made one of them a moment ago, raises `LockConflict`: run again, the transaction finds it.
    """
    ordered = sorted(new, key=lambda one: one.conversation_id)
    try:
        tx.execute_rows(
            "INSERT INTO conversations (conversation_id, type, member_count, created_at_ms, updated_at_ms) VALUES",
            [(bytes.fromhex(one.conversation_id), "single", 2, now_ms, now_ms) for one in ordered],
        )
    except DuplicateKey as fault:
        raise LockConflict from fault
    tx.execute_rows(
        "INSERT INTO conversation_participants (conversation_id, user_id, activity_at_ms) VALUES",
        [(bytes.fromhex(one.conversation_id), user_id, now_ms) for one in ordered for user_id in sorted(one.members)],
    )


def move_conversations(tx: Transaction, moves: Sequence[ConversationMove]) -> None:
    """Move conversations that have rows, and their members, in one statement."""
    rows = [
        (
            bytes.fromhex(one.conversation_id),
            one.last_seq,
            one.change,
            one.updated_at_ms,
            one.activity_at_ms,
            *msgspec.structs.astuple(member),
        )
        for one in _ordered(moves)
        for member in one.members
    ]
    tx.execute(_MOVE.format(values=values_table(_MOVE_COLUMNS, len(rows))), [value for row in rows for value in row])


def save_conversations(tx: Transaction, moves: Sequence[ConversationMove], *, now_ms: int) -> None:
    """Move conversations some of which have no row yet, in two statements; the new ones are then locked.

    One that somebody else made a moment ago, without a message, is moved like the others.
    """
    tx.execute_rows(
        _SAVE_CONVERSATIONS,
        [
            (
                bytes.fromhex(one.conversation_id),
                one.type,
                one.member_count,
                now_ms,
                one.last_seq,
                one.change,
                one.updated_at_ms,
                one.activity_at_ms,
            )
            for one in _ordered(moves)
        ],
        _greatest("last_seq", "last_change", "updated_at_ms", "activity_at_ms"),
    )
    tx.execute_rows(
        _SAVE_MEMBERS,
        [
            (bytes.fromhex(one.conversation_id), *msgspec.structs.astuple(member))
            for one in _ordered(moves)
            for member in one.members
        ],
        _greatest("read_seq", "sent_seq", "delivered_seq", "activity_at_ms", "changed_at_ms"),
    )


def _ordered(moves: Iterable[ConversationMove]) -> list[ConversationMove]:
    return sorted(moves, key=lambda one: one.conversation_id)
