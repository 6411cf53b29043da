"""Carries out one act in a group: finds it, locks, decides, writes, announces."""

from collections.abc import Callable, Collection

import msgspec

from gochat_core.errors import GroupNotFound
from gochat_core.types import GroupId, UserId
from gochat_repo.group_members import GroupMember
from gochat_repo.groups import Group, get_group
from gochat_repo.mysql import Transaction
from gochat_repo.outbox import OutboxEntry
from logic.groups.access_group import GroupScene, access_locked_group
from logic.groups.group_change import GroupChange, GroupSize, write_group_change
from logic.groups.ports import GroupPorts

Plan = Callable[[Transaction, GroupScene], GroupChange | None]
"""Decides over what stands behind the lock, raising what forbids it; None when it is so already."""


class ChangedGroup(msgspec.Struct, frozen=True, kw_only=True):
    """The group afterwards, and those of the members whom the act was about."""

    group: Group
    members: dict[UserId, GroupMember]


def change_group(
    ports: GroupPorts, caller: UserId, group_id: GroupId, plan: Plan, *, about: Collection[UserId] = ()
) -> ChangedGroup:
    """Carry out what `plan` decides, in one transaction under the lock of the group's conversation, and announce it.

    With the answer it holds: what is stored later is decided behind it. At most twelve database round trips before it
    is announced, one more when the group becomes large. Raises `GroupNotFound`, `Unavailable`, and what the plan
    raises.
    """
    found = ports.database.read(lambda tx: get_group(tx, group_id))
    if found is None:
        raise GroupNotFound

    def work(tx: Transaction) -> tuple[ChangedGroup, list[OutboxEntry]]:
        now_ms = ports.clock.now_ms()
        scene = access_locked_group(tx, caller, found, about, now_ms=now_ms)
        change = plan(tx, scene)
        if change is None:
            return ChangedGroup(group=scene.group, members=dict(scene.members)), []
        noted = write_group_change(
            tx,
            change,
            actor_id=caller,
            size=GroupSize(is_large=scene.is_large, large_members=ports.large_members),
            last_seq=scene.last_seq,
            next_id=ports.ids.next_id,
            now_ms=now_ms,
        )
        return ChangedGroup(group=change.group, members=_members_after(scene, change)), noted

    changed, noted = ports.database.transaction(work)
    if noted:
        ports.announce(noted)
    return changed


def _members_after(scene: GroupScene, change: GroupChange) -> dict[UserId, GroupMember]:
    after = {**scene.members, **{one.user_id: one for one in (*change.joins, *change.members)}}
    return {user_id: one for user_id, one in after.items() if user_id not in change.leaves}
