"""Fan-outs of large groups: what a batch says in one, as the task that tells its members. Pure."""

from collections.abc import Iterable, Iterator
from hashlib import blake2b

import msgspec

from gochat_aws.kafka_producer import OutgoingRecord
from gochat_contracts.records import MAX_RECORD_BYTES, TASK_TOPIC, FanOutEvent, FanOutTask, TaskRecord, encode
from gochat_core.types import ConversationId

_EVENT_OVERHEAD_BYTES = 512
"""At least what an event takes beside its data."""


def merge_fan_outs(fan_outs: Iterable[FanOutTask]) -> tuple[FanOutTask, ...]:
    """Return one fan-out for each conversation, with all that these say, in their order."""
    merged: dict[ConversationId, FanOutTask] = {}
    for one in fan_outs:
        before = merged.get(one.conversation_id)
        merged[one.conversation_id] = (
            one
            if before is None
            else FanOutTask(
                conversation_id=one.conversation_id,
                members_version=max(before.members_version, one.members_version),
                messages=before.messages + one.messages,
                events=before.events + one.events,
            )
        )
    return tuple(merged.values())


def fan_out_record(fan_out: FanOutTask, *, now_ms: int) -> Iterator[OutgoingRecord]:
    """Yield the record of a fan-out; several where its events would make one too large."""
    for part in _split(fan_out):
        traces = [one.trace for one in part.messages] + [one.trace for one in part.events]
        trace = next((one for one in traces if one), None)
        task = TaskRecord(task_id=name_fan_out(part), created_at_ms=now_ms, task=part, trace=trace)
        yield OutgoingRecord(topic=TASK_TOPIC, key=part.conversation_id.encode(), value=encode(task))


def name_fan_out(fan_out: FanOutTask) -> str:
    """Return the id of the task: of what it says, and not of when and through whom it was said."""
    said = [fan_out.conversation_id, [one.seq for one in fan_out.messages]]
    events = [(one.event, one.data, one.at_seq, one.about_seq) for one in fan_out.events]
    return blake2b(b"fan_out " + msgspec.json.encode([said, events]), digest_size=16).hexdigest()


def _split(fan_out: FanOutTask) -> Iterator[FanOutTask]:
    part: list[FanOutEvent] = []
    messages, size = fan_out.messages, 0
    for one in fan_out.events:
        cost = len(bytes(one.data)) + _EVENT_OVERHEAD_BYTES
        if part and size + cost > MAX_RECORD_BYTES:
            yield msgspec.structs.replace(fan_out, messages=messages, events=tuple(part))
            messages, part, size = (), [], 0
        part.append(one)
        size += cost
    yield msgspec.structs.replace(fan_out, messages=messages, events=tuple(part))
