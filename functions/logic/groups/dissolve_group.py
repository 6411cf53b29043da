"""DissolveGroup: end a group for good."""

import msgspec

from gochat_core.types import GroupId, UserId
from logic.groups.access_group import GroupScene
from logic.groups.change_group import change_group
from logic.groups.group_change import DISSOLVED, GroupChange
from logic.groups.permissions import Action, check_on_group
from logic.groups.ports import GroupPorts


def dissolve_group(ports: GroupPorts, caller: UserId, group_id: GroupId) -> None:
    """End a group: its members stay and read its history, nobody writes to it or changes it any more. Idempotent.

    Raises `GroupNotFound`, `Forbidden`, `Unavailable`.
    """
    change_group(ports, caller, group_id, lambda _, scene: plan_dissolution(scene))


def plan_dissolution(scene: GroupScene) -> GroupChange | None:
    """Decide about the end of a group; None for one that has ended. Pure."""
    check_on_group(scene.role, Action.DISSOLVE)
    if scene.group.dissolved_at_ms is not None:
        return None
    return GroupChange(group=msgspec.structs.replace(scene.group, dissolved_at_ms=scene.now_ms), event=DISSOLVED)
