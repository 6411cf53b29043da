"""Friend requests: who asked whom, and what became of it."""

from typing import Literal

import msgspec

from gochat_core.ids import single_conversation_id
from gochat_core.types import ConversationId, FriendRequestId, UserId
from gochat_repo.mysql import Row, Transaction
from gochat_repo.profile_rows import profile_columns, profile_from_row
from gochat_repo.users import User

RequestStatus = Literal["pending", "accepted", "rejected", "withdrawn"]


class FriendRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One row of `friend_requests`; `withdrawn`: one of the two has blocked the other before it was decided."""

    request_id: FriendRequestId
    sender_id: UserId
    recipient_id: UserId
    message: str | None
    status: RequestStatus
    created_at_ms: int

    @property
    def conversation_id(self) -> ConversationId:
        """The single chat of the two."""
        return single_conversation_id(self.sender_id, self.recipient_id)

    def other_than(self, user_id: UserId) -> UserId:
        """Return the other one of the two."""
        return self.recipient_id if user_id == self.sender_id else self.sender_id


class SeenRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request beside the profile of the other one of the two, as one of them sees it."""

    request: FriendRequest
    peer: User

    @property
    def direction(self) -> Literal["incoming", "outgoing"]:
        """Whether its viewer received it or sent it."""
        return "outgoing" if self.peer.user_id == self.request.recipient_id else "incoming"


REQUEST_COLUMNS = "r.request_id, r.sender_id, r.recipient_id, r.message, r.status, r.created_at_ms"
"""For a SELECT that joins `friend_requests r`; `request_from_row` reads them."""

REQUEST_WIDTH = 6
"""How many columns that are."""

# Each half is read backwards along its own key, and stops when a page is full; who has erased the account is left out.
_HALF = f"""
(SELECT {REQUEST_COLUMNS}, {profile_columns("u")}
   FROM friend_requests r FORCE INDEX ({{index}})
   STRAIGHT_JOIN users u ON u.user_id = r.{{peer}} AND u.username IS NOT NULL
  WHERE r.{{own}} = %s AND r.request_id < %s
  ORDER BY r.request_id DESC LIMIT %s)
"""  # noqa: S608 - constants only
_PAGE = (
    _HALF.format(index="friend_requests_sender", own="sender_id", peer="recipient_id")
    + "UNION ALL"
    + _HALF.format(index="friend_requests_recipient", own="recipient_id", peer="sender_id")
    + "ORDER BY request_id DESC LIMIT %s"
)

MAX_ID = (1 << 63) - 1


def list_requests(tx: Transaction, user_id: UserId, *, before: int | None, limit: int) -> list[SeenRequest]:
    """Read a page of what somebody sent and received, newest first, in one statement; `before` ended the last page.

    Costs what the page holds, however many requests there are.
    """
    below = MAX_ID if before is None else before
    rows = tx.query(_PAGE, (user_id, below, limit, user_id, below, limit, limit))
    return [
        SeenRequest(request=request_from_row(row[:REQUEST_WIDTH]), peer=profile_from_row(row[REQUEST_WIDTH:]))
        for row in rows
    ]


def get_request(tx: Transaction, request_id: FriendRequestId) -> FriendRequest | None:
    """Read one request."""
    rows = tx.query(
        f"SELECT {REQUEST_COLUMNS} FROM friend_requests r WHERE r.request_id = %s",  # noqa: S608 - constant
        (request_id,),
    )
    return request_from_row(rows[0]) if rows else None


def insert_request(tx: Transaction, request: FriendRequest) -> None:
    """Insert a request; the pair is locked. Raises `DuplicateKey` when the id is in use."""
    tx.execute(
        "INSERT INTO friend_requests (request_id, conversation_id, sender_id, recipient_id, message, status,"
        " created_at_ms) VALUES (%s, %s, %s, %s, %s, %s, %s)",
        (
            request.request_id,
            bytes.fromhex(request.conversation_id),
            request.sender_id,
            request.recipient_id,
            request.message,
            request.status,
            request.created_at_ms,
        ),
    )


def close_request(tx: Transaction, request: FriendRequest, *, now_ms: int) -> None:
    """Write the status that a request was given; the pair is locked."""
    tx.execute(
        "UPDATE friend_requests SET status = %s, decided_at_ms = %s WHERE request_id = %s",
        (request.status, now_ms, request.request_id),
    )


def request_from_row(row: Row) -> FriendRequest:
    """Read the columns that REQUEST_COLUMNS names."""
    request_id, sender_id, recipient_id, message, status, created_at_ms = row
    return FriendRequest(
        request_id=request_id,
        sender_id=sender_id,
        recipient_id=recipient_id,
        message=message,
        status=status,
        created_at_ms=created_at_ms,
    )
