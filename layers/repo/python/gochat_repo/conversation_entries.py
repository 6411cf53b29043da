"""Conversations as a member's list shows them: with the last message, the peer and the member's own cursors."""

from collections.abc import Collection, Sequence

import msgspec

from gochat_core.types import ConversationId, GroupId, UserId
from gochat_repo.messages import MESSAGE_COLUMNS, StoredMessage, message_from_row
from gochat_repo.mysql import Row, Transaction
from gochat_repo.participants import Participation
from gochat_repo.users import User


class ConversationEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One conversation of one member's list: the peer is there for single chats only, name and group id for groups."""

    conversation_id: ConversationId
    type: str
    member_count: int
    change: int
    activity_at_ms: int
    own: Participation
    is_hidden: bool
    is_muted: bool
    is_pinned: bool
    peer: User | None
    peer_delivered_seq: int
    peer_read_seq: int
    last_message: StoredMessage | None
    name: str | None = None
    group_id: GroupId | None = None


ENTRY_COLUMNS = """p.conversation_id, c.type, c.member_count, c.last_change,
       IF(p.is_large, c.activity_at_ms, p.activity_at_ms), c.last_seq, p.join_seq, p.read_seq, p.sent_seq,
       p.cleared_seq, c.expired_seq, p.hidden_seq IS NOT NULL AND c.last_seq <= p.hidden_seq, p.muted, p.pinned,
       q.delivered_seq, q.read_seq, u.user_id, u.username, u.display_name, u.created_at_ms, u.avatar_url, g.name,
       g.group_id"""
"""Of a SELECT from `conversation_participants p` with ENTRY_JOINS; `entry_from_row` reads them."""

ENTRY_COLUMN_COUNT = 23
_PEER_COLUMNS = slice(16, 21)

ENTRY_JOINS = """
  STRAIGHT_JOIN conversations c ON c.conversation_id = p.conversation_id
  LEFT JOIN conversation_participants q
         ON c.type = 'single' AND q.conversation_id = p.conversation_id AND q.user_id <> p.user_id
  LEFT JOIN users u ON u.user_id = q.user_id
  LEFT JOIN `groups` g FORCE INDEX (groups_conversation)
         ON c.type = 'group' AND g.conversation_id = p.conversation_id"""
"""STRAIGHT_JOIN: a page is read along the index of its member, and each row's company by its key. FORCE INDEX: a table
that is small would be put into a join buffer, for which the whole list is read."""

_SELECT = f"""
SELECT {ENTRY_COLUMNS}, {MESSAGE_COLUMNS}, p.user_id
  FROM {{places}} {ENTRY_JOINS}
  LEFT JOIN messages m
         ON m.conversation_id = c.conversation_id AND m.seq = c.last_seq
        AND m.seq >= p.join_seq AND m.seq > p.cleared_seq AND m.seq > c.expired_seq
 WHERE p.left_seq IS NULL
"""  # noqa: S608 - constants only
_SOME = _SELECT.format(places="conversation_participants p") + " AND (p.conversation_id, p.user_id) IN %s"

# Small conversations are read along the index of their activity. The activity of large ones stands in their own rows:
# each that the member has is looked at.
_SHOWN = "p.left_seq IS NULL AND (p.hidden_seq IS NULL OR c.last_seq > p.hidden_seq)"
_PAGE = f"""(
    (SELECT p.conversation_id, p.activity_at_ms AS active_at_ms
       FROM conversation_participants p FORCE INDEX (participants_activity)
       STRAIGHT_JOIN conversations c ON c.conversation_id = p.conversation_id
      WHERE p.user_id = %s AND p.is_large = FALSE AND {_SHOWN}
        AND p.activity_at_ms <= %s AND (p.activity_at_ms < %s OR p.conversation_id < %s)
      ORDER BY p.activity_at_ms DESC, p.conversation_id DESC LIMIT %s)
    UNION ALL
    (SELECT p.conversation_id, c.activity_at_ms AS active_at_ms
       FROM conversation_participants p FORCE INDEX (participants_large)
       STRAIGHT_JOIN conversations c ON c.conversation_id = p.conversation_id
      WHERE p.user_id = %s AND p.is_large = TRUE AND {_SHOWN}
        AND c.activity_at_ms <= %s AND (c.activity_at_ms < %s OR p.conversation_id < %s)
      ORDER BY c.activity_at_ms DESC, p.conversation_id DESC LIMIT %s)
    ORDER BY active_at_ms DESC, conversation_id DESC LIMIT %s
  ) k
  STRAIGHT_JOIN conversation_participants p ON p.conversation_id = k.conversation_id AND p.user_id = %s"""  # noqa: S608
_LISTED = _SELECT.format(places=_PAGE) + " ORDER BY k.active_at_ms DESC, p.conversation_id DESC"

FRONT = ((1 << 63) - 1, ConversationId("ff" * 16))
"""Where a list begins that is read from the newest activity down."""


def get_entry(tx: Transaction, user_id: UserId, conversation_id: ConversationId) -> ConversationEntry | None:
    """Read one conversation as this member sees it; None for whoever is not, or no longer, a member."""
    return get_entries(tx, [(conversation_id, user_id)]).get((conversation_id, user_id))


def get_entries(
    tx: Transaction, places: Collection[tuple[ConversationId, UserId]]
) -> dict[tuple[ConversationId, UserId], ConversationEntry]:
    """Read conversations as these members see them, in one statement; who isn't, or no longer, a member is left out."""
    if not places:
        return {}
    rows = tx.query(_SOME, (tuple((bytes.fromhex(conversation_id), user_id) for conversation_id, user_id in places),))
    return {(ConversationId(row[0].hex()), UserId(row[-1])): _listed(row) for row in rows}


def list_entries(
    tx: Transaction, user_id: UserId, *, after: tuple[int, ConversationId] | None, limit: int
) -> list[ConversationEntry]:
    """Read a page of a member's conversations, newest activity first, in one statement; `after` ended the last page.

    Hidden ones are left out. Costs what the page holds (and what is hidden in between), however many there are, and a
    row for each large group of the member's.
    """
    activity_at_ms, conversation_id = after or FRONT
    behind = (user_id, activity_at_ms, activity_at_ms, bytes.fromhex(conversation_id), limit)
    rows = tx.query(_LISTED, (*behind, *behind, limit, user_id))
    return [_listed(row) for row in rows]


def entry_from_row(row: Row, last_message: StoredMessage | None) -> ConversationEntry:
    """Read the columns that ENTRY_COLUMNS names."""
    delivered_seq, read_seq = row[14] or 0, row[15] or 0
    return ConversationEntry(
        conversation_id=ConversationId(row[0].hex()),
        type=row[1],
        member_count=row[2],
        change=row[3],
        activity_at_ms=row[4],
        own=Participation(
            last_seq=row[5],
            join_seq=row[6],
            read_seq=row[7],
            sent_seq=row[8],
            cleared_seq=row[9],
            expired_seq=row[10],
        ),
        is_hidden=bool(row[11]),
        is_muted=bool(row[12]),
        is_pinned=bool(row[13]),
        peer=_peer(row[_PEER_COLUMNS]),
        # Who has read a message has it.
        peer_delivered_seq=max(delivered_seq, read_seq),
        peer_read_seq=read_seq,
        last_message=last_message,
        name=row[21],
        group_id=row[22],
    )


def _listed(row: Row) -> ConversationEntry:
    message = row[ENTRY_COLUMN_COUNT:]
    return entry_from_row(row, None if message[0] is None else message_from_row(message))


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
