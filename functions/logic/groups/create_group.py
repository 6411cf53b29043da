"""CreateGroup: make a group, with whoever calls as its owner."""

import msgspec

from gochat_core.ids import group_ids
from gochat_core.types import UserId
from gochat_repo.conversations import lock_conversations
from gochat_repo.group_conversations import insert_group_conversation
from gochat_repo.group_members import GroupMember
from gochat_repo.groups import Group, insert_group
from gochat_repo.mysql import Transaction
from gochat_repo.mysql_errors import DuplicateKey, LockConflict
from gochat_repo.outbox import OutboxEntry
from logic.conversations.seen_conversation import SeenConversation, see_conversation
from logic.groups.access_group import access_group
from logic.groups.group_change import CREATED, GroupChange, GroupSize, write_group_change
from logic.groups.invitees import Invitees, plan_joins
from logic.groups.permissions import Role
from logic.groups.ports import GroupPorts


class NewGroup(msgspec.Struct, frozen=True, kw_only=True):
    """What a group begins with; `name` is trimmed."""

    name: str
    avatar_url: str | None
    announcement: str | None
    invitees: Invitees


class CreatedGroup(msgspec.Struct, frozen=True, kw_only=True):
    """The group, and its conversation as the owner sees it."""

    group: Group
    seen: SeenConversation


def create_group(ports: GroupPorts, caller: UserId, new: NewGroup, *, random: bytes) -> CreatedGroup:
    """Make a group of the caller and the invitees; the same random bytes (16) make the same group, once.

    Everybody named is a member from message 1 on, which says so. Raises `UserNotFound`, `Blocked`, `NotFriends`,
    `GroupFull`, `Unavailable`; of a refusal nothing is left. At most twelve database round trips before it is
    announced.
    """

    def work(tx: Transaction) -> tuple[CreatedGroup, list[OutboxEntry]]:
        group_id, conversation_id = group_ids(random)
        noted: list[OutboxEntry] = []
        if lock_conversations(tx, [conversation_id]):
            group, _ = access_group(tx, caller, group_id)
        else:
            now_ms = ports.clock.now_ms()
            group = Group(
                group_id=group_id,
                conversation_id=conversation_id,
                name=new.name,
                avatar_url=new.avatar_url,
                announcement=new.announcement,
                owner_id=caller,
                muted_all=False,
                created_at_ms=now_ms,
                dissolved_at_ms=None,
                member_count=0,
            )
            group, noted = _make(tx, ports, group, new.invitees)
        return CreatedGroup(group=group, seen=see_conversation(tx, caller, conversation_id)), noted

    created, noted = ports.database.transaction(work)
    if noted:
        ports.announce(noted)
    return created


def _make(tx: Transaction, ports: GroupPorts, empty: Group, invitees: Invitees) -> tuple[Group, list[OutboxEntry]]:
    owner_id, now_ms = empty.owner_id, empty.created_at_ms
    joins = plan_joins(
        tx,
        owner_id,
        invitees,
        (),
        room=ports.max_members - 1,
        contacts_only=ports.contacts_only,
        now_ms=now_ms,
    )
    owner = GroupMember(user_id=owner_id, role=Role.OWNER.value, muted_until_ms=None, joined_at_ms=now_ms)
    group = msgspec.structs.replace(empty, member_count=1 + len(joins))
    try:
        insert_group_conversation(tx, group.conversation_id, now_ms=now_ms)
        insert_group(tx, group)
    except DuplicateKey as fault:
        # Another run of the same call made it a moment ago: this one, run again, finds it.
        raise LockConflict from fault
    change = GroupChange(
        group=group,
        event=CREATED,
        details={"user_ids": [str(one.user_id) for one in joins]},
        values={"name": group.name},
        joins=(owner, *joins),
    )
    noted = write_group_change(
        tx,
        change,
        actor_id=owner_id,
        size=GroupSize(is_large=False, large_members=ports.large_members),
        last_seq=0,
        next_id=ports.ids.next_id,
        now_ms=now_ms,
    )
    return group, noted
