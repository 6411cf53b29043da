"""Plans what is said to whom about what was stored, changed and refused. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b

import msgspec

from gochat_aws.kafka_producer import OutgoingRecord
from gochat_contracts.downstream import Notice, OpenConnection, plan_downstream
from gochat_contracts.records import (
    MESSAGE_LIFETIME_MS,
    TASK_TOPIC,
    FanOutTask,
    MessageRef,
    OfflineTask,
    TaskRecord,
    downstream_topic,
    encode,
)
from gochat_core.types import ConversationId, DeviceId, Seq, UserId
from gochat_repo.message_view import encode_message
from gochat_repo.messages import StoredMessage
from gochat_repo.outbox import OutboxEntry
from gochat_repo.reactions import ReactionKey
from logic.announce.fan_outs import fan_out_record, merge_fan_outs


class News(msgspec.Struct, frozen=True, kw_only=True):
    """A stored message that its conversation's members are to hear of; `origin_device_id` sent it (REST: None)."""

    message: StoredMessage
    members: tuple[UserId, ...]
    origin_device_id: DeviceId | None
    accepted_at_ms: int
    unlisted: frozenset[ReactionKey] = frozenset()
    trace: str | None = None


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Anything else that users are to hear of, on all their devices but `except_device`.

    Without `expires_at_ms` it is worth posting for as long as a message; with it, it is not worth being said later.
    """

    event: str
    data: msgspec.Raw
    user_ids: tuple[UserId, ...]
    except_device: DeviceId | None = None
    expires_at_ms: int | None = None
    accepted_at_ms: int | None = None
    trace: str | None = None


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What the sending device is told: `message.stored`, `message.rejected` or `request.rejected`."""

    user_id: UserId
    device_id: DeviceId
    event: str
    data: msgspec.Raw
    accepted_at_ms: int
    trace: str | None = None


class Announcement(msgspec.Struct, frozen=True, kw_only=True):
    """All that is to be said at once: answers, then `openings`, then news, then `events`.

    `fan_outs` are what is said in large groups, one for each: the worker tells their members, whom nobody names here;
    news of such a group has no `members`. `noted` are the outbox rows that all of it makes good.
    """

    answers: tuple[Answer, ...] = ()
    openings: tuple[Event, ...] = ()
    news: tuple[News, ...] = ()
    events: tuple[Event, ...] = ()
    fan_outs: tuple[FanOutTask, ...] = ()
    noted: tuple[OutboxEntry, ...] = ()

    def says_something(self) -> bool:
        """Whether there is anything to produce."""
        return bool(self.fan_outs or self.audience())

    def audience(self) -> set[UserId]:
        """Whose connections must be known."""
        told = {user_id for one in (*self.openings, *self.events) for user_id in one.user_ids}
        return told | {user_id for one in self.news for user_id in one.members} | {one.user_id for one in self.answers}

    def __add__(self, later: "Announcement") -> "Announcement":
        """Return both in one, this one first."""
        return Announcement(
            answers=self.answers + later.answers,
            openings=self.openings + later.openings,
            news=self.news + later.news,
            events=self.events + later.events,
            fan_outs=merge_fan_outs(self.fan_outs + later.fan_outs),
            noted=self.noted + later.noted,
        )


def plan_announcement(
    announcement: Announcement, connections: Mapping[UserId, Sequence[OpenConnection]], *, now_ms: int
) -> list[OutgoingRecord]:
    """Return the records to produce: one per (cell, user), one per large group, and offline tasks.

    Offline tasks are for members of small conversations who have no connection.
    """
    records = [
        OutgoingRecord(topic=downstream_topic(cell_id), key=str(record.user_id).encode(), value=encode(record))
        for cell_id, record in plan_downstream(_notices(announcement, now_ms), connections)
    ]
    records += [record for one in announcement.fan_outs for record in fan_out_record(one, now_ms=now_ms)]
    records += _offline_tasks(announcement.news, connections, now_ms)
    return records


def _notices(announcement: Announcement, now_ms: int) -> Iterator[Notice]:
    for answer in announcement.answers:
        yield Notice(
            user_id=answer.user_id,
            event=answer.event,
            data=answer.data,
            expires_at_ms=now_ms + MESSAGE_LIFETIME_MS,
            only_device=answer.device_id,
            accepted_at_ms=answer.accepted_at_ms,
            trace=answer.trace,
        )
    yield from _events(announcement.openings, now_ms)
    for news in announcement.news:
        yield from _news(news, now_ms)
    yield from _events(announcement.events, now_ms)


def _news(news: News, now_ms: int) -> Iterator[Notice]:
    message = news.message
    for data, viewers in encode_message(message, news.members, news.unlisted):
        for user_id in viewers:
            yield Notice(
                user_id=user_id,
                event="message.new",
                data=data,
                expires_at_ms=now_ms + MESSAGE_LIFETIME_MS,
                except_device=news.origin_device_id if user_id == message.sender_id else None,
                message=MessageRef(conversation_id=message.conversation_id, seq=message.seq),
                accepted_at_ms=news.accepted_at_ms,
                trace=news.trace,
            )


def _events(events: Sequence[Event], now_ms: int) -> Iterator[Notice]:
    for one in events:
        if one.expires_at_ms is not None and one.expires_at_ms <= now_ms:
            continue
        for user_id in one.user_ids:
            yield Notice(
                user_id=user_id,
                event=one.event,
                data=one.data,
                expires_at_ms=one.expires_at_ms or now_ms + MESSAGE_LIFETIME_MS,
                except_device=one.except_device,
                accepted_at_ms=one.accepted_at_ms,
                trace=one.trace,
            )


def _offline_tasks(
    news: Sequence[News], connections: Mapping[UserId, Sequence[OpenConnection]], now_ms: int
) -> Iterator[OutgoingRecord]:
    missed: dict[tuple[ConversationId, tuple[UserId, ...]], list[News]] = {}
    for one in news:
        absent = tuple(
            sorted(user for user in one.members if user != one.message.sender_id and not connections.get(user))
        )
        if absent:
            missed.setdefault((one.message.conversation_id, absent), []).append(one)
    for (conversation_id, user_ids), missing in missed.items():
        seqs = tuple(one.message.seq for one in missing)
        task = TaskRecord(
            task_id=_task_id(conversation_id, seqs, user_ids),
            created_at_ms=now_ms,
            task=OfflineTask(conversation_id=conversation_id, seqs=seqs, user_ids=user_ids),
            trace=missing[0].trace,
        )
        yield OutgoingRecord(topic=TASK_TOPIC, key=conversation_id.encode(), value=encode(task))


def _task_id(conversation_id: ConversationId, seqs: tuple[Seq, ...], user_ids: tuple[UserId, ...]) -> str:
    return blake2b(f"offline {conversation_id} {seqs} {user_ids}".encode(), digest_size=16).hexdigest()
