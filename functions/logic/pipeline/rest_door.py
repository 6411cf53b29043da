"""The REST door: a batch of one, over the very code of the upstream topic."""

import contextlib
from dataclasses import dataclass

from gochat_core.errors import InternalError, Unavailable
from gochat_repo.messages import StoredMessage, get_messages
from gochat_repo.mysql import Database
from gochat_repo.participants import Participation
from logic.announce.announcer import Announcer
from logic.commands.outcomes import Mark, Outcome, Refuse, Repeat, Store
from logic.commands.submission import Submission
from logic.pipeline.store_commands import CommandStore, StoredBatch
from logic.pipeline.tell_outcomes import tell_outcomes, unannounced


@dataclass(frozen=True, kw_only=True, slots=True)
class SentMessage:
    """The message as it is stored, and whether it was stored just now."""

    message: StoredMessage
    is_new: bool


class RestDoor:
    """Carries out one command and answers what came of it."""

    def __init__(self, database: Database, store: CommandStore, announcer: Announcer) -> None:
        self._database = database
        self._store = store
        self._announcer = announcer

    def send(self, submission: Submission) -> SentMessage:
        """Store and announce one message, or return it as it was stored before; idempotent by client_msg_id.

        Raises the refusal, or `Unavailable`: then the message may be stored, and repeating the request both tells and
        makes up for what wasn't announced.
        """
        batch, outcome = self._store_one(submission)
        self._announce(batch)
        if isinstance(outcome, Store):
            return SentMessage(message=outcome.message, is_new=True)
        assert isinstance(outcome, Repeat)
        place = (submission.conversation_id, outcome.seq)
        stored = self._database.read(lambda tx: get_messages(tx, [place]))
        if not stored:
            raise Unavailable from InternalError("A message that was known is gone")
        return SentMessage(message=stored[0], is_new=False)

    def mark_read(self, submission: Submission) -> Participation:
        """Move the caller's read cursor, tell whom it concerns, and return the cursors; idempotent.

        Four database round trips. Raises the refusal, or `Unavailable`: the request may be repeated. A receipt that
        can't be told now is not told later: the senders find it in their lists.
        """
        batch, outcome = self._store_one(submission)
        with contextlib.suppress(Unavailable):
            self._announce(batch)
        assert isinstance(outcome, Mark)
        return outcome.own

    def _store_one(self, submission: Submission) -> tuple[StoredBatch, Outcome]:
        batch = self._store.store_each([submission])
        (outcome,) = batch.outcomes
        if isinstance(outcome, Refuse):
            raise outcome.error from outcome.cause
        return batch, outcome

    def _announce(self, batch: StoredBatch) -> None:
        announcement = tell_outcomes(batch)
        if missed := unannounced(batch):
            announcement = self._announcer.load_noted(missed) + announcement
        if announcement.says_something():
            self._announcer.announce(announcement)
