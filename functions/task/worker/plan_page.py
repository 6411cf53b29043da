"""Plans what the members of one page are told. Pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

import msgspec

from gochat_aws.kafka_producer import OutgoingRecord
from gochat_contracts.downstream import Notice, plan_downstream, plan_shared
from gochat_contracts.records import (
    MESSAGE_LIFETIME_MS,
    TASK_TOPIC,
    DownstreamItem,
    DownstreamRecord,
    FanOutEvent,
    FanOutMessage,
    FanOutTask,
    MessageRef,
    OfflineTask,
    TaskRecord,
    bulk_downstream_topic,
    encode,
)
from gochat_core.types import CellId, ConversationId, DeviceId, Seq, UserId
from gochat_repo.cached_conversations import Place
from gochat_repo.connections import Connection
from gochat_repo.member_pages import MemberPage
from gochat_repo.message_view import encode_message
from gochat_repo.messages import StoredMessage
from gochat_repo.reactions import ReactionKey


@dataclass(frozen=True, kw_only=True, slots=True)
class Telling:
    """One fan-out for the members of the page, with the trace of what caused it."""

    fan_out: FanOutTask
    trace: str | None


@dataclass(kw_only=True, slots=True)
class PlannedPage:
    """The records of a page; how many members are told, and how many are away from messages."""

    records: list[OutgoingRecord] = field(default_factory=list)
    told: int = 0
    away: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class _Said:
    """One event with who hears it; its `sender` hears it on all devices but `origin_device_id`, and never misses it."""

    item: DownstreamItem
    audience: Sequence[UserId]
    sender: UserId | None = None
    origin_device_id: DeviceId | None = None


def plan_page(
    tellings: Sequence[Telling],
    *,
    page: int,
    members: MemberPage,
    messages: Mapping[Place, StoredMessage],
    connections: Mapping[UserId, Sequence[Connection]],
    unlisted: Collection[ReactionKey],
    now_ms: int,
) -> PlannedPage:
    """Return what tells the members of a page all that these fan-outs of one conversation say, in order.

    Members who are told the same share records; one key for all records of a page, so that they keep their order.
    Whoever is away from messages stands in one task for each set of them.
    """
    conversation_id = tellings[0].fan_out.conversation_id
    said = [one for telling in tellings for one in _say(telling, members, messages, unlisted, now_ms)]
    heard = _find_heard(said)
    planned = PlannedPage()
    told: list[tuple[CellId, DownstreamRecord]] = []
    missed: dict[tuple[Seq, ...], list[UserId]] = {}
    for sender in {one.sender for one in said if one.sender in heard}:
        assert sender is not None
        own = [said[index] for index in heard.pop(sender)]
        if connections.get(sender):
            planned.told += 1
            told += plan_downstream((_notice(one, sender) for one in own), connections)
        else:
            missed.setdefault(_seqs(one for one in own if one.sender != sender), []).append(sender)
    for indexes, user_ids in _group(heard).items():
        connected = [user_id for user_id in user_ids if connections.get(user_id)]
        planned.told += len(connected)
        told += plan_shared([said[index].item for index in indexes], connected, connections)
        if len(connected) < len(user_ids):
            absent = (user_id for user_id in user_ids if not connections.get(user_id))
            missed.setdefault(_seqs(said[index] for index in indexes), []).extend(absent)
    missed.pop((), None)
    planned.away = sum(map(len, missed.values()))
    tasks = [
        _offline_task(conversation_id, seqs, user_ids, trace=tellings[0].trace, now_ms=now_ms)
        for seqs, user_ids in missed.items()
    ]
    planned.records = _records(f"{conversation_id}:{page}".encode(), told, tasks)
    return planned


def _records(
    key: bytes, told: Iterable[tuple[CellId, DownstreamRecord]], tasks: Iterable[TaskRecord]
) -> list[OutgoingRecord]:
    """Write all records of a page, under the page's key."""
    return [
        *(OutgoingRecord(topic=bulk_downstream_topic(cell), key=key, value=encode(record)) for cell, record in told),
        *(OutgoingRecord(topic=TASK_TOPIC, key=key, value=encode(task)) for task in tasks),
    ]


def _say(
    telling: Telling,
    members: MemberPage,
    messages: Mapping[Place, StoredMessage],
    unlisted: Collection[ReactionKey],
    now_ms: int,
) -> Iterator[_Said]:
    for one in telling.fan_out.messages:
        message = messages[telling.fan_out.conversation_id, one.seq]
        present = members.present_at(one.seq)
        for data, viewers in encode_message(message, present, unlisted) if present else ():
            yield _Said(
                item=_message_item(one, message, data, telling.trace, now_ms),
                audience=viewers,
                sender=message.sender_id,
                origin_device_id=one.origin_device_id,
            )
    for event in telling.fan_out.events:
        if event.expires_at_ms is None or event.expires_at_ms > now_ms:
            present = members.present_at(event.at_seq, since=event.about_seq)
            yield _Said(item=_event_item(event, telling.trace, now_ms), audience=present)


def _message_item(
    one: FanOutMessage, message: StoredMessage, data: msgspec.Raw, trace: str | None, now_ms: int
) -> DownstreamItem:
    return DownstreamItem(
        event="message.new",
        data=data,
        expires_at_ms=now_ms + MESSAGE_LIFETIME_MS,
        message=MessageRef(conversation_id=message.conversation_id, seq=message.seq),
        accepted_at_ms=one.accepted_at_ms or message.created_at_ms,
        trace=one.trace or trace,
    )


def _event_item(event: FanOutEvent, trace: str | None, now_ms: int) -> DownstreamItem:
    return DownstreamItem(
        event=event.event,
        data=event.data,
        expires_at_ms=event.expires_at_ms or now_ms + MESSAGE_LIFETIME_MS,
        accepted_at_ms=event.accepted_at_ms,
        trace=event.trace or trace,
    )


def _find_heard(said: Sequence[_Said]) -> dict[UserId, tuple[int, ...]]:
    """Return for each member the indexes of what that one hears."""
    heard: dict[UserId, list[int]] = {}
    for index, one in enumerate(said):
        for user_id in one.audience:
            heard.setdefault(user_id, []).append(index)
    return {user_id: tuple(indexes) for user_id, indexes in heard.items()}


def _group(heard: Mapping[UserId, tuple[int, ...]]) -> dict[tuple[int, ...], list[UserId]]:
    """Put together who hears the same."""
    groups: dict[tuple[int, ...], list[UserId]] = {}
    for user_id, indexes in heard.items():
        groups.setdefault(indexes, []).append(user_id)
    return groups


def _notice(one: _Said, user_id: UserId) -> Notice:
    item = one.item
    return Notice(
        user_id=user_id,
        event=item.event,
        data=item.data,
        expires_at_ms=item.expires_at_ms,
        except_device=one.origin_device_id if one.sender == user_id else None,
        message=item.message,
        accepted_at_ms=item.accepted_at_ms,
        trace=item.trace,
    )


def _seqs(said: Iterable[_Said]) -> tuple[Seq, ...]:
    return tuple(one.item.message.seq for one in said if one.item.message is not None)


def _offline_task(
    conversation_id: ConversationId, seqs: tuple[Seq, ...], user_ids: list[UserId], *, trace: str | None, now_ms: int
) -> TaskRecord:
    named = f"offline {conversation_id} {seqs} {sorted(user_ids)}".encode()
    return TaskRecord(
        task_id=blake2b(named, digest_size=16).hexdigest(),
        created_at_ms=now_ms,
        task=OfflineTask(conversation_id=conversation_id, seqs=seqs, user_ids=tuple(sorted(user_ids))),
        trace=trace,
    )
