"""UpdateGroup: name, picture, announcement, and whether all but owner and admins are muted."""

import msgspec

from gochat_core.types import GroupId, UserId
from gochat_repo.groups import Group
from logic.groups.access_group import GroupScene, check_stands
from logic.groups.change_group import change_group
from logic.groups.group_change import UPDATED, GroupChange
from logic.groups.permissions import Action, check_on_group
from logic.groups.ports import GroupPorts


class GroupEdit(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is to be another; UNSET stays as it is."""

    name: str | msgspec.UnsetType = msgspec.UNSET
    avatar_url: str | msgspec.UnsetType | None = msgspec.UNSET
    announcement: str | msgspec.UnsetType | None = msgspec.UNSET
    muted_all: bool | msgspec.UnsetType = msgspec.UNSET


def update_group(ports: GroupPorts, caller: UserId, group_id: GroupId, edit: GroupEdit) -> Group:
    """Change what is named and return the group; what is so already is told to nobody. Idempotent.

    Raises `GroupNotFound`, `Forbidden`, `GroupDissolved`, `Unavailable`.
    """
    return change_group(ports, caller, group_id, lambda _, scene: plan_update(scene, edit)).group


def plan_update(scene: GroupScene, edit: GroupEdit) -> GroupChange | None:
    """Decide about an edit; None for one that changes nothing. Pure."""
    named = {name: value for name in edit.__struct_fields__ if (value := getattr(edit, name)) is not msgspec.UNSET}
    if "muted_all" in named:
        check_on_group(scene.role, Action.MUTE_ALL)
    if named.keys() - {"muted_all"} or not named:
        check_on_group(scene.role, Action.EDIT)
    check_stands(scene)
    changed = {name: value for name, value in named.items() if getattr(scene.group, name) != value}
    if not changed:
        return None
    return GroupChange(
        group=msgspec.structs.replace(scene.group, **changed),
        event=UPDATED,
        details={"changed": list(changed)},
        values=changed,
    )
