"""Writes what a batch has decided, within its transaction, each table in one statement."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import msgspec

from gochat_core.types import ConversationId, Seq, UserId
from gochat_repo.conversations import ConversationMove, MemberMove, move_conversations, save_conversations
from gochat_repo.messages import insert_messages, update_messages
from gochat_repo.mysql import Transaction
from gochat_repo.mysql_errors import DuplicateKey, LockConflict
from gochat_repo.outbox import EventPayload, OutboxEntry, insert_outbox
from gochat_repo.reactions import ListKey, list_first_users, needs_first_users, save_reactions
from logic.commands.ledger import Chat, Ledger
from logic.commands.outcomes import Change, Outcome, Store
from logic.commands.submission import Submission

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """What is to be announced of a transaction: its outbox rows, and the data of each change's event."""

    noted: tuple[OutboxEntry, ...] = ()
    changes: dict[tuple[ConversationId, int], msgspec.Raw] = field(default_factory=dict)


def write_ledger(
    tx: Transaction, submissions: Sequence[Submission], outcomes: Sequence[Outcome], ledger: Ledger, *, now_ms: int
) -> Written:
    """Write messages, changes, reactions, cursors and outbox rows; nothing at all if nothing moved.

    Raises `LockConflict` when somebody else began one of the chats that begin here: run again, it is found.
    """
    moves = plan_moves(ledger, now_ms=now_ms)
    if not moves:
        return Written()
    refilled = _write_reactions(tx, ledger)
    begins = any(chat.is_new for chat in ledger.chats.values())
    _write_messages(tx, ledger, begins=begins)
    if begins:
        save_conversations(tx, moves, now_ms=now_ms)
    else:
        move_conversations(tx, moves)
    written = plan_noted(submissions, outcomes, ledger, refilled)
    if written.noted:
        insert_outbox(tx, written.noted, now_ms=now_ms)
    return written


def _write_reactions(tx: Transaction, ledger: Ledger) -> dict[ListKey, tuple[UserId, ...]]:
    """Write who reacted; where a listed one went from a long list, read the list again and put it into the summary."""
    if ledger.reaction_rows:
        save_reactions(tx, list(ledger.reaction_rows.values()))
    lacking = {
        (*place, one.emoji)
        for place, target in ledger.changed.items()
        for one in target.reactions
        if needs_first_users(one)
    }
    if not lacking:
        return {}
    refilled = list_first_users(tx, lacking)
    for place, target in ledger.changed.items():
        reactions = tuple(
            msgspec.structs.replace(one, user_ids=refilled.get((*place, one.emoji), one.user_ids))
            for one in target.reactions
        )
        ledger.changed[place] = msgspec.structs.replace(target, reactions=reactions)
    return refilled


def _write_messages(tx: Transaction, ledger: Ledger, *, begins: bool) -> None:
    """Insert what is new as the batch has left it, and update what was there before."""
    if ledger.fresh:
        try:
            insert_messages(tx, [ledger.message(place) for place in ledger.fresh])
        except DuplicateKey as fault:
            if begins:
                raise LockConflict from fault
            raise
    stored = [target for place, target in ledger.changed.items() if place not in ledger.fresh]
    if stored:
        update_messages(tx, stored)


def plan_moves(ledger: Ledger, *, now_ms: int) -> list[ConversationMove]:
    """Return how far each conversation and its members got. Pure."""
    return [
        ConversationMove(
            conversation_id=chat.conversation_id,
            type=chat.type,
            member_count=chat.member_count,
            last_seq=chat.last_seq,
            change=chat.change,
            updated_at_ms=now_ms if chat.has_news or chat.has_changes else 0,
            activity_at_ms=now_ms if chat.has_news else 0,
            members=tuple(_member_moves(chat, ledger, now_ms)),
        )
        for chat in ledger.chats.values()
        if chat.movers
    ]


def _member_moves(chat: Chat, ledger: Ledger, now_ms: int) -> Iterator[MemberMove]:
    marked = {user_id for user_id in chat.movers if (chat.conversation_id, user_id) in ledger.progress}
    # What one of two has read, the other sees in the own list.
    everybody_changed = chat.has_changes or (chat.type == "single" and bool(marked))
    touches_all = (chat.has_news or everybody_changed) and not chat.is_large
    for user_id in sorted(chat.present() if touches_all else chat.movers):
        held = chat.members[user_id]
        yield MemberMove(
            user_id=user_id,
            read_seq=held.read_seq,
            sent_seq=held.sent_seq,
            delivered_seq=held.delivered_seq,
            activity_at_ms=now_ms if chat.has_news else 0,
            changed_at_ms=now_ms if everybody_changed or user_id in marked else 0,
        )


def plan_noted(
    submissions: Sequence[Submission],
    outcomes: Sequence[Outcome],
    ledger: Ledger,
    refilled: dict[ListKey, tuple[UserId, ...]],
) -> Written:
    """Return the outbox rows of a batch, and what its changes say. Pure."""
    changes: dict[tuple[ConversationId, int], msgspec.Raw] = {}
    noted: list[OutboxEntry] = [
        OutboxEntry(conversation_id=chat.conversation_id, kind="created", number=0)
        for chat in ledger.chats.values()
        if chat.is_new
    ]
    for submission, outcome in zip(submissions, outcomes, strict=True):
        if isinstance(outcome, Store):
            noted.append(
                OutboxEntry(
                    conversation_id=outcome.message.conversation_id,
                    kind="message",
                    number=outcome.message.seq,
                    origin_device_id=submission.origin_device_id,
                )
            )
        elif isinstance(outcome, Change):
            place, change = outcome.target.conversation_id, outcome.target.change
            data = changes[(place, change)] = msgspec.Raw(_encode(_data_of(outcome, refilled)))
            noted.append(
                OutboxEntry(
                    conversation_id=place,
                    kind="change",
                    number=change,
                    payload=_encode(_payload(outcome, data, ledger)),
                )
            )
    return Written(noted=tuple(noted), changes=changes)


def _payload(change: Change, data: msgspec.Raw, ledger: Ledger) -> EventPayload:
    """Return what the outbox keeps of a change; who is told in a large group follows from where it stood then."""
    chat = ledger.chats[change.target.conversation_id]
    return EventPayload(event=change.event, data=data, at_seq=Seq(chat.last_seq) if chat.is_large else None)


def _data_of(change: Change, refilled: dict[ListKey, tuple[UserId, ...]]) -> dict[str, object]:
    row = change.reaction
    if row is None or (row.conversation_id, row.seq, row.emoji) not in refilled:
        return dict(change.data)
    first = refilled[(row.conversation_id, row.seq, row.emoji)]
    return {**change.data, "user_ids": [str(user_id) for user_id in first]}
