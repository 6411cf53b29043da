"""Writes messages and conversations as protobuf messages."""

from gochat_contracts.logic import conversations_pb2, messages_pb2
from gochat_repo.conversation_entries import ConversationEntry
from gochat_repo.messages import StoredMessage
from logic.rpc.account_messages import user_message


def message_message(message: StoredMessage) -> messages_pb2.Message:
    """Write a stored message."""
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
    )


def conversation_message(entry: ConversationEntry) -> conversations_pb2.Conversation:
    """Write a conversation as one member sees it; what that member sent counts as read."""
    return conversations_pb2.Conversation(
        conversation_id=entry.conversation_id,
        type=entry.type,
        peer=None if entry.peer is None else user_message(entry.peer),
        peer_delivered_seq=entry.peer_delivered_seq,
        peer_read_seq=entry.peer_read_seq,
        member_count=entry.member_count,
        last_message=None if entry.last_message is None else message_message(entry.last_message),
        last_seq=entry.own.last_seq,
        change=entry.change,
        read_seq=entry.own.seen_seq,
        unread_count=entry.own.unread_count,
        muted=entry.is_muted,
        pinned=entry.is_pinned,
        updated_at_ms=entry.activity_at_ms,
    )
