"""Sends one message for a REST caller: a batch of one, over the very code of the upstream topic."""

from dataclasses import dataclass

from gochat_core.errors import InternalError, Unavailable
from gochat_repo.messages import StoredMessage, get_messages
from gochat_repo.mysql import Database
from logic.announce.announcer import Announcer
from logic.messages.send_message import Refuse, Repeat, Submission
from logic.messages.store_messages import MessageStore
from logic.messages.tell_outcomes import tell_outcomes, unannounced


@dataclass(frozen=True, kw_only=True, slots=True)
class SentMessage:
    """The message as it is stored, and whether it was stored just now."""

    message: StoredMessage
    is_new: bool


class RestSender:
    """The REST door to a conversation."""

    def __init__(self, database: Database, store: MessageStore, announcer: Announcer) -> None:
        self._database = database
        self._store = store
        self._announcer = announcer

    def send(self, submission: Submission) -> SentMessage:
        """Store and announce one message, or return it as it was stored before; idempotent by client_msg_id.

        Raises the refusal, or `Unavailable`: then the message may be stored, and repeating the request both tells and
        makes up for what wasn't announced.
        """
        batch = self._store.store_each([submission])
        (outcome,) = batch.outcomes
        if isinstance(outcome, Refuse):
            raise outcome.error from outcome.cause
        announcement = tell_outcomes([submission], batch)
        if missed := unannounced([submission], batch):
            announcement = self._announcer.load_noted(missed) + announcement
        if announcement.news:
            self._announcer.announce(announcement)
        if not isinstance(outcome, Repeat):
            return SentMessage(message=outcome.message, is_new=True)
        place = (submission.command.conversation_id, outcome.seq)
        stored = self._database.read(lambda tx: get_messages(tx, [place]))
        if not stored:
            raise Unavailable from InternalError("A message that was known is gone")
        return SentMessage(message=stored[0], is_new=False)
