"""Friendships: two rows each, so that either friend has a list, and a name for the other, of their own."""

import msgspec

from gochat_core.ids import single_conversation_id
from gochat_core.types import UserId
from gochat_repo.mysql import Row, Transaction
from gochat_repo.profile_rows import PROFILE_WIDTH, profile_columns, profile_from_row
from gochat_repo.users import User


class Friend(msgspec.Struct, frozen=True, kw_only=True):
    """A friend as one's list shows them: online, and seen now, is whoever has a connection; None was never seen."""

    user: User
    remark: str | None
    since_ms: int
    is_online: bool
    last_seen_ms: int | None


# FORCE INDEX and STRAIGHT_JOIN: a page is read along the index, newest first, and each friend by their key.
_SELECT = f"""
SELECT {profile_columns("u")}, f.remark, f.created_at_ms,
       EXISTS (SELECT 1 FROM connections c WHERE c.user_id = f.friend_id), u.last_seen_at_ms
  FROM friendships f {{index}}
  STRAIGHT_JOIN users u ON u.user_id = f.friend_id AND u.username IS NOT NULL
 WHERE f.user_id = %s
"""  # noqa: S608 - constants only
_ONE = _SELECT.format(index="") + " AND f.conversation_id = %s"
_ORDER = " ORDER BY f.created_at_ms DESC, f.friend_id DESC LIMIT %s"
_LIST = _SELECT.format(index="FORCE INDEX (friendships_user)")
_FIRST_PAGE = _LIST + _ORDER
_NEXT_PAGE = _LIST + " AND f.created_at_ms <= %s AND (f.created_at_ms < %s OR f.friend_id < %s)" + _ORDER


def list_friends(
    tx: Transaction, user_id: UserId, *, after: tuple[int, UserId] | None, limit: int, now_ms: int
) -> list[Friend]:
    """Read a page of somebody's friends, newest first, with their presence, in one statement; `after` ended the last.

    Costs what the page holds, however many friends there are.
    """
    if after is None:
        rows = tx.query(_FIRST_PAGE, (user_id, limit))
    else:
        since_ms, friend_id = after
        rows = tx.query(_NEXT_PAGE, (user_id, since_ms, since_ms, friend_id, limit))
    return [_friend(row, now_ms) for row in rows]


def get_friend(tx: Transaction, user_id: UserId, friend_id: UserId, *, now_ms: int) -> Friend | None:
    """Read one friend; None for whoever is none, or has erased the account."""
    rows = tx.query(_ONE, (user_id, _key(user_id, friend_id)))
    return _friend(rows[0], now_ms) if rows else None


def insert_friendship(tx: Transaction, one: UserId, other: UserId, *, now_ms: int) -> None:
    """Make two users friends, in one statement; the pair is locked, and they are not."""
    key = _key(one, other)
    tx.execute_rows(
        "INSERT INTO friendships (conversation_id, user_id, friend_id, created_at_ms) VALUES",
        [(key, user_id, friend_id, now_ms) for user_id, friend_id in sorted([(one, other), (other, one)])],
    )


def delete_friendship(tx: Transaction, one: UserId, other: UserId) -> bool:
    """End a friendship for both, and tell whether there was one."""
    return tx.execute("DELETE FROM friendships WHERE conversation_id = %s", (_key(one, other),)) > 0


def save_remark(tx: Transaction, user_id: UserId, friend_id: UserId, remark: str | None) -> None:
    """Set what somebody calls a friend; None removes it."""
    tx.execute(
        "UPDATE friendships SET remark = %s WHERE conversation_id = %s AND user_id = %s",
        (remark, _key(user_id, friend_id), user_id),
    )


def _key(one: UserId, other: UserId) -> bytes:
    return bytes.fromhex(single_conversation_id(one, other))


def _friend(row: Row, now_ms: int) -> Friend:
    remark, since_ms, is_online, last_seen_ms = row[PROFILE_WIDTH:]
    return Friend(
        user=profile_from_row(row[:PROFILE_WIDTH]),
        remark=remark,
        since_ms=since_ms,
        is_online=bool(is_online),
        last_seen_ms=now_ms if is_online else last_seen_ms,
    )
