"""Opens the single chat of two users; the same pair always gives the same conversation."""

from dataclasses import dataclass

import msgspec

from gochat_core.errors import UserNotFound
from gochat_core.ids import single_conversation_id
from gochat_core.types import UserId
from gochat_repo.contact_pairs import get_pair_state
from gochat_repo.conversations import NewSingleConversation, insert_single_conversations, lock_conversations
from gochat_repo.list_preferences import unhide
from gochat_repo.mysql import Transaction
from gochat_repo.outbox import OutboxEntry, insert_outbox
from logic.contacts.may_contact import check_may_contact
from logic.conversations.ports import ConversationPorts
from logic.conversations.seen_conversation import SeenConversation, see_conversation


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenedConversation:
    """The chat as the caller sees it, and whether it was opened just now."""

    seen: SeenConversation
    is_new: bool


def create_single_conversation(ports: ConversationPorts, caller: UserId, peer: UserId) -> OpenedConversation:
    """Return the chat with `peer`, made now if need be; idempotent.

    A new chat is announced to both members; one that the caller had hidden is shown again, to the caller alone. One
    that is there already is shown whatever stands between the two: what they said stays theirs. Raises `UserNotFound`,
    `Blocked`, `NotFriends`, `Unavailable`.
    """
    conversation_id = single_conversation_id(caller, peer)
    noted: list[OutboxEntry] = []

    def work(tx: Transaction) -> OpenedConversation:
        noted.clear()
        now_ms = ports.clock.now_ms()
        is_new = not lock_conversations(tx, [conversation_id])
        if is_new:
            _check_may_open(tx, ports, caller, peer)
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


def _check_may_open(tx: Transaction, ports: ConversationPorts, caller: UserId, peer: UserId) -> None:
    """Raise what forbids to begin this chat: an empty one in somebody's list says something, too."""
    state = get_pair_state(tx, caller, peer)
    if state.caller is None or state.peer is None:
        raise UserNotFound
    check_may_contact(is_blocked=state.is_blocked, are_friends=state.are_friends or not ports.contacts_only)
