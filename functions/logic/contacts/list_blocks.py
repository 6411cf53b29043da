"""ListBlocks: whom the caller has blocked, latest first."""

from dataclasses import dataclass

from gochat_core.cursors import read_cursor, write_cursor
from gochat_core.types import UserId
from gochat_repo.blocks import list_blocked
from gochat_repo.mysql import Database
from gochat_repo.users import User

CURSOR = "blocks"


@dataclass(frozen=True, kw_only=True, slots=True)
class BlockPage:
    """One page, and where the next one begins (None at the end)."""

    users: tuple[User, ...]
    next_cursor: str | None


def list_blocks(database: Database, caller: UserId, *, limit: int, cursor: str | None) -> BlockPage:
    """Return a page of blocked users in one database round trip; raises `InvalidRequest` for the cursor.

    Those who have erased their accounts are left out.
    """
    after = None if cursor is None else read_cursor(CURSOR, cursor, int, int)
    found = database.read(lambda tx: list_blocked(tx, caller, after=after, limit=limit + 1))
    users = tuple(user for user, _ in found[:limit])
    if len(found) <= limit:
        return BlockPage(users=users, next_cursor=None)
    user, blocked_at_ms = found[limit - 1]
    return BlockPage(users=users, next_cursor=write_cursor(CURSOR, blocked_at_ms, user.user_id))
