"""One conversation as its member sees it, with what its last message's reactions don't tell about that member."""

from dataclasses import dataclass

from gochat_core.errors import ConversationNotFound
from gochat_core.types import ConversationId, UserId
from gochat_repo.conversation_entries import ConversationEntry, get_entry
from gochat_repo.message_view import find_unlisted_viewers
from gochat_repo.mysql import Transaction
from gochat_repo.reactions import ReactionKey


@dataclass(frozen=True, kw_only=True, slots=True)
class SeenConversation:
    """`unlisted` is what `find_unlisted_viewers` told of the member."""

    entry: ConversationEntry
    unlisted: frozenset[ReactionKey]


def see_conversation(tx: Transaction, viewer: UserId, conversation_id: ConversationId) -> SeenConversation:
    """Read it in one database round trip, two where more than 20 reacted; raises `ConversationNotFound`."""
    entry = get_entry(tx, viewer, conversation_id)
    if entry is None:
        raise ConversationNotFound
    return SeenConversation(entry=entry, unlisted=find_unlisted(tx, viewer, [entry]))


def find_unlisted(tx: Transaction, viewer: UserId, entries: list[ConversationEntry]) -> frozenset[ReactionKey]:
    """Return what the summaries of these conversations' last messages don't tell of the viewer."""
    last = [entry.last_message for entry in entries if entry.last_message is not None]
    return find_unlisted_viewers(tx, [(message, (viewer,)) for message in last])
