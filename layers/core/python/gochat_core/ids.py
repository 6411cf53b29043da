"""Ids: made without coordination, derived where both sides must agree, parsed where they come in from outside."""

import re
import secrets
from hashlib import blake2b

from gochat_core.clock import Clock
from gochat_core.errors import ConversationNotFound, FriendRequestNotFound, GroupNotFound, UserNotFound
from gochat_core.types import ConversationId, FriendRequestId, GroupId, UserId

EPOCH_MS = 1_704_067_200_000
"""2024-01-01T00:00:00Z: with 41 bits of milliseconds the ids last until 2093 and stay below 2**63."""

_RANDOM_BITS = 22
_MAX_ID = (1 << 63) - 1

CLIENT_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
"""The form of `id`, `client_msg_id` and `device_id` (protocol, conventions); match it with `fullmatch`."""

_DECIMAL = re.compile(r"[1-9][0-9]{0,18}")
_HEX_128 = re.compile(r"[0-9a-f]{32}")


class IdMaker:
    """Make 63-bit ids that sort by time: 41 bits of milliseconds, 22 bits from a counter that starts at random.

    Ids of one maker never repeat. Two makers collide only within one millisecond and with about n/4,194,304 for n
    ids made in it, so a table whose key such an id is retries on a duplicate key. Not safe for use by two threads.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last_ms = 0
        self._counter = 0
        self._left = 0

    def next_id(self) -> int:
        """Return the next id; a clock that jumps back does not make ids run backwards."""
        now_ms = self._clock.now_ms()
        if now_ms > self._last_ms:
            self._last_ms = now_ms
            self._counter = secrets.randbits(_RANDOM_BITS)
            self._left = 1 << _RANDOM_BITS
        elif self._left == 0:
            self._last_ms += 1
            self._left = 1 << _RANDOM_BITS
        self._left -= 1
        self._counter = (self._counter + 1) & ((1 << _RANDOM_BITS) - 1)
        return ((self._last_ms - EPOCH_MS) << _RANDOM_BITS) | self._counter


def single_conversation_id(one: UserId, other: UserId) -> ConversationId:
    """Derive the id of the single chat of two users, without a look-up: 128 bits of BLAKE2b over the sorted pair."""
    low, high = sorted((one, other))
    return ConversationId(blake2b(b"single:%d:%d" % (low, high), digest_size=16).hexdigest())


def parse_user_id(text: str) -> UserId:
    """Read a user id that came from a client; whatever cannot be one is a user that does not exist."""
    if _DECIMAL.fullmatch(text) and int(text) <= _MAX_ID:
        return UserId(int(text))
    raise UserNotFound


def parse_friend_request_id(text: str) -> FriendRequestId:
    """Read a friend request's id that came from a client; whatever cannot be one is a request that does not exist."""
    if _DECIMAL.fullmatch(text) and int(text) <= _MAX_ID:
        return FriendRequestId(int(text))
    raise FriendRequestNotFound


def group_ids(random: bytes) -> tuple[GroupId, ConversationId]:
    """Return the ids of a new group and of its conversation; 16 random bytes make them, the same bytes the same ids.

    They don't sort by time: a creation that runs again later must come to the same ids.
    """
    digest = blake2b(random, digest_size=24, person=b"group").digest()
    return GroupId(int.from_bytes(digest[:8]) >> 1 or 1), ConversationId(digest[8:].hex())


def parse_group_id(text: str) -> GroupId:
    """Read a group's id that came from a client; whatever cannot be one is a group that does not exist."""
    if _DECIMAL.fullmatch(text) and int(text) <= _MAX_ID:
        return GroupId(int(text))
    raise GroupNotFound


def parse_conversation_id(text: str) -> ConversationId:
    """Read a conversation id that came from a client; whatever cannot be one is a conversation that does not exist."""
    if _HEX_128.fullmatch(text):
        return ConversationId(text)
    raise ConversationNotFound
