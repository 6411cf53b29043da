"""Plans what is said to whom about stored and refused messages. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b

import msgspec

from gochat_aws.kafka_producer import OutgoingRecord
from gochat_contracts.downstream import Notice, OpenConnection, plan_downstream
from gochat_contracts.records import (
    MESSAGE_LIFETIME_MS,
    TASK_TOPIC,
    MessageRef,
    OfflineTask,
    TaskRecord,
    downstream_topic,
    encode,
)
from gochat_core.types import ConversationId, DeviceId, Seq, UserId
from gochat_repo.message_view import encode_message
from gochat_repo.messages import StoredMessage


class News(msgspec.Struct, frozen=True, kw_only=True):
    """A stored message that its conversation's members are to hear of; `origin_device_id` sent it (REST: None)."""

    message: StoredMessage
    members: tuple[UserId, ...]
    origin_device_id: DeviceId | None
    accepted_at_ms: int
    trace: str | None = None


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What the sending device is told: `message.stored` or `message.rejected`."""

    user_id: UserId
    device_id: DeviceId
    event: str
    data: msgspec.Raw
    accepted_at_ms: int
    trace: str | None = None


class Announcement(msgspec.Struct, frozen=True, kw_only=True):
    """All that one batch has to say."""

    news: tuple[News, ...] = ()
    answers: tuple[Answer, ...] = ()

    def audience(self) -> set[UserId]:
        """Whose connections must be known."""
        return {user_id for one in self.news for user_id in one.members} | {one.user_id for one in self.answers}


def plan_announcement(
    announcement: Announcement, connections: Mapping[UserId, Sequence[OpenConnection]], *, now_ms: int
) -> list[OutgoingRecord]:
    """Return the records to produce: one per (cell, user), and offline tasks for members without any connection."""
    expires_at_ms = now_ms + MESSAGE_LIFETIME_MS
    records = [
        OutgoingRecord(topic=downstream_topic(cell_id), key=str(record.user_id).encode(), value=encode(record))
        for cell_id, record in plan_downstream(_notices(announcement, expires_at_ms), connections)
    ]
    records += _offline_tasks(announcement.news, connections, now_ms)
    return records


def _notices(announcement: Announcement, expires_at_ms: int) -> Iterator[Notice]:
    for answer in announcement.answers:
        yield Notice(
            user_id=answer.user_id,
            event=answer.event,
            data=answer.data,
            expires_at_ms=expires_at_ms,
            only_device=answer.device_id,
            accepted_at_ms=answer.accepted_at_ms,
            trace=answer.trace,
        )
    for news in announcement.news:
        message = news.message
        data = encode_message(message)
        for user_id in news.members:
            yield Notice(
                user_id=user_id,
                event="message.new",
                data=data,
                expires_at_ms=expires_at_ms,
                except_device=news.origin_device_id if user_id == message.sender_id else None,
                message=MessageRef(conversation_id=message.conversation_id, seq=message.seq),
                accepted_at_ms=news.accepted_at_ms,
                trace=news.trace,
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
