"""Conversations as a member's list shows them: with the last message, the peer and the member's own cursors."""

from collections.abc import Sequence

import msgspec

from gochat_core.types import ConversationId, UserId
from gochat_repo.messages import MESSAGE_COLUMNS, StoredMessage, message_from_row
from gochat_repo.mysql import Row, Transaction
from gochat_repo.participants import Participation
from gochat_repo.users import User


class ConversationEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One conversation of one member's list; the peer is there for single chats only."""

    conversation_id: ConversationId
    type: str
    member_count: int
    change: int
    activity_at_ms: int
    own: Participation
    is_muted: bool
    is_pinned: bool
    peer: User | None
    peer_delivered_seq: int
    peer_read_seq: int
    last_message: StoredMessage | None


_ENTRY_COLUMNS = 18

# FORCE INDEX and STRAIGHT_JOIN: a page is read along the index, newest first, and each row's company by its key.
_SELECT = f"""
SELECT p.conversation_id, c.type, c.member_count, c.last_change, p.activity_at_ms, c.last_seq, p.join_seq, p.read_seq,
       p.sent_seq, p.cleared_seq, p.muted, p.pinned, q.delivered_seq, q.read_seq, u.user_id, u.username, u.display_name,
       u.created_at_ms, u.avatar_url, {MESSAGE_COLUMNS}
  FROM conversation_participants p {{index}}
  STRAIGHT_JOIN conversations c ON c.conversation_id = p.conversation_id
  LEFT JOIN conversation_participants q
         ON c.type = 'single' AND q.conversation_id = p.conversation_id AND q.user_id <> p.user_id
  LEFT JOIN users u ON u.user_id = q.user_id
  LEFT JOIN messages m
         ON m.conversation_id = c.conversation_id AND m.seq = c.last_seq
        AND m.seq >= p.join_seq AND m.seq > p.cleared_seq
 WHERE p.user_id = %s AND p.left_seq IS NULL
"""  # noqa: S608 - constants only
_ONE = _SELECT.format(index="") + " AND p.conversation_id = %s"
_ORDER = " ORDER BY p.activity_at_ms DESC, p.conversation_id DESC LIMIT %s"
_FIRST_PAGE = _SELECT.format(index="FORCE INDEX (participants_activity)") + _ORDER
_NEXT_PAGE = (
    _SELECT.format(index="FORCE INDEX (participants_activity)")
    + " AND p.activity_at_ms <= %s AND (p.activity_at_ms < %s OR p.conversation_id < %s)"
    + _ORDER
)


def get_entry(tx: Transaction, user_id: UserId, conversation_id: ConversationId) -> ConversationEntry | None:
    """Read one conversation as this member sees it; None for whoever is not, or no longer, a member."""
    rows = tx.query(_ONE, (user_id, bytes.fromhex(conversation_id)))
    return _entry(rows[0]) if rows else None


def list_entries(
    tx: Transaction, user_id: UserId, *, after: tuple[int, ConversationId] | None, limit: int
) -> list[ConversationEntry]:
    """Read a page of a member's conversations, newest activity first, in one statement; `after` ended the last page.

    Costs what the page holds, however many conversations there are.
    """
    if after is None:
        rows = tx.query(_FIRST_PAGE, (user_id, limit))
    else:
        activity_at_ms, conversation_id = after
        rows = tx.query(_NEXT_PAGE, (user_id, activity_at_ms, activity_at_ms, bytes.fromhex(conversation_id), limit))
    return [_entry(row) for row in rows]


def _entry(row: Row) -> ConversationEntry:
    delivered_seq, read_seq = row[12] or 0, row[13] or 0
    message = row[_ENTRY_COLUMNS + 1 :]
    return ConversationEntry(
        conversation_id=ConversationId(row[0].hex()),
        type=row[1],
        member_count=row[2],
        change=row[3],
        activity_at_ms=row[4],
        own=Participation(last_seq=row[5], join_seq=row[6], read_seq=row[7], sent_seq=row[8], cleared_seq=row[9]),
        is_muted=bool(row[10]),
        is_pinned=bool(row[11]),
        peer=_peer(row[14 : _ENTRY_COLUMNS + 1]),
        # Who has read a message has it.
        peer_delivered_seq=max(delivered_seq, read_seq),
        peer_read_seq=read_seq,
        last_message=None if message[0] is None else message_from_row(message),
    )


def _peer(columns: Sequence[object]) -> User | None:
    user_id, username, display_name, created_at_ms, avatar_url = columns
    if user_id is None:
        return None
    return User(
        user_id=user_id,  # type: ignore[arg-type]  # the columns' types are those of the table
        username=username or "",  # type: ignore[arg-type]
        display_name=display_name,  # type: ignore[arg-type]
        avatar_url=avatar_url,  # type: ignore[arg-type]
        created_at_ms=created_at_ms,  # type: ignore[arg-type]
    )
