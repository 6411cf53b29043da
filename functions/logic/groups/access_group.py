"""The only doors to a group: an outsider can't tell it from one that isn't there."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from gochat_core.errors import GroupDissolved, GroupNotFound
from gochat_core.types import GroupId, Seq, UserId
from gochat_repo.conversations import lock_conversations
from gochat_repo.group_members import GroupMember, get_group_members
from gochat_repo.groups import Group, get_group
from gochat_repo.mysql import Transaction
from logic.groups.permissions import Role


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupScene:
    """A group as it stands behind its lock: whoever acts, and those whom the act is about, if they are members."""

    group: Group
    last_seq: Seq
    is_large: bool
    own: GroupMember
    members: Mapping[UserId, GroupMember]
    now_ms: int

    @property
    def role(self) -> Role:
        """What whoever acts is in the group."""
        return Role(self.own.role)


def access_group(tx: Transaction, caller: UserId, group_id: GroupId) -> tuple[Group, GroupMember]:
    """Read a group and what the caller is in it, in two statements; raises `GroupNotFound`."""
    group = get_group(tx, group_id)
    own = None if group is None else get_group_members(tx, group.conversation_id, [caller]).get(caller)
    if group is None or own is None:
        raise GroupNotFound
    return group, own


def access_locked_group(
    tx: Transaction, caller: UserId, found: Group, about: Collection[UserId], *, now_ms: int
) -> GroupScene:
    """Lock the conversation of a group that was found and read all behind the lock; raises `GroupNotFound`.

    Three statements. The conversation comes first and the group's rows after it (docs/concurrency.md).
    """
    locked = lock_conversations(tx, [found.conversation_id]).get(found.conversation_id)
    group = get_group(tx, found.group_id)
    if locked is None or group is None:
        raise GroupNotFound
    members = get_group_members(tx, group.conversation_id, {caller, *about})
    if caller not in members:
        raise GroupNotFound
    return GroupScene(
        group=group,
        last_seq=locked.last_seq,
        is_large=locked.is_large,
        own=members[caller],
        members=members,
        now_ms=now_ms,
    )


def check_stands(scene: GroupScene) -> None:
    """Raise `GroupDissolved` for a group in which nothing changes any more."""
    if scene.group.dissolved_at_ms is not None:
        raise GroupDissolved
