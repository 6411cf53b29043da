"""The token of /sync: since when a device wants to know, and where its walk over what moved stands."""

import msgspec

from gochat_core.cursors import read_cursor, write_cursor
from gochat_core.errors import ConversationNotFound, FieldFault, InvalidRequest
from gochat_core.ids import parse_conversation_id
from gochat_core.types import ConversationId, UserId
from gochat_repo.sync import WalkPosition

CURSOR = "sync"

_EVERYTHING = -1
_MOST = (1 << 63) - 1
_FIELD = "token"


class Rest(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation whose list of mutated messages was cut: it goes on after `change`."""

    conversation_id: ConversationId
    change: int


class SyncToken(msgspec.Struct, frozen=True, kw_only=True):
    """`since_ms` None means everything. While a walk has more, `began_ms` and `position` say since when and how far."""

    since_ms: int | None
    began_ms: int | None = None
    position: WalkPosition | None = None
    rest: Rest | None = None


def write_token(user_id: UserId, token: SyncToken) -> str:
    """Write a token for this user."""
    moved_at_ms, at = token.position or (0, "")
    return write_cursor(
        CURSOR,
        user_id,
        _EVERYTHING if token.since_ms is None else token.since_ms,
        token.began_ms or 0,
        moved_at_ms,
        at,
        token.rest.conversation_id if token.rest else "",
        token.rest.change if token.rest else 0,
    )


def read_token(user_id: UserId, text: str) -> SyncToken:
    """Read a token; raises `InvalidRequest` for one that was tampered with, cut, or written for somebody else.

    Its check is no secret, and needs none: whatever a token says that somebody made up, a user is shown that user's own
    conversations.
    """
    owner, since_ms, began_ms, moved_at_ms, at, rest, change = read_cursor(
        CURSOR, text, int, int, int, int, str, str, int, field=_FIELD
    )
    numbers = (since_ms - _EVERYTHING, began_ms, moved_at_ms, change)
    if owner != user_id or not all(0 <= number <= _MOST for number in numbers):
        raise _refusal()
    try:
        return SyncToken(
            since_ms=None if since_ms == _EVERYTHING else since_ms,
            began_ms=began_ms or None,
            position=(moved_at_ms, parse_conversation_id(at)) if at else None,
            rest=Rest(conversation_id=parse_conversation_id(rest), change=change) if rest else None,
        )
    except ConversationNotFound:
        raise _refusal() from None


def _refusal() -> InvalidRequest:
    return InvalidRequest(faults=[FieldFault(field=_FIELD, message="is not a token of this list")])
