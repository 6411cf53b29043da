"""ListFriendRequests: what the caller sent and received, newest first, decided ones too."""

from dataclasses import dataclass

from gochat_core.cursors import read_cursor, write_cursor
from gochat_core.types import UserId
from gochat_repo.friend_requests import SeenRequest, list_requests
from gochat_repo.mysql import Database

CURSOR = "friend_requests"


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestPage:
    """One page, and where the next one begins (None at the end)."""

    requests: tuple[SeenRequest, ...]
    next_cursor: str | None


def list_friend_requests(database: Database, caller: UserId, *, limit: int, cursor: str | None) -> RequestPage:
    """Return a page of requests in one database round trip; raises `InvalidRequest` for the cursor.

    Those with accounts that were erased are left out.
    """
    before = None if cursor is None else read_cursor(CURSOR, cursor, int)[0]
    found = database.read(lambda tx: list_requests(tx, caller, before=before, limit=limit + 1))
    page = tuple(found[:limit])
    more = len(found) > limit
    return RequestPage(requests=page, next_cursor=write_cursor(CURSOR, page[-1].request.request_id) if more else None)
