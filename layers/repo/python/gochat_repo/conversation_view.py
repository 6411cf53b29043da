"""A conversation as one of its members sees it, as clients are told of it by events."""

from collections.abc import Collection

import msgspec

from gochat_contracts.views import ConversationView, UserView
from gochat_core.clock import rfc3339
from gochat_core.types import UserId
from gochat_repo.conversation_entries import ConversationEntry
from gochat_repo.message_view import view_message
from gochat_repo.reactions import ReactionKey
from gochat_repo.users import User

_encode = msgspec.json.Encoder().encode


def view_user(user: User) -> UserView:
    """Return the `user` object of the protocol."""
    return UserView(
        user_id=str(user.user_id),
        username=user.username,
        display_name=user.display_name,
        avatar_url=user.avatar_url,
        created_at=rfc3339(user.created_at_ms),
    )


def view_conversation(
    entry: ConversationEntry, viewer: UserId, unlisted: Collection[ReactionKey] = ()
) -> ConversationView:
    """Return the `conversation` object of the protocol; `unlisted` is about the last message's reactions."""
    return ConversationView(
        conversation_id=entry.conversation_id,
        type=entry.type,
        name=entry.name,
        group_id=None if entry.group_id is None else str(entry.group_id),
        peer=None if entry.peer is None else view_user(entry.peer),
        peer_delivered_seq=entry.peer_delivered_seq,
        peer_read_seq=entry.peer_read_seq,
        member_count=entry.member_count,
        last_message=None if entry.last_message is None else view_message(entry.last_message, viewer, unlisted),
        last_seq=entry.own.last_seq,
        change=entry.change,
        read_seq=entry.own.seen_seq,
        unread_count=entry.own.unread_count,
        muted=entry.is_muted,
        pinned=entry.is_pinned,
        updated_at=rfc3339(entry.activity_at_ms),
    )


def encode_conversation_event(
    entry: ConversationEntry, viewer: UserId, unlisted: Collection[ReactionKey] = ()
) -> msgspec.Raw:
    """Return the data of `conversation.created` and `conversation.updated` for one member.

    `hidden` is there, and true, while the member hides the conversation: the device is to forget it.
    """
    data: dict[str, object] = {"conversation": view_conversation(entry, viewer, unlisted)}
    return msgspec.Raw(_encode(data | {"hidden": True} if entry.is_hidden else data))
