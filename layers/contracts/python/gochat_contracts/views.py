"""What clients see of a message, over REST and WebSocket alike."""

import msgspec


class ReactionView(msgspec.Struct, frozen=True, kw_only=True):
    """One emoji below a message; `user_ids` are the first 20 who reacted with it, `mine` is the viewer's."""

    emoji: str
    count: int
    mine: bool
    user_ids: list[str]


class MessageView(msgspec.Struct, frozen=True, kw_only=True):
    """A `message` as clients see it, over REST and WebSocket alike (protocol, "message")."""

    message_id: str
    conversation_id: str
    seq: int
    sender_id: str
    client_msg_id: str
    type: str
    content: msgspec.Raw
    reply_to_seq: int | None
    mentions: list[str]
    created_at: str
    edited_at: str | None
    recalled: bool
    reactions: list[ReactionView]
    change: int
