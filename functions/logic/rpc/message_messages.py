"""Writes messages and conversations as protobuf messages."""

from collections.abc import Collection

from gochat_contracts.logic import conversations_pb2, messages_pb2
from gochat_core.types import UserId
from gochat_repo.conversation_entries import ConversationEntry
from gochat_repo.messages import StoredMessage
from gochat_repo.reactions import ReactionKey
from logic.rpc.account_messages import user_message


def message_message(
    message: StoredMessage, viewer: UserId, unlisted: Collection[ReactionKey] = ()
) -> messages_pb2.Message:
    """Write a stored message as `viewer` sees it; `unlisted` is what `find_unlisted_viewers` told of the viewer."""
    return messages_pb2.Message(
        message_id=message.message_id,
        conversation_id=message.conversation_id,
        seq=message.seq,
        sender_id=message.sender_id,
        client_msg_id=message.client_msg_id,
        type=message.type,
        content=message.content,
        reply_to_seq=message.reply_to_seq,
        mentions=message.mentions,
        created_at_ms=message.created_at_ms,
        edited_at_ms=message.edited_at_ms,
        recalled=message.recalled_at_ms is not None,
        change=message.change,
        reactions=[
            messages_pb2.Reaction(
                emoji=one.emoji,
                count=one.count,
                mine=viewer in one.user_ids or (message.conversation_id, message.seq, one.emoji, viewer) in unlisted,
                user_ids=one.user_ids,
            )
            for one in message.reactions
        ],
    )


def conversation_message(
    entry: ConversationEntry, viewer: UserId, unlisted: Collection[ReactionKey] = ()
) -> conversations_pb2.Conversation:
    """Write a conversation as one member sees it; what that member sent counts as read."""
    last = entry.last_message
    return conversations_pb2.Conversation(
        conversation_id=entry.conversation_id,
        type=entry.type,
        name=entry.name,
        group_id=entry.group_id,
        peer=None if entry.peer is None else user_message(entry.peer),
        peer_delivered_seq=entry.peer_delivered_seq,
        peer_read_seq=entry.peer_read_seq,
        member_count=entry.member_count,
        last_message=None if last is None else message_message(last, viewer, unlisted),
        last_seq=entry.own.last_seq,
        change=entry.change,
        read_seq=entry.own.seen_seq,
        unread_count=entry.own.unread_count,
        muted=entry.is_muted,
        pinned=entry.is_pinned,
        updated_at_ms=entry.activity_at_ms,
    )
