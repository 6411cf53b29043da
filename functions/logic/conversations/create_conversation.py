"""Opens the single chat of two users; the same pair always gives the same conversation."""

from dataclasses import dataclass

import msgspec

from gochat_core.errors import UserNotFound
from gochat_core.ids import single_conversation_id
from gochat_core.types import UserId
from gochat_repo.conversations import (
    NewSingleConversation,
    get_alive_users,
    insert_single_conversations,
    lock_conversations,
)
from gochat_repo.list_preferences import unhide
from gochat_repo.mysql import Transaction
from gochat_repo.outbox import OutboxEntry, insert_outbox
from logic.conversations.ports import ConversationPorts
from logic.conversations.seen_conversation import SeenConversation, see_conversation


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenedConversation:
    """The chat as the caller sees it, and whether it was opened just now."""

    seen: SeenConversation
    is_new: bool


def create_single_conversation(ports: ConversationPorts, caller: UserId, peer: UserId) -> OpenedConversation:
    """Return the chat with `peer`, made now if need be; idempotent. Raises `UserNotFound`, `Unavailable`.

    A new chat is announced to both members; one that the caller had hidden is shown again, to the caller alone.
    """
    conversation_id = single_conversation_id(caller, peer)
    noted: list[OutboxEntry] = []

    def work(tx: Transaction) -> OpenedConversation:
        noted.clear()
        now_ms = ports.clock.now_ms()
        is_new = not lock_conversations(tx, [conversation_id])
        if is_new:
            if get_alive_users(tx, [caller, peer]) != {caller, peer}:
                raise UserNotFound
            opened = NewSingleConversation(conversation_id=conversation_id, members=(caller, peer))
            insert_single_conversations(tx, [opened], now_ms=now_ms)
            noted.append(OutboxEntry(conversation_id=conversation_id, kind="created", number=0))
        seen = see_conversation(tx, caller, conversation_id)
        if seen.entry.is_hidden and unhide(tx, conversation_id, caller, now_ms=now_ms):
            seen = SeenConversation(entry=msgspec.structs.replace(seen.entry, is_hidden=False), unlisted=seen.unlisted)
            noted.append(OutboxEntry(conversation_id=conversation_id, kind="entry", number=caller))
        if noted:
            insert_outbox(tx, noted, now_ms=now_ms)
        return OpenedConversation(seen=seen, is_new=is_new)

    opened = ports.database.transaction(work)
    ports.announce(noted)
    return opened
