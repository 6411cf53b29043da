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


class UserView(msgspec.Struct, frozen=True, kw_only=True):
    """A `user` as everybody may see it (protocol, "user")."""

    user_id: str
    username: str
    display_name: str
    avatar_url: str | None
    created_at: str


class ConversationView(msgspec.Struct, frozen=True, kw_only=True):
    """A `conversation` as one of its members sees it (protocol, "conversation")."""

    conversation_id: str
    type: str
    name: str | None
    group_id: str | None
    peer: UserView | None
    peer_delivered_seq: int
    peer_read_seq: int
    member_count: int
    last_message: MessageView | None
    last_seq: int
    change: int
    read_seq: int
    unread_count: int
    muted: bool
    pinned: bool
    updated_at: str


class GroupView(msgspec.Struct, frozen=True, kw_only=True):
    """A `group` as its members see it (protocol, "group")."""

    group_id: str
    conversation_id: str
    name: str
    avatar_url: str | None
    announcement: str | None
    owner_id: str
    member_count: int
    muted_all: bool
    created_at: str
    dissolved_at: str | None
