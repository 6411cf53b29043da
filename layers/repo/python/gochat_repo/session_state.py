"""Whether a login still stands, as Redis knows it: read beside the user's tokens, written with every revocation."""

import random
from collections.abc import Iterable
from enum import Enum

from gochat_core.types import SessionId, UserId
from gochat_repo.cache import Command, Reply, command

ACTIVE_TTL_S = 300
"""How long an entry that says "active" may live: the table is asked so seldom for whoever writes now and then.

It also bounds how long an entry can mislead that a revocation could not reach, because Redis was away for it alone.
"""

REVOKED_TTL_S = 20 * 60
"""Longer than an access token lives: with the entry gone, no token of the session is left."""

ENDING_TTL_S = 30
"""How long a revocation that is under way keeps others from remembering its session as active."""

_ACTIVE = b"active"
_ENDING = b"ending"
_REVOKED = b"revoked"


class SessionState(Enum):
    """What Redis says of a session; UNKNOWN means: ask the table `sessions`."""

    ACTIVE = "active"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


def state_key(user_id: UserId, session_id: SessionId) -> str:
    """Name the key; tagged with the user, so that it shares a slot with the user's token bucket `bucket:{user_id}`."""
    return f"user_token:{{{user_id}}}:{session_id}"


def state_command(user_id: UserId, session_id: SessionId) -> Command:
    """Make the command that reads a session's state, for a pipeline that is sent anyway."""
    return command("GET", state_key(user_id, session_id))


def parse_state(reply: Reply) -> SessionState:
    """Read the reply to `state_command`."""
    if reply == _ACTIVE:
        return SessionState.ACTIVE
    return SessionState.REVOKED if reply == _REVOKED else SessionState.UNKNOWN


def active_command(user_id: UserId, session_id: SessionId) -> Command:
    """Make the command that remembers an active session; it never writes over a revocation."""
    ttl_ms = int(ACTIVE_TTL_S * 1000 * random.uniform(0.8, 1.0))  # noqa: S311 - jitter
    return command("SET", state_key(user_id, session_id), _ACTIVE, "NX", "PX", ttl_ms)


def ending_commands(user_id: UserId, session_ids: Iterable[SessionId]) -> list[Command]:
    """Make the commands that go before the commit of a revocation: from now on readers ask the table.

    A reader that saw the row before the commit can then not fill in "active" after it. If the revocation fails, nothing
    needs to be undone.
    """
    return [command("SET", state_key(user_id, one), _ENDING, "EX", ENDING_TTL_S) for one in session_ids]


def revoked_commands(user_id: UserId, session_ids: Iterable[SessionId]) -> list[Command]:
    """Make the commands that go after the commit of a revocation: refused without a look at the table."""
    return [command("SET", state_key(user_id, one), _REVOKED, "EX", REVOKED_TTL_S) for one in session_ids]
