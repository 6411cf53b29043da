"""Writes what im-logic answers as the JSON values that clients see."""

from collections.abc import Mapping

import msgspec

from gochat_aws.registry.instances import Instance
from gochat_contracts.logic import auth_pb2, contacts_pb2, conversations_pb2, groups_pb2, messages_pb2, users_pb2
from gochat_contracts.views import MessageView, ReactionView
from gochat_core.clock import rfc3339

Value = Mapping[str, object]


def user(message: users_pb2.User) -> Value:
    """Write a profile."""
    return {
        "user_id": str(message.user_id),
        "username": message.username,
        "display_name": message.display_name,
        "avatar_url": message.avatar_url if message.HasField("avatar_url") else None,
        "created_at": rfc3339(message.created_at_ms),
    }


def session(message: auth_pb2.Session) -> Value:
    """Write a login."""
    return {
        "session_id": str(message.session_id),
        "device_id": message.device_id,
        "platform": message.platform,
        "created_at": rfc3339(message.created_at_ms),
        "last_used_at": rfc3339(message.last_used_at_ms),
        "current": message.current,
    }


def gateway(cell: Instance) -> Value:
    """Write a WebSocket entry point."""
    return {"gateway_id": cell.instance_id, "url": cell.endpoint, "region": cell.region, "weight": cell.weight}


def tokens(pair: auth_pb2.TokenPair, *, websocket_url: str) -> Value:
    """Write the answer to a login or a refresh."""
    return {
        "access_token": pair.access_token,
        "refresh_token": pair.refresh_token,
        "token_type": "Bearer",
        "expires_in": pair.expires_in_s,
        "user": user(pair.user),
        "websocket_url": websocket_url,
    }


def message(stored: messages_pb2.Message) -> MessageView:
    """Write a message."""
    return MessageView(
        message_id=str(stored.message_id),
        conversation_id=stored.conversation_id,
        seq=stored.seq,
        sender_id=str(stored.sender_id),
        client_msg_id=stored.client_msg_id,
        type=stored.type,
        content=msgspec.Raw(stored.content or b"{}"),
        reply_to_seq=stored.reply_to_seq if stored.HasField("reply_to_seq") else None,
        mentions=list(stored.mentions),
        created_at=rfc3339(stored.created_at_ms),
        edited_at=rfc3339(stored.edited_at_ms) if stored.HasField("edited_at_ms") else None,
        recalled=stored.recalled,
        reactions=[
            ReactionView(
                emoji=one.emoji, count=one.count, mine=one.mine, user_ids=[str(user_id) for user_id in one.user_ids]
            )
            for one in stored.reactions
        ],
        change=stored.change,
    )


def conversation(seen: conversations_pb2.Conversation) -> Value:
    """Write a conversation as its member sees it."""
    return {
        "conversation_id": seen.conversation_id,
        "type": seen.type,
        "name": seen.name if seen.HasField("name") else None,
        "group_id": str(seen.group_id) if seen.HasField("group_id") else None,
        "peer": user(seen.peer) if seen.HasField("peer") else None,
        "peer_delivered_seq": seen.peer_delivered_seq,
        "peer_read_seq": seen.peer_read_seq,
        "member_count": seen.member_count,
        "last_message": message(seen.last_message) if seen.HasField("last_message") else None,
        "last_seq": seen.last_seq,
        "change": seen.change,
        "read_seq": seen.read_seq,
        "unread_count": seen.unread_count,
        "muted": seen.muted,
        "pinned": seen.pinned,
        "updated_at": rfc3339(seen.updated_at_ms),
    }


def friend_request(seen: contacts_pb2.FriendRequest) -> Value:
    """Write a friend request as the caller sees it."""
    return {
        "request_id": str(seen.request_id),
        "user": user(seen.user),
        "direction": seen.direction,
        "message": seen.message if seen.HasField("message") else None,
        "status": seen.status,
        "created_at": rfc3339(seen.created_at_ms),
    }


def friend(seen: contacts_pb2.Friend) -> Value:
    """Write a friend, with presence."""
    return {
        "user": user(seen.user),
        "remark": seen.remark if seen.HasField("remark") else None,
        "since": rfc3339(seen.since_ms),
        "online": seen.online,
        "last_seen": rfc3339(seen.last_seen_ms) if seen.HasField("last_seen_ms") else None,
    }


def group(seen: groups_pb2.Group) -> Value:
    """Write a group as its members see it."""
    return {
        "group_id": str(seen.group_id),
        "conversation_id": seen.conversation_id,
        "name": seen.name,
        "avatar_url": seen.avatar_url if seen.HasField("avatar_url") else None,
        "announcement": seen.announcement if seen.HasField("announcement") else None,
        "owner_id": str(seen.owner_id),
        "member_count": seen.member_count,
        "muted_all": seen.muted_all,
        "created_at": rfc3339(seen.created_at_ms),
        "dissolved_at": rfc3339(seen.dissolved_at_ms) if seen.HasField("dissolved_at_ms") else None,
    }


def group_member(seen: groups_pb2.GroupMember) -> Value:
    """Write what somebody is in a group."""
    return {
        "user": user(seen.user),
        "role": seen.role,
        "muted_until": rfc3339(seen.muted_until_ms) if seen.HasField("muted_until_ms") else None,
        "joined_at": rfc3339(seen.joined_at_ms),
    }
