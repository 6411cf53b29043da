"""Turns the outcomes of a batch into what is announced: news for members, answers for sending devices. Pure."""

from collections.abc import Iterator

import msgspec

from gochat_contracts.commands import SendMessage, Typing
from gochat_contracts.records import FanOutTask
from gochat_core.clock import rfc3339
from gochat_repo.outbox import OutboxEntry
from logic.announce.announcement import Announcement, Answer, Event, News
from logic.announce.fan_outs import merge_fan_outs
from logic.commands.ledger import Ledger
from logic.commands.outcomes import Change, Outcome, Refuse, Repeat, Show, Store, Unchanged
from logic.commands.submission import Submission
from logic.pipeline.store_commands import StoredBatch, StoredPart
from logic.pipeline.tell_members import (
    tell_again,
    tell_change,
    tell_many,
    tell_openings,
    tell_receipts,
    tell_show,
)

_encode = msgspec.json.Encoder().encode


def tell_outcomes(batch: StoredBatch) -> Announcement:
    """Return what a stored batch has to say."""
    whole = Announcement()
    for part in batch.parts:
        whole += _tell_part(part)
    return whole


def unannounced(batch: StoredBatch) -> list[OutboxEntry]:
    """Name the messages of a batch that were stored before but whose announcement is not known to have happened.

    With the first one of a chat, what says that the chat has begun is named too.
    """
    missed = {
        entry.key: entry
        for part in batch.parts
        for submission, outcome in zip(part.submissions, part.outcomes, strict=True)
        if isinstance(outcome, Repeat) and not outcome.announced
        for entry in _noted_before(submission, outcome, part.ledger)
    }
    return list(missed.values())


def _noted_before(submission: Submission, outcome: Repeat, ledger: Ledger) -> Iterator[OutboxEntry]:
    conversation_id = submission.conversation_id
    # One that began after this batch looked for it, at another door, has no entry: single chats alone begin so.
    chat = ledger.chats.get(conversation_id)
    if outcome.seq == 1 and (chat is None or chat.type == "single"):
        yield OutboxEntry(conversation_id=conversation_id, kind="created", number=0)
    yield OutboxEntry(
        conversation_id=conversation_id,
        kind="message",
        number=outcome.seq,
        origin_device_id=submission.origin_device_id,
    )


def _tell_part(part: StoredPart) -> Announcement:
    answers: list[Answer] = []
    news: list[News] = []
    told: list[Event | FanOutTask] = []
    noted = {one.key: one for one in part.written.noted}
    for submission, outcome in zip(part.submissions, part.outcomes, strict=True):
        if isinstance(outcome, Store):
            news.append(_news(submission, outcome, part.ledger))
            if (many := tell_many(submission, outcome, part.ledger)) is not None:
                told.append(many)
        elif isinstance(outcome, Change):
            data = part.written.changes[(submission.conversation_id, outcome.target.change)]
            told.append(tell_change(submission, outcome, data, part.ledger))
        elif isinstance(outcome, Show):
            told.append(tell_show(submission, outcome))
        elif isinstance(outcome, Unchanged):
            entry = _outstanding(outcome)
            if entry is not None and entry.key not in noted:
                noted[entry.key] = entry
                told.append(tell_again(submission, outcome, part.ledger))
        answers += _answers(submission, outcome)
    return Announcement(
        answers=tuple(answers),
        openings=tuple(tell_openings(part.ledger)),
        news=tuple(news),
        events=(*(one for one in told if isinstance(one, Event)), *tell_receipts(part.ledger)),
        fan_outs=merge_fan_outs(one for one in told if isinstance(one, FanOutTask)),
        noted=tuple(noted.values()),
    )


def _news(submission: Submission, outcome: Store, ledger: Ledger) -> News:
    # As the batch has left it: what was taken back at once is shown to nobody.
    message = ledger.message((outcome.message.conversation_id, outcome.message.seq))
    chat = ledger.chats[message.conversation_id]
    return News(
        message=message,
        members=() if chat.is_large else chat.present(),
        origin_device_id=submission.origin_device_id,
        accepted_at_ms=submission.accepted_at_ms,
        trace=submission.trace,
    )


def _outstanding(outcome: Unchanged) -> OutboxEntry | None:
    """Return the outbox row of the last change of a message that has stayed as it was, if that row still stands."""
    target = outcome.target
    if target.outstanding is None:
        return None
    return OutboxEntry(conversation_id=target.conversation_id, kind="change", number=target.change)


def _answers(submission: Submission, outcome: Outcome) -> Iterator[Answer]:
    """Yield what the sending device is told: of each message what became of it, of other frames that they were refused.

    Typing was never acknowledged, so that nothing is said of it.
    """
    if submission.origin_device_id is None:
        return
    command = submission.command
    if isinstance(command, SendMessage):
        told = _message_answer(submission, command, outcome)
    elif isinstance(outcome, Refuse) and not isinstance(command, Typing):
        error = outcome.error
        told = (
            "request.rejected",
            {"id": submission.frame_id, "action": submission.action, "code": error.code, "message": error.detail},
        )
    else:
        return
    event, data = told
    yield Answer(
        user_id=submission.sender.user_id,
        device_id=submission.origin_device_id,
        event=event,
        data=msgspec.Raw(_encode(data)),
        accepted_at_ms=submission.accepted_at_ms,
        trace=submission.trace,
    )


def _message_answer(submission: Submission, command: SendMessage, outcome: Outcome) -> tuple[str, dict[str, object]]:
    if isinstance(outcome, Store | Repeat):
        first = outcome.message if isinstance(outcome, Store) else outcome
        return "message.stored", {
            "client_msg_id": command.client_msg_id,
            "message_id": str(first.message_id),
            "conversation_id": submission.conversation_id,
            "seq": first.seq,
            "created_at": rfc3339(first.created_at_ms),
        }
    assert isinstance(outcome, Refuse)
    error = outcome.error
    return "message.rejected", {
        "client_msg_id": command.client_msg_id,
        "code": error.code,
        "message": error.detail,
    }
