"""Decides whether a dead letter may go back to its topic: it must neither undo nor double what happened since. Pure."""

from base64 import b64decode

from gochat_contracts.commands import AddReaction, EditMessage, RemoveReaction, Typing
from gochat_contracts.records import (
    PUSH_LIFETIME_MS,
    PUSH_TOPIC,
    TASK_TOPIC,
    UPSTREAM_TOPIC,
    DeadLetter,
    PushRecord,
    TaskRecord,
    UnreadableRecordError,
    UpstreamRecord,
    decode,
)

TOLD = "its sender was told that it was refused, and may have sent it anew"
UNREADABLE = "the code as it is now can't read it either"
OVERTAKEN = "it may undo what its user did since: ask them to do it again"
WORTHLESS = "nobody is writing any more"
ANNOUNCED = "it is older than a day: clients have what it tells by their next sync, and a push is worth nothing"
EXPIRED = "the push has expired"
LOGGED = "the push log has it as failed, and sends no push twice"
DOWNSTREAM = "what it told was worth two minutes: clients have it by their next sync"


def why_not_back(letter: DeadLetter, *, now_ms: int) -> str | None:
    """Say why a letter may not go back; None: it may, as often as one likes (docs/idempotency.md, 59)."""
    value = b64decode(letter.value or "")
    try:
        match letter.topic:
            case _ if letter.topic == UPSTREAM_TOPIC:
                return TOLD if letter.reason != "unreadable" else _why_not_command(decode(UpstreamRecord, value))
            case _ if letter.topic == TASK_TOPIC:
                return ANNOUNCED if decode(TaskRecord, value).created_at_ms + PUSH_LIFETIME_MS <= now_ms else None
            case _ if letter.topic == PUSH_TOPIC:
                if letter.reason != "unreadable":
                    return LOGGED
                return EXPIRED if decode(PushRecord, value).expires_at_ms <= now_ms else None
            case _:
                return DOWNSTREAM
    except UnreadableRecordError:
        return UNREADABLE


def _why_not_command(record: UpstreamRecord) -> str | None:
    """Messages are stored once, marks never go back, what is recalled stays so: their order does not matter."""
    match record.command:
        case EditMessage() | AddReaction() | RemoveReaction():
            return OVERTAKEN
        case Typing():
            return WORTHLESS
        case _:
            return None
