"""AddGroupMembers: bring users into a group."""

import msgspec

from gochat_core.types import GroupId, UserId
from gochat_repo.group_members import GroupMember
from gochat_repo.mysql import Transaction
from logic.groups.access_group import GroupScene, check_stands
from logic.groups.change_group import change_group
from logic.groups.group_change import MEMBER_JOINED, GroupChange
from logic.groups.invitees import Invitees, plan_joins
from logic.groups.permissions import Action, check_on_group
from logic.groups.ports import GroupPorts


def add_group_members(
    ports: GroupPorts, caller: UserId, group_id: GroupId, invitees: Invitees
) -> tuple[GroupMember, ...]:
    """Let users belong to the group from now on, and return those named as members; who is one already stays so.

    All come in or none. Raises `GroupNotFound`, `Forbidden`, `GroupDissolved`, `UserNotFound`, `Blocked`, `NotFriends`,
    `GroupFull`, `Unavailable`.
    """

    def plan(tx: Transaction, scene: GroupScene) -> GroupChange | None:
        check_on_group(scene.role, Action.INVITE)
        check_stands(scene)
        joins = plan_joins(
            tx,
            caller,
            invitees,
            scene.members,
            room=ports.max_members - scene.group.member_count,
            contacts_only=ports.contacts_only,
            now_ms=scene.now_ms,
        )
        if not joins:
            return None
        return GroupChange(
            group=msgspec.structs.replace(scene.group, member_count=scene.group.member_count + len(joins)),
            event=MEMBER_JOINED,
            details={"user_ids": [str(one.user_id) for one in joins]},
            joins=joins,
        )

    named = invitees.ids()
    changed = change_group(ports, caller, group_id, plan, about=named)
    return tuple(changed.members[one] for one in named)
