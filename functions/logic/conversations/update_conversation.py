"""Mutes or pins a conversation, for the caller alone."""

from gochat_core.types import ConversationId, UserId
from gochat_repo.list_preferences import prefer
from gochat_repo.mysql import Transaction
from gochat_repo.outbox import OutboxEntry, insert_outbox
from logic.conversations.ports import ConversationPorts
from logic.conversations.seen_conversation import SeenConversation, see_conversation


def update_conversation(
    ports: ConversationPorts,
    caller: UserId,
    conversation_id: ConversationId,
    *,
    is_muted: bool | None,
    is_pinned: bool | None,
) -> SeenConversation:
    """Set what is not None and return the conversation; the caller's other devices hear of a change. Idempotent.

    Raises `ConversationNotFound`, `Unavailable`.
    """
    changed = [OutboxEntry(conversation_id=conversation_id, kind="entry", number=caller)]

    def work(tx: Transaction) -> tuple[SeenConversation, bool]:
        now_ms = ports.clock.now_ms()
        is_changed = prefer(tx, conversation_id, caller, is_muted=is_muted, is_pinned=is_pinned, now_ms=now_ms)
        if is_changed:
            insert_outbox(tx, changed, now_ms=now_ms)
        return see_conversation(tx, caller, conversation_id), is_changed

    seen, is_changed = ports.database.transaction(work)
    if is_changed:
        ports.announce(changed)
    return seen
