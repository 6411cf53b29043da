"""Lists a member's conversations, newest activity first."""

from dataclasses import dataclass

from gochat_core.cursors import read_cursor, write_cursor
from gochat_core.types import ConversationId, UserId
from gochat_repo.conversation_entries import ConversationEntry, list_entries
from gochat_repo.mysql import Database

CURSOR = "conversations"


@dataclass(frozen=True, kw_only=True, slots=True)
class ConversationPage:
    """One page, and where the next one begins (None at the end)."""

    entries: tuple[ConversationEntry, ...]
    next_cursor: str | None


def list_conversations(database: Database, caller: UserId, *, limit: int, cursor: str | None) -> ConversationPage:
    """Return a page of the caller's conversations in one database round trip; raises `InvalidRequest` for the cursor.

    A conversation that becomes active while one pages moves to the front, where the next first page shows it.
    """
    after = None if cursor is None else _read(cursor)
    entries = database.read(lambda tx: list_entries(tx, caller, after=after, limit=limit + 1))
    page = entries[:limit]
    more = len(entries) > limit
    return ConversationPage(
        entries=tuple(page),
        next_cursor=write_cursor(CURSOR, page[-1].activity_at_ms, page[-1].conversation_id) if more else None,
    )


def _read(cursor: str) -> tuple[int, ConversationId]:
    activity_at_ms, conversation_id = read_cursor(CURSOR, cursor, int, str)
    return activity_at_ms, ConversationId(conversation_id)
