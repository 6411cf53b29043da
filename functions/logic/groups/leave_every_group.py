"""What becomes of the groups of somebody who erases the account."""

import contextlib

import msgspec

from gochat_core.errors import GroupNotFound
from gochat_core.types import UserId
from gochat_repo.group_members import find_heir, list_group_ids
from gochat_repo.mysql import Transaction
from logic.groups.access_group import GroupScene
from logic.groups.change_group import change_group
from logic.groups.dissolve_group import plan_dissolution
from logic.groups.group_change import MEMBER_LEFT, GroupChange
from logic.groups.permissions import Role
from logic.groups.ports import GroupPorts


def leave_every_group(ports: GroupPorts, user_id: UserId) -> None:
    """Let somebody belong to no group that stands, each in a transaction of its own; a repeat goes on with the rest.

    What one owned goes to who has been an admin longest, else to who has been a member longest; where nobody is left it
    is dissolved. Raises `Unavailable`.
    """
    for group_id in ports.database.read(lambda tx: list_group_ids(tx, user_id)):
        # Removed, or dissolved, a moment ago: nothing is left to do.
        with contextlib.suppress(GroupNotFound):
            change_group(ports, user_id, group_id, _plan)


def _plan(tx: Transaction, scene: GroupScene) -> GroupChange | None:
    if scene.group.dissolved_at_ms is not None:
        return None
    user_id, group = scene.own.user_id, scene.group
    heir = None
    if scene.role is Role.OWNER:
        heir = find_heir(tx, group.conversation_id, user_id)
        if heir is None:
            return plan_dissolution(scene)
        heir = msgspec.structs.replace(heir, role=Role.OWNER.value, muted_until_ms=None)
        group = msgspec.structs.replace(group, owner_id=heir.user_id)
    return GroupChange(
        group=msgspec.structs.replace(group, member_count=group.member_count - 1),
        event=MEMBER_LEFT,
        details={"user_ids": [str(user_id)]},
        values={} if heir is None else {"owner_id": str(heir.user_id)},
        leaves=(user_id,),
        members=() if heir is None else (heir,),
    )
