"""What one act does to a group, and how it is written: rows, the message that tells of it, and the outbox."""

from collections.abc import Callable, Mapping
from hashlib import blake2b

import msgspec

from gochat_core.types import ClientMsgId, MessageId, Seq, UserId
from gochat_repo.group_conversations import mark_large, move_group_conversation
from gochat_repo.group_members import (
    GroupMember,
    begin_participation,
    delete_group_members,
    end_participation,
    save_group_members,
)
from gochat_repo.group_view import view_group
from gochat_repo.groups import Group, update_group
from gochat_repo.messages import StoredMessage, insert_messages
from gochat_repo.mysql import Transaction
from gochat_repo.outbox import OutboxEntry, insert_outbox

CREATED = "group.created"
"""What the first message of a group tells; there is no event of this name: `conversation.created` says it."""

INVITED = "group.invited"
MEMBER_JOINED = "group.member_joined"
MEMBER_LEFT = "group.member_left"
UPDATED = "group.updated"
DISSOLVED = "group.dissolved"

_encode = msgspec.json.Encoder().encode


class GroupChange(msgspec.Struct, frozen=True, kw_only=True):
    """The group afterwards, who came, who went, whose row is another; `event` names it for clients.

    `details` stand in the event and in the message of the group's history, `values` in the message alone: the event
    has the whole group.
    """

    group: Group
    event: str
    details: Mapping[str, object] = {}
    values: Mapping[str, object] = {}
    joins: tuple[GroupMember, ...] = ()
    leaves: tuple[UserId, ...] = ()
    members: tuple[GroupMember, ...] = ()


class GroupSize(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a group is large already, and from how many members on one is."""

    is_large: bool
    large_members: int


def write_group_change(
    tx: Transaction,
    change: GroupChange,
    *,
    actor_id: UserId,
    size: GroupSize,
    last_seq: int,
    next_id: Callable[[], int],
    now_ms: int,
) -> list[OutboxEntry]:
    """Write a change in the transaction that holds the group's conversation; returns what is to be announced.

    Who joins belongs from the message on that tells of it, who leaves no longer gets that one. Seven statements at
    most, ten at a creation, one more when the group becomes large; a row for each member of a small group.
    """
    conversation_id, seq = change.group.conversation_id, Seq(last_seq + 1)
    is_large = size.is_large or bool(change.joins and change.group.member_count >= size.large_members)
    if is_large and not size.is_large and change.event != CREATED:
        mark_large(tx, conversation_id)
    if change.joins:
        joining = [one.user_id for one in change.joins]
        begin_participation(tx, conversation_id, joining, join_seq=seq, is_large=is_large, now_ms=now_ms)
    if change.leaves:
        end_participation(tx, conversation_id, change.leaves, left_seq=seq, now_ms=now_ms)
        delete_group_members(tx, conversation_id, change.leaves)
    if change.joins or change.members:
        save_group_members(tx, conversation_id, [*change.joins, *change.members])
    if change.event not in (CREATED, MEMBER_JOINED):
        update_group(tx, change.group)
    insert_messages(tx, [_message(change, actor_id, seq, next_id(), now_ms)])
    move_group_conversation(
        tx,
        conversation_id,
        seq=seq,
        actor_id=actor_id,
        member_count=change.group.member_count,
        members_changed=bool(change.joins or change.leaves),
        is_large=is_large,
        now_ms=now_ms,
    )
    noted = plan_noted(change, actor_id, seq, next_id)
    insert_outbox(tx, noted, now_ms=now_ms)
    return noted


def plan_noted(change: GroupChange, actor_id: UserId, seq: Seq, next_id: Callable[[], int]) -> list[OutboxEntry]:
    """Return the outbox rows of a change: its message, the conversation for who came in, and the events. Pure."""
    conversation_id, group = change.group.conversation_id, view_group(change.group)
    noted = [OutboxEntry(conversation_id=conversation_id, kind="message", number=seq)]

    def note(event: str, data: Mapping[str, object], **audience: object) -> None:
        payload = {"event": event, "data": {"group": group, "seq": seq, **data}, "at_seq": seq, **audience}
        noted.append(
            OutboxEntry(conversation_id=conversation_id, kind="group", number=next_id(), payload=_encode(payload))
        )

    invited = [one.user_id for one in change.joins if one.user_id != actor_id]
    # At a creation whoever makes the group, too, has another conversation.
    noted += [OutboxEntry(conversation_id=conversation_id, kind="created", number=one.user_id) for one in change.joins]
    if change.event != CREATED:
        note(change.event, {"actor_id": str(actor_id), **change.details}, user_ids=change.leaves)
    if invited:
        note(INVITED, {"inviter_id": str(actor_id)}, members=False, user_ids=invited)
    return noted


def _message(change: GroupChange, actor_id: UserId, seq: Seq, message_id: int, now_ms: int) -> StoredMessage:
    content = _encode({"event": change.event, "actor_id": str(actor_id), **change.details, **change.values})
    return StoredMessage(
        conversation_id=change.group.conversation_id,
        seq=seq,
        message_id=MessageId(message_id),
        sender_id=actor_id,
        client_msg_id=ClientMsgId(f"{change.event}:{message_id}"),
        content_hash=blake2b(content, digest_size=16).digest(),
        type="system",
        content=content,
        reply_to_seq=None,
        mentions=(),
        created_at_ms=now_ms,
    )
