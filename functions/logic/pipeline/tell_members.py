"""Says to members what became of their conversations: begun, changed, read, being written in. Pure."""

from collections.abc import Iterator

import msgspec

from gochat_contracts.records import FanOutEvent, FanOutMessage, FanOutTask
from gochat_core.types import Seq, UserId
from gochat_repo.command_context import Target
from gochat_repo.conversation_entries import ConversationEntry
from gochat_repo.conversation_view import encode_conversation_event
from gochat_repo.outbox import EventPayload
from logic.announce.announcement import Event
from logic.commands.access import others, participation
from logic.commands.ledger import Chat, Ledger, Progress
from logic.commands.outcomes import Change, Show, Store, Unchanged
from logic.commands.submission import Submission

_encode = msgspec.json.Encoder().encode
_decode_payload = msgspec.json.Decoder(EventPayload).decode


def tell_openings(ledger: Ledger) -> Iterator[Event]:
    """Yield `conversation.created` for each member of each chat that begins, as the batch has left it."""
    for chat in ledger.chats.values():
        if not chat.is_new:
            continue
        for user_id in chat.members:
            yield Event(
                event="conversation.created",
                data=encode_conversation_event(_entry(chat, user_id, ledger), user_id),
                user_ids=(user_id,),
            )


def _entry(chat: Chat, user_id: UserId, ledger: Ledger) -> ConversationEntry:
    (peer_id,) = others(tuple(chat.members), user_id)
    own, peer = chat.members[user_id], chat.members[peer_id]
    last = ledger.message((chat.conversation_id, Seq(chat.last_seq)))
    return ConversationEntry(
        conversation_id=chat.conversation_id,
        type=chat.type,
        member_count=chat.member_count,
        change=chat.change,
        activity_at_ms=last.created_at_ms,
        own=participation(chat, own),
        is_hidden=False,
        is_muted=False,
        is_pinned=False,
        peer=ledger.people[peer_id],
        peer_delivered_seq=peer.has_seq,
        peer_read_seq=peer.read_seq,
        last_message=last,
    )


def tell_change(submission: Submission, outcome: Change, data: msgspec.Raw, ledger: Ledger) -> Event | FanOutTask:
    """Return a change's event: to every device of whoever may see the message, the acting one too."""
    return _tell_witnesses(submission, outcome.target, outcome.event, data, ledger)


def tell_again(submission: Submission, outcome: Unchanged, ledger: Ledger) -> Event | FanOutTask:
    """Return the event of a change that was stored before and is not known to have been announced."""
    target = outcome.target
    assert target.outstanding is not None
    payload = _decode_payload(target.outstanding)
    return _tell_witnesses(submission, target, payload.event, payload.data, ledger, at_seq=payload.at_seq)


def _tell_witnesses(
    submission: Submission, target: Target, event: str, data: msgspec.Raw, ledger: Ledger, *, at_seq: Seq | None = None
) -> Event | FanOutTask:
    chat = ledger.chats[target.conversation_id]
    if chat.is_large:
        told = FanOutEvent(
            event=event,
            data=data,
            at_seq=at_seq or Seq(chat.last_seq),
            about_seq=target.seq,
            accepted_at_ms=submission.accepted_at_ms,
            trace=submission.trace,
        )
        return _fan_out(chat, events=(told,))
    return Event(
        event=event,
        data=data,
        user_ids=chat.witnesses(target.seq),
        accepted_at_ms=submission.accepted_at_ms,
        trace=submission.trace,
    )


def tell_many(submission: Submission, outcome: Store, ledger: Ledger) -> FanOutTask | None:
    """Return what tells the members of a large group of a message; None in other conversations."""
    message = outcome.message
    chat = ledger.chats[message.conversation_id]
    if not chat.is_large:
        return None
    told = FanOutMessage(
        seq=message.seq,
        origin_device_id=submission.origin_device_id,
        accepted_at_ms=submission.accepted_at_ms,
        trace=submission.trace,
    )
    return _fan_out(chat, messages=(told,))


def _fan_out(
    chat: Chat, *, messages: tuple[FanOutMessage, ...] = (), events: tuple[FanOutEvent, ...] = ()
) -> FanOutTask:
    return FanOutTask(
        conversation_id=chat.conversation_id,
        members_version=chat.members_version,
        messages=messages,
        events=events,
    )


def tell_show(submission: Submission, outcome: Show) -> Event:
    """Return `typing`, which nobody wants to hear late."""
    data = {"conversation_id": submission.conversation_id, "user_id": str(submission.sender.user_id)}
    return Event(
        event=submission.action,
        data=msgspec.Raw(_encode(data)),
        user_ids=outcome.user_ids,
        expires_at_ms=outcome.expires_at_ms,
        accepted_at_ms=submission.accepted_at_ms,
        trace=submission.trace,
    )


def tell_receipts(ledger: Ledger) -> Iterator[Event]:
    """Yield `receipt` once for each member who got further, however many marks the batch had: to those who have sent
    something behind where that member was, unless one of two has blocked the other, and to the member's other devices.
    """
    for (conversation_id, user_id), progress in ledger.progress.items():
        chat = ledger.chats[conversation_id]
        held = chat.members[user_id]
        data = msgspec.Raw(
            _encode(
                {
                    "conversation_id": conversation_id,
                    "user_id": str(user_id),
                    "delivered_seq": held.has_seq,
                    "read_seq": held.read_seq,
                }
            )
        )
        senders = () if ledger.blockers.get(conversation_id) else _senders_concerned(chat, user_id, progress)
        if senders:
            yield Event(event="receipt", data=data, user_ids=senders)
        # Two devices that told of different places have something to learn from each other.
        told_by = next(iter(progress.devices)) if len(progress.devices) == 1 else None
        yield Event(event="receipt", data=data, user_ids=(user_id,), except_device=told_by)


def _senders_concerned(chat: Chat, user_id: UserId, progress: Progress) -> tuple[UserId, ...]:
    if chat.is_large:
        return ()
    before, held = progress.before, chat.members[user_id]
    old_seq = before.read_seq if held.read_seq > before.read_seq else before.has_seq
    return tuple(one for one in others(chat.present(), user_id) if chat.members[one].sent_seq > old_seq)
