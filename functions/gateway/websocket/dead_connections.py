"""Deals with what `deliver` reports: dead connections, what they missed, records that it could not read."""

from binascii import a2b_base64
from collections.abc import Sequence
from hashlib import blake2b

from gateway.websocket.wiring import Wiring
from gochat_aws.kafka_producer import OutgoingRecord
from gochat_contracts.deliver_reports import MissedBy
from gochat_contracts.records import DEAD_LETTER_TOPIC, TASK_TOPIC, DeadLetter, OfflineTask, TaskRecord, encode
from gochat_core.types import ConversationId, Seq, UserId


def remove_dead_connections(parts: Wiring, dead: Sequence[MissedBy]) -> int:
    """Remove exactly these connections and write offline tasks; return how many tasks. Safe to repeat.

    Whoever has another connection left needs no push: it got the messages there, or is in this report too. Raises
    Unavailable.
    """
    parts.connections.remove_many([(one.user_id, one.device_id, one.connection_id) for one in dead])
    users = {one.user_id for one in dead if one.missed}
    if not users:
        return 0
    connected = parts.connections.list_by_users(users)
    away = [one for one in dead if one.user_id not in connected]
    now_ms = parts.clock.now_ms()
    records = [task_record(task, now_ms=now_ms) for task in plan_offline_tasks(away)]
    parts.producer.produce(records)
    return len(records)


def plan_offline_tasks(missed_by: Sequence[MissedBy]) -> list[OfflineTask]:
    """Return one task for each conversation and set of seqs, with all who missed just these."""
    missed: dict[tuple[ConversationId, UserId], set[Seq]] = {}
    for one in missed_by:
        for message in one.missed:
            missed.setdefault((message.conversation_id, one.user_id), set()).add(message.seq)
    users: dict[tuple[ConversationId, tuple[Seq, ...]], list[UserId]] = {}
    for (conversation_id, user_id), seqs in missed.items():
        users.setdefault((conversation_id, tuple(sorted(seqs))), []).append(user_id)
    return [
        OfflineTask(conversation_id=conversation_id, seqs=seqs, user_ids=tuple(sorted(user_ids)))
        for (conversation_id, seqs), user_ids in users.items()
    ]


def dead_letter_record(letter: DeadLetter) -> OutgoingRecord:
    """Return the record that keeps what `deliver` could not read."""
    key = a2b_base64(letter.key) if letter.key is not None else b""
    return OutgoingRecord(topic=DEAD_LETTER_TOPIC, key=key, value=encode(letter))


def task_record(task: OfflineTask, *, now_ms: int) -> OutgoingRecord:
    """Return the record of an offline task."""
    # The same report, invoked twice, writes the same task id.
    named = f"{task.conversation_id}:{task.seqs}:{task.user_ids}".encode()
    task_id = f"offline-{blake2b(named, digest_size=12).hexdigest()}"
    return OutgoingRecord(
        topic=TASK_TOPIC,
        key=task.conversation_id.encode(),
        value=encode(TaskRecord(task_id=task_id, created_at_ms=now_ms, task=task)),
    )
