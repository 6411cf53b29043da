"""Shows one conversation to one of its members."""

from gochat_core.types import ConversationId, UserId
from gochat_repo.mysql import Database
from logic.conversations.seen_conversation import SeenConversation, see_conversation


def access_conversation(database: Database, caller: UserId, conversation_id: ConversationId) -> SeenConversation:
    """Return the conversation as the caller sees it, hidden ones too; to an outsider it looks as if there were none."""
    return database.read(lambda tx: see_conversation(tx, caller, conversation_id))
