"""The events that tell both sides' devices what became of a friend request or a friendship. Pure."""

from typing import Literal

import msgspec

from gochat_core.ids import single_conversation_id
from gochat_core.types import UserId
from gochat_repo.contact_view import view_request
from gochat_repo.friend_requests import FriendRequest, SeenRequest
from gochat_repo.outbox import OutboxEntry
from gochat_repo.users import User

RequestEvent = Literal["friend.requested", "friend.accepted", "friend.rejected", "friend.withdrawn"]

_EVENTS: dict[str, RequestEvent] = {
    "pending": "friend.requested",
    "accepted": "friend.accepted",
    "rejected": "friend.rejected",
    "withdrawn": "friend.withdrawn",
}

FRIEND_REMOVED = "friend.removed"

_encode = msgspec.json.Encoder().encode


def tell_request(request: FriendRequest, one: User, other: User, *, number: int) -> OutboxEntry:
    """Return what is to be announced of a request in its present status: to either, as that one sees it."""
    return OutboxEntry(
        conversation_id=request.conversation_id,
        kind="notice",
        number=number,
        payload=_encode([
            {
                "user_id": viewer.user_id,
                "event": _EVENTS[request.status],
                "data": {"request": view_request(SeenRequest(request=request, peer=peer))},
            }
            for viewer, peer in ((one, other), (other, one))
        ]),
    )  # fmt: skip


def tell_removal(one: UserId, other: UserId, *, number: int) -> OutboxEntry:
    """Return what is to be announced of a friendship that ended: to either, who the other one was."""
    return OutboxEntry(
        conversation_id=single_conversation_id(one, other),
        kind="notice",
        number=number,
        payload=_encode([
            {"user_id": viewer, "event": FRIEND_REMOVED, "data": {"user_id": str(peer)}}
            for viewer, peer in ((one, other), (other, one))
        ]),
    )  # fmt: skip
