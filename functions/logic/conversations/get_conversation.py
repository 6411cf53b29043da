"""Shows one conversation to one of its members."""

from gochat_core.errors import ConversationNotFound
from gochat_core.types import ConversationId, UserId
from gochat_repo.conversation_entries import ConversationEntry, get_entry
from gochat_repo.mysql import Database


def access_conversation(database: Database, caller: UserId, conversation_id: ConversationId) -> ConversationEntry:
    """Return the conversation as the caller sees it; to an outsider it looks as if there were none."""
    entry = database.read(lambda tx: get_entry(tx, caller, conversation_id))
    if entry is None:
        raise ConversationNotFound
    return entry
