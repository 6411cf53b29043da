"""Reads again what stands in the outbox, and says it as it is now."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from gochat_contracts.records import FanOutEvent, FanOutMessage, FanOutTask
from gochat_core.types import ConversationId, Seq, UserId
from gochat_repo.conversation_entries import get_entries
from gochat_repo.conversation_view import encode_conversation_event
from gochat_repo.message_view import find_unlisted_viewers
from gochat_repo.messages import StoredMessage, get_messages
from gochat_repo.mysql import Transaction
from gochat_repo.outbox import EventPayload, GroupPayload, NoticePayload, OutboxEntry
from gochat_repo.participants import Audiences, LargeConversation, MemberSpan, get_audiences
from logic.announce.announcement import Announcement, Event, News
from logic.announce.fan_outs import merge_fan_outs

Spans = Mapping[UserId, MemberSpan]

_decode_payload = msgspec.json.Decoder(EventPayload).decode
_decode_group = msgspec.json.Decoder(GroupPayload).decode
_decode_notices = msgspec.json.Decoder(tuple[NoticePayload, ...]).decode


class _AboutMessage(msgspec.Struct, frozen=True):
    """The one part of a change's data that says who may hear of it."""

    seq: Seq


_decode_about = msgspec.json.Decoder(_AboutMessage).decode


def load_noted(tx: Transaction, noted: Sequence[OutboxEntry]) -> Announcement:
    """Return what these entries have to say: messages and conversations as they are now, to those who belong to them.

    Members of large groups are left to the worker. An entry that has nothing to say any more is ticked off with the
    others.
    """
    audiences = get_audiences(tx, {one.conversation_id for one in noted if one.kind not in ("entry", "notice")})
    messages = [one for one in noted if one.kind == "message"]
    said = [told for one in noted if one.payload is not None for told in _payload_events(one, audiences)]
    return Announcement(
        openings=_conversation_events(tx, noted, audiences.small),
        news=_news(tx, messages, audiences.small),
        events=tuple(one for one in said if isinstance(one, Event)),
        fan_outs=merge_fan_outs(
            [*_large_news(messages, audiences), *(one for one in said if isinstance(one, FanOutTask))]
        ),
        noted=tuple(noted),
    )


def _payload_events(entry: OutboxEntry, audiences: Audiences) -> list[Event | FanOutTask]:
    if entry.kind == "notice":
        return [*notice_events(entry)]
    spans, large = audiences.small.get(entry.conversation_id, {}), audiences.large.get(entry.conversation_id)
    if large is not None:
        return large_group_event(entry, large) if entry.kind == "group" else [large_change_event(entry, large)]
    return [*(group_event(entry, spans) if entry.kind == "group" else change_event(entry, spans))]


def notice_events(entry: OutboxEntry) -> list[Event]:
    """Return the events of a `notice`, each for the one user whom it names."""
    assert entry.payload is not None
    return [Event(event=one.event, data=one.data, user_ids=(one.user_id,)) for one in _decode_notices(entry.payload)]


def group_event(entry: OutboxEntry, spans: Spans) -> list[Event]:
    """Return the event of a `group`, for the present members if it is for them, and for whom it names besides."""
    assert entry.payload is not None
    payload = _decode_group(entry.payload)
    present = [user for user, held in spans.items() if held.left_seq is None] if payload.members else []
    audience = tuple(dict.fromkeys([*present, *payload.user_ids]))
    return [Event(event=payload.event, data=payload.data, user_ids=audience)] if audience else []


def large_group_event(entry: OutboxEntry, large: LargeConversation) -> list[Event | FanOutTask]:
    """Return the event of a large group: as a fan-out if it is for the members, and for whom it names besides."""
    assert entry.payload is not None
    payload = _decode_group(entry.payload)
    said: list[Event | FanOutTask] = []
    if payload.members:
        told = FanOutEvent(event=payload.event, data=payload.data, at_seq=payload.at_seq or large.last_seq)
        said.append(_fan_out(entry, large, events=(told,)))
    if payload.user_ids:
        said.append(Event(event=payload.event, data=payload.data, user_ids=payload.user_ids))
    return said


def change_event(entry: OutboxEntry, spans: Spans) -> list[Event]:
    """Return the event of a `change`, for the present members who may see its message."""
    assert entry.payload is not None
    payload = _decode_payload(entry.payload)
    seq = _decode_about(payload.data).seq
    audience = tuple(user for user, held in spans.items() if held.left_seq is None and held.join_seq <= seq)
    return [Event(event=payload.event, data=payload.data, user_ids=audience)] if audience else []


def large_change_event(entry: OutboxEntry, large: LargeConversation) -> FanOutTask:
    """Return the event of a `change` in a large group, for those who were members then and may see its message."""
    assert entry.payload is not None
    payload = _decode_payload(entry.payload)
    about_seq = _decode_about(payload.data).seq
    at_seq = payload.at_seq or large.last_seq
    told = FanOutEvent(event=payload.event, data=payload.data, at_seq=at_seq, about_seq=about_seq)
    return _fan_out(entry, large, events=(told,))


def _large_news(noted: Sequence[OutboxEntry], audiences: Audiences) -> Iterator[FanOutTask]:
    for one in noted:
        if (large := audiences.large.get(one.conversation_id)) is not None:
            told = FanOutMessage(seq=Seq(one.number), origin_device_id=one.origin_device_id)
            yield _fan_out(one, large, messages=(told,))


def _fan_out(
    entry: OutboxEntry,
    large: LargeConversation,
    *,
    messages: tuple[FanOutMessage, ...] = (),
    events: tuple[FanOutEvent, ...] = (),
) -> FanOutTask:
    return FanOutTask(
        conversation_id=entry.conversation_id,
        members_version=large.members_version,
        messages=messages,
        events=events,
    )


def _news(tx: Transaction, noted: Sequence[OutboxEntry], members: Mapping[ConversationId, Spans]) -> tuple[News, ...]:
    messages: dict[tuple[ConversationId, int], StoredMessage] = {
        (message.conversation_id, message.seq): message
        for message in get_messages(tx, [(one.conversation_id, Seq(one.number)) for one in noted])
    }
    told = [
        (message, one.origin_device_id, _present(members.get(one.conversation_id, {}), message.seq))
        for one in noted
        if (message := messages.get((one.conversation_id, one.number))) is not None
    ]
    unlisted = find_unlisted_viewers(tx, ((message, viewers) for message, _, viewers in told))
    return tuple(
        News(
            message=message,
            members=viewers,
            origin_device_id=origin_device_id,
            accepted_at_ms=message.created_at_ms,
            unlisted=unlisted,
        )
        for message, origin_device_id, viewers in told
    )


def _present(spans: Spans, seq: Seq) -> tuple[UserId, ...]:
    return tuple(user for user, held in spans.items() if held.contains(seq))


def _conversation_events(
    tx: Transaction, noted: Sequence[OutboxEntry], members: Mapping[ConversationId, Spans]
) -> tuple[Event, ...]:
    told: list[tuple[str, ConversationId, UserId]] = []
    for one in noted:
        if one.kind == "entry" or (one.kind == "created" and one.number):
            event = "conversation.updated" if one.kind == "entry" else "conversation.created"
            told.append((event, one.conversation_id, UserId(one.number)))
        elif one.kind == "created":
            held = members.get(one.conversation_id, {})
            told += [("conversation.created", one.conversation_id, user) for user in held]
    # Whoever is no member any more has no entry.
    entries = get_entries(tx, {(conversation_id, user_id) for _, conversation_id, user_id in told})
    shown = [
        (event, user_id, entry)
        for event, conversation_id, user_id in told
        if (entry := entries.get((conversation_id, user_id))) is not None
    ]
    unlisted = find_unlisted_viewers(
        tx, ((entry.last_message, [user_id]) for _, user_id, entry in shown if entry.last_message is not None)
    )
    return tuple(
        Event(event=event, data=encode_conversation_event(entry, user_id, unlisted), user_ids=(user_id,))
        for event, user_id, entry in shown
    )
