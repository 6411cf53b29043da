"""Opens the single chat of two users; the same pair always gives the same conversation."""

from dataclasses import dataclass

from gochat_core.clock import Clock
from gochat_core.errors import ConversationNotFound, UserNotFound
from gochat_core.ids import single_conversation_id
from gochat_core.types import UserId
from gochat_repo.conversation_entries import ConversationEntry, get_entry
from gochat_repo.conversations import (
    NewSingleConversation,
    get_alive_users,
    insert_single_conversations,
    lock_conversations,
)
from gochat_repo.mysql import Database, Transaction


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenedConversation:
    """The chat as the caller sees it, and whether it was opened just now."""

    entry: ConversationEntry
    is_new: bool


def create_single_conversation(database: Database, clock: Clock, caller: UserId, peer: UserId) -> OpenedConversation:
    """Return the chat with `peer`, made now if need be; idempotent. Raises `UserNotFound`, `Unavailable`."""
    conversation_id = single_conversation_id(caller, peer)

    def work(tx: Transaction) -> OpenedConversation:
        is_new = not lock_conversations(tx, [conversation_id])
        if is_new:
            if get_alive_users(tx, [caller, peer]) != {caller, peer}:
                raise UserNotFound
            opened = NewSingleConversation(conversation_id=conversation_id, members=(caller, peer))
            insert_single_conversations(tx, [opened], now_ms=clock.now_ms())
        entry = get_entry(tx, caller, conversation_id)
        if entry is None:
            raise ConversationNotFound
        return OpenedConversation(entry=entry, is_new=is_new)

    return database.transaction(work)
