"""A friend request as one of the two sees it, as clients are told of it by events."""

from gochat_contracts.contacts import FriendRequestView
from gochat_core.clock import rfc3339
from gochat_repo.conversation_view import view_user
from gochat_repo.friend_requests import SeenRequest


def view_request(seen: SeenRequest) -> FriendRequestView:
    """Return the `request` object of the protocol."""
    return FriendRequestView(
        request_id=str(seen.request.request_id),
        user=view_user(seen.peer),
        direction=seen.direction,
        message=seen.request.message,
        status=seen.request.status,
        created_at=rfc3339(seen.request.created_at_ms),
    )
