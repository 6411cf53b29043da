"""Groups: what one is called, who owns it, whether everybody may speak in it."""

import msgspec

from gochat_core.types import ConversationId, GroupId, UserId
from gochat_repo.mysql import Row, Transaction


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """One row of `groups`, with what its conversation says of its size."""

    group_id: GroupId
    conversation_id: ConversationId
    name: str
    avatar_url: str | None
    announcement: str | None
    owner_id: UserId
    muted_all: bool
    created_at_ms: int
    dissolved_at_ms: int | None
    member_count: int


_SELECT = """
SELECT g.group_id, g.conversation_id, g.name, g.avatar_url, g.announcement, g.owner_id, g.muted_all, g.created_at_ms,
       g.dissolved_at_ms, c.member_count
  FROM `groups` g JOIN conversations c ON c.conversation_id = g.conversation_id
 WHERE g.group_id = %s"""


def get_group(tx: Transaction, group_id: GroupId) -> Group | None:
    """Read a group, in one statement; which conversation is its own never changes."""
    rows = tx.query(_SELECT, (group_id,))
    return _group(rows[0]) if rows else None


def insert_group(tx: Transaction, group: Group) -> None:
    """Insert a group; its conversation is made by this transaction. Raises `DuplicateKey`."""
    tx.execute(
        "INSERT INTO `groups` (group_id, conversation_id, name, avatar_url, announcement, owner_id, muted_all,"
        " created_at_ms) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
        (
            group.group_id,
            bytes.fromhex(group.conversation_id),
            group.name,
            group.avatar_url,
            group.announcement,
            group.owner_id,
            group.muted_all,
            group.created_at_ms,
        ),
    )


def update_group(tx: Transaction, group: Group) -> None:
    """Write what may change of a group; its conversation is locked."""
    tx.execute(
        "UPDATE `groups` SET name = %s, avatar_url = %s, announcement = %s, owner_id = %s, muted_all = %s,"
        " dissolved_at_ms = %s WHERE group_id = %s",
        (
            group.name,
            group.avatar_url,
            group.announcement,
            group.owner_id,
            group.muted_all,
            group.dissolved_at_ms,
            group.group_id,
        ),
    )


def _group(row: Row) -> Group:
    return Group(
        group_id=row[0],
        conversation_id=ConversationId(row[1].hex()),
        name=row[2],
        avatar_url=row[3],
        announcement=row[4],
        owner_id=row[5],
        muted_all=bool(row[6]),
        created_at_ms=row[7],
        dissolved_at_ms=row[8],
        member_count=row[9],
    )
