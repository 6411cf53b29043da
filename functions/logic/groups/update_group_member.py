"""UpdateGroupMember: what a member is in the group, and until when the member may not speak."""

from typing import Literal

import msgspec

from gochat_core.clock import rfc3339
from gochat_core.errors import UserNotFound
from gochat_core.types import GroupId, UserId
from gochat_repo.group_members import GroupMember
from logic.groups.access_group import GroupScene, check_stands
from logic.groups.change_group import change_group
from logic.groups.group_change import UPDATED, GroupChange
from logic.groups.permissions import Action, Role, check_on_member
from logic.groups.ports import GroupPorts


class MemberEdit(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be another; UNSET stays as it is. A time that has passed, or None, ends the muting."""

    role: Literal["admin", "member"] | msgspec.UnsetType = msgspec.UNSET
    muted_until_ms: int | msgspec.UnsetType | None = msgspec.UNSET


def update_group_member(
    ports: GroupPorts, caller: UserId, group_id: GroupId, user_id: UserId, edit: MemberEdit
) -> GroupMember:
    """Change what is named and return the member; what is so already is told to nobody. Idempotent.

    Raises `GroupNotFound`, `UserNotFound` for who is no member, `Forbidden`, `GroupDissolved`, `Unavailable`.
    """
    changed = change_group(
        ports, caller, group_id, lambda _, scene: plan_member_update(scene, user_id, edit), about=[user_id]
    )
    return changed.members[user_id]


def plan_member_update(scene: GroupScene, user_id: UserId, edit: MemberEdit) -> GroupChange | None:
    """Decide about an edit of a member; None for one that changes nothing. Pure."""
    target = scene.members.get(user_id)
    if target is None:
        raise UserNotFound("The user is no member of the group")
    if edit.role is not msgspec.UNSET or edit.muted_until_ms is msgspec.UNSET:
        check_on_member(scene.role, Action.SET_ROLE, Role(target.role))
    if edit.muted_until_ms is not msgspec.UNSET:
        check_on_member(scene.role, Action.MUTE, Role(target.role))
    check_stands(scene)
    named: dict[str, object] = {}
    if edit.role is not msgspec.UNSET:
        named["role"] = edit.role
    if edit.muted_until_ms is not msgspec.UNSET:
        until_ms = edit.muted_until_ms
        named["muted_until_ms"] = until_ms if until_ms is not None and until_ms > scene.now_ms else None
    changed = {name: value for name, value in named.items() if getattr(target, name) != value}
    if not changed:
        return None
    member = msgspec.structs.replace(target, **changed)
    return GroupChange(
        group=scene.group,
        event=UPDATED,
        details={
            "changed": [name.removesuffix("_ms") for name in changed],
            "member": {
                "user_id": str(user_id),
                "role": member.role,
                "muted_until": None if member.muted_until_ms is None else rfc3339(member.muted_until_ms),
            },
        },
        members=(member,),
    )
