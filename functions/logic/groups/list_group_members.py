"""ListGroupMembers: who belongs to a group, a page at a time."""

import msgspec

from gochat_core.cursors import read_cursor, write_cursor
from gochat_core.types import GroupId, UserId
from gochat_repo.group_members import GroupMember
from gochat_repo.group_members import list_group_members as list_rows
from gochat_repo.mysql import Database, Transaction
from logic.groups.access_group import access_group
from logic.groups.permissions import Action, Role, check_on_group

CURSOR = "group members"


class MemberPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page, and where the next one begins (None at the end)."""

    members: tuple[GroupMember, ...]
    next_cursor: str | None


def list_group_members(
    database: Database, caller: UserId, group_id: GroupId, *, limit: int, cursor: str | None
) -> MemberPage:
    """Return a page of members in the order of their ids, in three database round trips at any size.

    Raises `GroupNotFound` to outsiders, `InvalidRequest` for the cursor.
    """
    after = None if cursor is None else UserId(read_cursor(CURSOR, cursor, int)[0])

    def work(tx: Transaction) -> list[GroupMember]:
        group, own = access_group(tx, caller, group_id)
        check_on_group(Role(own.role), Action.VIEW)
        return list_rows(tx, group.conversation_id, after=after, limit=limit + 1)

    found = database.read(work)
    page = tuple(found[:limit])
    return MemberPage(members=page, next_cursor=write_cursor(CURSOR, page[-1].user_id) if len(found) > limit else None)
