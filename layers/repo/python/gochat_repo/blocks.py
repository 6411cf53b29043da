"""Blocks: whose messages and requests somebody takes no more."""

from gochat_core.ids import single_conversation_id
from gochat_core.types import UserId
from gochat_repo.mysql import Transaction
from gochat_repo.profile_rows import PROFILE_WIDTH, profile_columns, profile_from_row
from gochat_repo.users import User

# FORCE INDEX and STRAIGHT_JOIN: a page is read along the index, latest first, and each user by their key.
_SELECT = f"""
SELECT {profile_columns("u")}, b.created_at_ms
  FROM blocks b FORCE INDEX (blocks_blocker)
  STRAIGHT_JOIN users u ON u.user_id = b.blocked_id AND u.username IS NOT NULL
 WHERE b.blocker_id = %s
"""  # noqa: S608 - constants only
_ORDER = " ORDER BY b.created_at_ms DESC, b.blocked_id DESC LIMIT %s"
_FIRST_PAGE = _SELECT + _ORDER
_NEXT_PAGE = _SELECT + " AND b.created_at_ms <= %s AND (b.created_at_ms < %s OR b.blocked_id < %s)" + _ORDER


def list_blocked(
    tx: Transaction, blocker_id: UserId, *, after: tuple[int, UserId] | None, limit: int
) -> list[tuple[User, int]]:
    """Read a page of whom somebody has blocked and when (ms), latest first, in one statement; `after` ended the last.

    Costs what the page holds, however many there are.
    """
    if after is None:
        rows = tx.query(_FIRST_PAGE, (blocker_id, limit))
    else:
        blocked_at_ms, blocked_id = after
        rows = tx.query(_NEXT_PAGE, (blocker_id, blocked_at_ms, blocked_at_ms, blocked_id, limit))
    return [(profile_from_row(row[:PROFILE_WIDTH]), row[PROFILE_WIDTH]) for row in rows]


def insert_block(tx: Transaction, blocker_id: UserId, blocked_id: UserId, *, now_ms: int) -> None:
    """Note a block; the pair is locked, and there is none yet."""
    tx.execute(
        "INSERT INTO blocks (conversation_id, blocker_id, blocked_id, created_at_ms) VALUES (%s, %s, %s, %s)",
        (_key(blocker_id, blocked_id), blocker_id, blocked_id, now_ms),
    )


def delete_block(tx: Transaction, blocker_id: UserId, blocked_id: UserId) -> None:
    """End a block, if there is one."""
    tx.execute(
        "DELETE FROM blocks WHERE conversation_id = %s AND blocker_id = %s", (_key(blocker_id, blocked_id), blocker_id)
    )


def _key(blocker_id: UserId, blocked_id: UserId) -> bytes:
    return bytes.fromhex(single_conversation_id(blocker_id, blocked_id))
