"""SearchUsers: find people by the beginning of their username."""

from dataclasses import dataclass

from gochat_contracts.accounts import USERNAME_PREFIX
from gochat_core.cursors import read_cursor, write_cursor
from gochat_core.errors import FieldFault, InvalidRequest
from gochat_repo.users import User, UserStore

_LIST = "users"


@dataclass(frozen=True, kw_only=True)
class FoundUsers:
    """One page, in the order of the usernames; `next_cursor` is None at the end."""

    users: list[User]
    next_cursor: str | None


def search_users(users: UserStore, *, query: str, limit: int, cursor: str | None) -> FoundUsers:
    """Return the users whose name begins with the query; raises `InvalidRequest` for an empty query or a bad cursor.

    What no username can begin with finds nobody.
    """
    if not query:
        raise InvalidRequest(faults=[FieldFault(field="q", message="must not be empty")])
    after = read_cursor(_LIST, cursor, str)[0] if cursor else ""
    if not USERNAME_PREFIX.fullmatch(query):
        return FoundUsers(users=[], next_cursor=None)
    found = users.search_users(query.lower(), after=after, limit=limit + 1)
    page = found[:limit]
    return FoundUsers(users=page, next_cursor=write_cursor(_LIST, page[-1].username) if len(found) > limit else None)
