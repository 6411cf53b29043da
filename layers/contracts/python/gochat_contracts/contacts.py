"""What a client may send about contacts, and how clients see a friend request: the same rules at every door."""

from typing import Annotated

import msgspec

from gochat_contracts.views import UserView

_LINE = r"^(?:(?=.*\S)[^\x00-\x1f\x7f-\x9f\u2028\u2029]*)?\Z"
"""One line with something to see in it, or nothing at all."""

RequestMessage = Annotated[str, msgspec.Meta(max_length=200, pattern=_LINE)]
Remark = Annotated[str, msgspec.Meta(max_length=64, pattern=_LINE)]


class FriendRequestBody(msgspec.Struct, frozen=True, kw_only=True):
    """POST /friends/requests: an empty message is none."""

    user_id: str
    message: RequestMessage | None = None


class FriendBody(msgspec.Struct, frozen=True, kw_only=True):
    """PATCH /friends/{user_id}: an absent remark stays as it is, null or an empty one removes it."""

    remark: Remark | msgspec.UnsetType | None = msgspec.UNSET


class FriendRequestView(msgspec.Struct, frozen=True, kw_only=True):
    """A `request` as one of the two sees it, over REST and WebSocket alike; `user` is the other one."""

    request_id: str
    user: UserView
    direction: str
    message: str | None
    status: str
    created_at: str
