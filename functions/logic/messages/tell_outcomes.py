"""Turns the outcomes of a batch into what is announced: news for members, answers for sending devices. Pure."""

from collections.abc import Sequence

import msgspec

from gochat_contracts.records import Sender
from gochat_core.clock import rfc3339
from gochat_core.errors import GochatError
from gochat_core.types import ClientMsgId, DeviceId
from gochat_repo.outbox import OutboxEntry
from logic.announce.announcement import Announcement, Answer, News
from logic.messages.send_message import Refuse, Repeat, Store, Submission
from logic.messages.store_messages import StoredBatch

_encode = msgspec.json.Encoder().encode


def tell_outcomes(submissions: Sequence[Submission], batch: StoredBatch) -> Announcement:
    """Return what a stored batch has to say."""
    news: list[News] = []
    answers: list[Answer] = []
    for submission, outcome in zip(submissions, batch.outcomes, strict=True):
        if isinstance(outcome, Store):
            news.append(
                News(
                    message=outcome.message,
                    members=batch.members[outcome.message.conversation_id],
                    origin_device_id=origin_device(submission.sender),
                    accepted_at_ms=submission.accepted_at_ms,
                    trace=submission.trace,
                )
            )
        if origin_device(submission.sender) is not None:
            answers.append(_answer(submission, outcome))
    return Announcement(news=tuple(news), answers=tuple(answers), noted=batch.noted)


def unannounced(submissions: Sequence[Submission], batch: StoredBatch) -> list[OutboxEntry]:
    """Name the messages of a batch that were stored before but whose announcement is not known to have happened."""
    return [
        OutboxEntry(
            conversation_id=submission.command.conversation_id,
            kind="message",
            number=outcome.seq,
            origin_device_id=origin_device(submission.sender),
        )
        for submission, outcome in zip(submissions, batch.outcomes, strict=True)
        if isinstance(outcome, Repeat) and not outcome.announced
    ]


def origin_device(sender: Sender) -> DeviceId | None:
    """Return the device that a message came from; None for REST, whose answer is the response itself."""
    return None if sender.connection_id is None else sender.device_id


def _answer(submission: Submission, outcome: Store | Repeat | Refuse) -> Answer:
    client_msg_id = submission.command.client_msg_id
    if isinstance(outcome, Refuse):
        event, data = "message.rejected", _rejected(client_msg_id, outcome.error)
    else:
        first = outcome.message if isinstance(outcome, Store) else outcome
        event = "message.stored"
        data = {
            "client_msg_id": client_msg_id,
            "message_id": str(first.message_id),
            "conversation_id": submission.command.conversation_id,
            "seq": first.seq,
            "created_at": rfc3339(first.created_at_ms),
        }
    return Answer(
        user_id=submission.sender.user_id,
        device_id=submission.sender.device_id,
        event=event,
        data=msgspec.Raw(_encode(data)),
        accepted_at_ms=submission.accepted_at_ms,
        trace=submission.trace,
    )


def _rejected(client_msg_id: ClientMsgId, error: GochatError) -> dict[str, object]:
    return {"client_msg_id": client_msg_id, "code": error.code, "message": error.detail}
