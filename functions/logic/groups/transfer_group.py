"""TransferGroup: make another member the owner."""

import msgspec

from gochat_core.errors import UserNotFound
from gochat_core.types import GroupId, UserId
from gochat_repo.groups import Group
from logic.groups.access_group import GroupScene, check_stands
from logic.groups.change_group import change_group
from logic.groups.group_change import UPDATED, GroupChange
from logic.groups.permissions import Action, Role, check_on_member
from logic.groups.ports import GroupPorts


def transfer_group(ports: GroupPorts, caller: UserId, group_id: GroupId, user_id: UserId) -> Group:
    """Make a member the owner, who may speak at once; the former owner is an admin then, and can't do it again.

    Raises `GroupNotFound`, `UserNotFound` for who is no member, `Forbidden`, `GroupDissolved`, `Unavailable`.
    """
    return change_group(ports, caller, group_id, lambda _, scene: plan_transfer(scene, user_id), about=[user_id]).group


def plan_transfer(scene: GroupScene, user_id: UserId) -> GroupChange:
    """Decide who owns the group. Pure."""
    target = scene.members.get(user_id)
    # What a member may not do at all is not answered by who else is a member.
    check_on_member(scene.role, Action.TRANSFER, Role.MEMBER if target is None else Role(target.role))
    if target is None or target.user is None:
        raise UserNotFound("The user is no member of the group")
    check_stands(scene)
    return GroupChange(
        group=msgspec.structs.replace(scene.group, owner_id=user_id),
        event=UPDATED,
        details={"changed": ["owner_id"]},
        values={"owner_id": str(user_id)},
        members=(
            msgspec.structs.replace(target, role=Role.OWNER.value, muted_until_ms=None),
            msgspec.structs.replace(scene.own, role=Role.ADMIN.value),
        ),
    )
