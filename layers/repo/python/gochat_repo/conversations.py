"""Conversations: the row whose lock gives every message its place, and what a member sees of it."""

from collections.abc import Collection, Mapping, Sequence

import msgspec

from gochat_core.types import ConversationId, Seq, UserId
from gochat_repo.mysql import Transaction
from gochat_repo.mysql_errors import DuplicateKey, LockConflict


class LockedConversation(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation whose row this transaction holds."""

    conversation_id: ConversationId
    type: str
    last_seq: Seq


class NewSingleConversation(msgspec.Struct, frozen=True, kw_only=True):
    """A single chat that has no row yet."""

    conversation_id: ConversationId
    members: tuple[UserId, UserId]


class Bump(msgspec.Struct, frozen=True, kw_only=True):
    """How far a conversation got: its last seq, and for every member the greatest seq that it sent (0: none)."""

    conversation_id: ConversationId
    last_seq: Seq
    sent_seqs: Mapping[UserId, int]


def lock_conversations(
    tx: Transaction, conversation_ids: Collection[ConversationId]
) -> dict[ConversationId, LockedConversation]:
    """Lock the rows that exist, in the order of their ids, so that two batches never wait for each other in a ring.

    To be called before any plain read of the transaction: what is read behind the lock is then the latest.
    """
    rows = tx.query(
        "SELECT conversation_id, type, last_seq FROM conversations WHERE conversation_id IN %s"
        " ORDER BY conversation_id FOR UPDATE",
        (tuple(bytes.fromhex(conversation_id) for conversation_id in sorted(conversation_ids)),),
    )
    return {
        ConversationId(row[0].hex()): LockedConversation(
            conversation_id=ConversationId(row[0].hex()), type=row[1], last_seq=row[2]
        )
        for row in rows
    }


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


def bump_conversations(tx: Transaction, bumps: Sequence[Bump], *, now_ms: int) -> None:
    """Move conversations to their new last seq and their members to their new activity, in one statement."""
    rows = [
        (bytes.fromhex(one.conversation_id), user_id, one.last_seq, sent_seq)
        for one in sorted(bumps, key=lambda bump: bump.conversation_id)
        for user_id, sent_seq in sorted(one.sent_seqs.items())
    ]
    values = "SELECT %s AS conversation_id, %s AS user_id, %s AS last_seq, %s AS sent_seq" + (
        " UNION ALL SELECT %s, %s, %s, %s" * (len(rows) - 1)
    )
    tx.execute(
        f"UPDATE ({values}) v"  # noqa: S608 - holds placeholders only
        " STRAIGHT_JOIN conversations c ON c.conversation_id = v.conversation_id"
        " STRAIGHT_JOIN conversation_participants p ON p.conversation_id = v.conversation_id AND p.user_id = v.user_id"
        " SET c.last_seq = v.last_seq, c.updated_at_ms = GREATEST(c.updated_at_ms, %s),"
        " p.sent_seq = GREATEST(p.sent_seq, v.sent_seq), p.activity_at_ms = GREATEST(p.activity_at_ms, %s)",
        [*(value for row in rows for value in row), now_ms, now_ms],
    )


def get_alive_users(tx: Transaction, user_ids: Collection[UserId]) -> set[UserId]:
    """Return which of these users there are and were not erased."""
    rows = tx.query("SELECT user_id FROM users WHERE user_id IN %s AND deleted_at_ms IS NULL", (tuple(user_ids),))
    return {row[0] for row in rows}
