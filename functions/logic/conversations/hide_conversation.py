"""Hides a conversation from the caller's list until its next message, and clears the caller's history up to now."""

from gochat_core.errors import ConversationNotFound
from gochat_core.types import ConversationId, UserId
from gochat_repo.conversations import lock_conversations
from gochat_repo.list_preferences import hide
from gochat_repo.mysql import Transaction
from gochat_repo.outbox import OutboxEntry, insert_outbox
from gochat_repo.participants import get_participation
from logic.conversations.ports import ConversationPorts


def hide_conversation(ports: ConversationPorts, caller: UserId, conversation_id: ConversationId) -> None:
    """Hide and clear; the caller's other devices hear of it, nobody else does. Idempotent.

    A message that is stored at the same time comes either before, and is cleared, or after, and shows the conversation
    again: the conversation's row is locked. Raises `ConversationNotFound`, `Unavailable`.
    """
    changed = [OutboxEntry(conversation_id=conversation_id, kind="entry", number=caller)]

    def work(tx: Transaction) -> bool:
        now_ms = ports.clock.now_ms()
        if not lock_conversations(tx, [conversation_id]):
            raise ConversationNotFound
        if hide(tx, conversation_id, caller, now_ms=now_ms):
            insert_outbox(tx, changed, now_ms=now_ms)
            return True
        if get_participation(tx, conversation_id, caller) is None:
            raise ConversationNotFound
        return False

    if ports.database.transaction(work):
        ports.announce(changed)
