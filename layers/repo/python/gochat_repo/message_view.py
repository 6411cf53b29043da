"""A stored message as clients see it, over WebSocket and REST alike."""

import msgspec

from gochat_contracts.views import MessageView
from gochat_core.clock import rfc3339
from gochat_repo.messages import StoredMessage

_encode = msgspec.json.Encoder().encode


def view_message(message: StoredMessage) -> MessageView:
    """Return the `message` object of the protocol; its content is passed on as it is stored, never decoded."""
    return MessageView(
        message_id=str(message.message_id),
        conversation_id=message.conversation_id,
        seq=message.seq,
        sender_id=str(message.sender_id),
        client_msg_id=message.client_msg_id,
        type=message.type,
        content=msgspec.Raw(message.content),
        reply_to_seq=message.reply_to_seq,
        mentions=list(message.mentions),
        created_at=rfc3339(message.created_at_ms),
        edited_at=None if message.edited_at_ms is None else rfc3339(message.edited_at_ms),
        recalled=message.recalled_at_ms is not None,
        reactions=[],
        change=message.change,
    )


def encode_message(message: StoredMessage) -> msgspec.Raw:
    """Return the view as JSON, encoded once for however many recipients."""
    return msgspec.Raw(_encode(view_message(message)))
