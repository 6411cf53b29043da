"""What stands between two people: the lock that puts all they do at once in an order, and the state behind it."""

import msgspec

from gochat_core.ids import single_conversation_id
from gochat_core.types import FriendRequestId, UserId
from gochat_repo.friend_requests import REQUEST_COLUMNS, REQUEST_WIDTH, FriendRequest, request_from_row
from gochat_repo.mysql import Transaction
from gochat_repo.profile_rows import PROFILE_WIDTH, profile_columns, profile_from_row
from gochat_repo.users import User


class PairState(msgspec.Struct, frozen=True, kw_only=True):
    """All that a decision about two people needs; of an account that was erased or never was there is no profile."""

    caller: User | None
    peer: User | None
    has_blocked: bool
    """Whether the caller has blocked the peer."""
    is_blocked: bool
    """Whether the peer has blocked the caller."""
    are_friends: bool
    request: FriendRequest | None
    """The pending request between the two, or the one that was asked for."""


_STATE = f"""
SELECT EXISTS (SELECT 1 FROM blocks WHERE conversation_id = %s AND blocker_id = %s),
       EXISTS (SELECT 1 FROM blocks WHERE conversation_id = %s AND blocker_id = %s),
       EXISTS (SELECT 1 FROM friendships WHERE conversation_id = %s),
       {profile_columns("c")}, {profile_columns("p")}, {REQUEST_COLUMNS}
  FROM (SELECT 1 AS here) o
  LEFT JOIN users c ON c.user_id = %s AND c.username IS NOT NULL
  LEFT JOIN users p ON p.user_id = %s AND p.username IS NOT NULL
  LEFT JOIN friend_requests r ON
"""  # noqa: S608 - constants only
_WITH_PENDING = _STATE + "r.conversation_id = %s AND r.status = 'pending'"
_WITH_REQUEST = _STATE + "r.request_id = %s"


def lock_pair(tx: Transaction, one: UserId, other: UserId) -> None:
    """Wait until this transaction is the only one that changes what stands between the two.

    The row is made when it is not there yet. To be called behind the lock of their conversation (docs/concurrency.md).
    """
    tx.execute(
        "INSERT INTO contact_pairs (conversation_id) VALUES (%s) ON DUPLICATE KEY UPDATE conversation_id ="
        " VALUES(conversation_id)",
        (_key(one, other),),
    )


def get_pair_state(
    tx: Transaction, caller: UserId, peer: UserId, *, request_id: FriendRequestId | None = None
) -> PairState:
    """Read the state of a pair in one statement, with the named request or, unless one is named, the pending one.

    Unless the pair is locked before, the state may change until the transaction ends.
    """
    key = _key(caller, peer)
    about = (key, caller, key, peer, key, caller, peer)
    if request_id is None:
        (row,) = tx.query(_WITH_PENDING, (*about, key))
    else:
        (row,) = tx.query(_WITH_REQUEST, (*about, request_id))
    own, other, request = row[3 : 3 + PROFILE_WIDTH], row[3 + PROFILE_WIDTH : -REQUEST_WIDTH], row[-REQUEST_WIDTH:]
    return PairState(
        has_blocked=bool(row[0]),
        is_blocked=bool(row[1]),
        are_friends=bool(row[2]),
        caller=None if own[0] is None else profile_from_row(own),
        peer=None if other[0] is None else profile_from_row(other),
        request=None if request[0] is None else request_from_row(request),
    )


def _key(one: UserId, other: UserId) -> bytes:
    return bytes.fromhex(single_conversation_id(one, other))
