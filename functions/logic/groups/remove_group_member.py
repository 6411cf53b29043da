"""RemoveGroupMember: take somebody out of a group, or leave it."""

import msgspec

from gochat_core.errors import GroupNotFound
from gochat_core.types import GroupId, UserId
from gochat_repo.group_members import has_been_member
from gochat_repo.groups import get_group
from gochat_repo.mysql import Transaction
from logic.groups.access_group import GroupScene, check_stands
from logic.groups.change_group import change_group
from logic.groups.group_change import MEMBER_LEFT, GroupChange
from logic.groups.permissions import Action, Role, check_on_group, check_on_member
from logic.groups.ports import GroupPorts


def remove_group_member(ports: GroupPorts, caller: UserId, group_id: GroupId, user_id: UserId) -> None:
    """Let somebody belong to the group no more; nothing that is stored after the answer reaches that one.

    Idempotent: who is no member any more, oneself too, is removed already. Raises `GroupNotFound`, `Forbidden`,
    `GroupDissolved`, `Unavailable`.
    """
    try:
        change_group(ports, caller, group_id, lambda _, scene: plan_removal(scene, user_id), about=[user_id])
    except GroupNotFound:
        if user_id != caller or not ports.database.read(lambda tx: _has_left(tx, group_id, caller)):
            raise


def plan_removal(scene: GroupScene, user_id: UserId) -> GroupChange | None:
    """Decide about a removal or about leaving; None for who is no member. Pure."""
    target = scene.members.get(user_id)
    if user_id == scene.own.user_id:
        check_on_group(scene.role, Action.LEAVE)
    else:
        check_on_member(scene.role, Action.REMOVE, Role.MEMBER if target is None else Role(target.role))
    if target is None:
        return None
    check_stands(scene)
    return GroupChange(
        group=msgspec.structs.replace(scene.group, member_count=scene.group.member_count - 1),
        event=MEMBER_LEFT,
        details={"user_ids": [str(user_id)]},
        leaves=(user_id,),
    )


def _has_left(tx: Transaction, group_id: GroupId, user_id: UserId) -> bool:
    group = get_group(tx, group_id)
    return group is not None and has_been_member(tx, group.conversation_id, user_id)
