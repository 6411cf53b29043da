"""ListFriends: the caller's friends, newest first, with their presence."""

from dataclasses import dataclass

from gochat_core.cursors import read_cursor, write_cursor
from gochat_core.types import UserId
from gochat_repo.friendships import Friend
from gochat_repo.friendships import list_friends as list_rows
from logic.contacts.ports import ContactPorts

CURSOR = "friends"


@dataclass(frozen=True, kw_only=True, slots=True)
class FriendPage:
    """One page, and where the next one begins (None at the end)."""

    friends: tuple[Friend, ...]
    next_cursor: str | None


def list_friends(ports: ContactPorts, caller: UserId, *, limit: int, cursor: str | None) -> FriendPage:
    """Return a page of friends in one database round trip; raises `InvalidRequest` for the cursor.

    Those who have erased their accounts are left out.
    """
    after = None if cursor is None else read_cursor(CURSOR, cursor, int, int)
    now_ms = ports.clock.now_ms()
    found = ports.database.read(lambda tx: list_rows(tx, caller, after=after, limit=limit + 1, now_ms=now_ms))
    page = tuple(found[:limit])
    if len(found) <= limit:
        return FriendPage(friends=page, next_cursor=None)
    last = page[-1]
    return FriendPage(friends=page, next_cursor=write_cursor(CURSOR, last.since_ms, last.user.user_id))
