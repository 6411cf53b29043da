"""Writes friend requests and friends as protobuf messages."""

from gochat_contracts.logic import contacts_pb2
from gochat_repo.friend_requests import SeenRequest
from gochat_repo.friendships import Friend
from logic.rpc.account_messages import user_message


def request_message(seen: SeenRequest) -> contacts_pb2.FriendRequest:
    """Write a friend request as one of the two sees it."""
    return contacts_pb2.FriendRequest(
        request_id=seen.request.request_id,
        user=user_message(seen.peer),
        direction=seen.direction,
        message=seen.request.message,
        status=seen.request.status,
        created_at_ms=seen.request.created_at_ms,
    )


def friend_message(friend: Friend) -> contacts_pb2.Friend:
    """Write a friend with presence."""
    return contacts_pb2.Friend(
        user=user_message(friend.user),
        remark=friend.remark,
        since_ms=friend.since_ms,
        online=friend.is_online,
        last_seen_ms=friend.last_seen_ms,
    )
