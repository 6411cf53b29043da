"""Lists a member's conversations, newest activity first."""

from dataclasses import dataclass

from gochat_core.cursors import read_cursor, write_cursor
from gochat_core.errors import ConversationNotFound, FieldFault, InvalidRequest
from gochat_core.ids import parse_conversation_id
from gochat_core.types import ConversationId, UserId
from gochat_repo.conversation_entries import ConversationEntry, list_entries
from gochat_repo.mysql import Database, Transaction
from gochat_repo.reactions import ReactionKey
from logic.conversations.seen_conversation import find_unlisted

CURSOR = "conversations"


@dataclass(frozen=True, kw_only=True, slots=True)
class ConversationPage:
    """One page, and where the next one begins (None at the end); `unlisted` as in `SeenConversation`."""

    entries: tuple[ConversationEntry, ...]
    next_cursor: str | None
    unlisted: frozenset[ReactionKey]


def list_conversations(database: Database, caller: UserId, *, limit: int, cursor: str | None) -> ConversationPage:
    """Return a page of the caller's conversations that are not hidden; raises `InvalidRequest` for the cursor.

    One database round trip, two where more than 20 reacted to one of the last messages. A conversation that becomes
    active while one pages moves to the front, where the next first page shows it.
    """
    after = None if cursor is None else _read(cursor)

    def work(tx: Transaction) -> ConversationPage:
        entries = list_entries(tx, caller, after=after, limit=limit + 1)
        page, has_more = entries[:limit], len(entries) > limit
        return ConversationPage(
            entries=tuple(page),
            next_cursor=write_cursor(CURSOR, page[-1].activity_at_ms, page[-1].conversation_id) if has_more else None,
            unlisted=find_unlisted(tx, caller, page),
        )

    return database.read(work)


def _read(cursor: str) -> tuple[int, ConversationId]:
    activity_at_ms, conversation_id = read_cursor(CURSOR, cursor, int, str)
    try:
        return activity_at_ms, parse_conversation_id(conversation_id)
    except ConversationNotFound:
        raise InvalidRequest(faults=[FieldFault(field="cursor", message="is not a cursor of this list")]) from None
