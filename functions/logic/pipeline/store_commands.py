"""Carries out a batch of commands in one transaction: locks, knows, decides, writes, notes what is to be announced."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gochat_contracts.commands import AddReaction, EditMessage, RecallMessage, RemoveReaction, SendMessage, Typing
from gochat_core.clock import Clock
from gochat_core.errors import InternalError
from gochat_core.ids import IdMaker
from gochat_core.types import ConversationId
from gochat_repo.command_context import Wanted, get_command_context
from gochat_repo.conversations import LockedConversation, lock_conversations
from gochat_repo.mysql import Database, Transaction
from gochat_repo.mysql_errors import DataFault
from logic.commands.ledger import Ledger, open_ledger
from logic.commands.outcomes import Outcome, Refuse
from logic.commands.submission import Submission
from logic.messages.send_message import begins_with
from logic.pipeline.plan_commands import plan_commands
from logic.pipeline.write_ledger import Written, write_ledger


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredPart:
    """What one transaction did: the outcome of each submission, the state behind them, and what it wrote."""

    submissions: Sequence[Submission]
    outcomes: Sequence[Outcome]
    ledger: Ledger = field(default_factory=Ledger)
    written: Written = field(default_factory=Written)


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredBatch:
    """What became of a batch: in one part or, where something could not be stored, in several, in their order."""

    parts: tuple[StoredPart, ...] = ()

    @property
    def outcomes(self) -> list[Outcome]:
        """The outcome of each submission, in their order."""
        return [outcome for part in self.parts for outcome in part.outcomes]


class CommandStore:
    """Carries out commands for every door: the upstream topic's batches and REST's single ones."""

    def __init__(self, database: Database, ids: IdMaker, clock: Clock, *, contacts_only: bool = False) -> None:
        """With `contacts_only`, friends alone may write to each other."""
        self._database = database
        self._contacts_only = contacts_only
        self._ids = ids
        self._clock = clock

    def store(self, submissions: Sequence[Submission]) -> StoredBatch:
        """Carry out a batch in its order and commit; safe to repeat (docs/idempotency.md).

        Database round trips, whatever the batch's size: six for messages, one more when single chats begin; one more
        each when stored messages are changed and when reactions come or go; two for a batch of nothing but typing.
        Raises `Unavailable` when nothing was stored or it isn't known, and `DataFault` when something can't be stored.
        """
        return self._database.transaction(lambda tx: self._store(tx, submissions))

    def store_each(self, submissions: Sequence[Submission]) -> StoredBatch:
        """Carry out a batch as `store` does, but refuse alone what can't be stored, by halving the batch."""
        try:
            return self.store(submissions)
        except DataFault as fault:
            if len(submissions) == 1:
                refusal = Refuse(error=InternalError(), cause=fault)
                return StoredBatch(parts=(StoredPart(submissions=submissions, outcomes=(refusal,)),))
        middle = len(submissions) // 2
        # The first half first: a conversation's commands keep their order across the two transactions.
        first, second = self.store_each(submissions[:middle]), self.store_each(submissions[middle:])
        return StoredBatch(parts=first.parts + second.parts)

    def _store(self, tx: Transaction, submissions: Sequence[Submission]) -> StoredBatch:
        now_ms = self._clock.now_ms()
        touched = {one.conversation_id for one in submissions if not isinstance(one.command, Typing)}
        locked = lock_conversations(tx, touched) if touched else {}
        wanted = name_wanted(submissions, locked, contacts_only=self._contacts_only)
        ledger = open_ledger(locked, get_command_context(tx, wanted))
        outcomes = plan_commands(submissions, ledger, next_id=self._ids.next_id, now_ms=now_ms)
        written = write_ledger(tx, submissions, outcomes, ledger, now_ms=now_ms)
        part = StoredPart(submissions=submissions, outcomes=outcomes, ledger=ledger, written=written)
        return StoredBatch(parts=(part,))


def name_wanted(
    submissions: Sequence[Submission],
    locked: Mapping[ConversationId, LockedConversation],
    *,
    contacts_only: bool = False,
) -> Wanted:
    """Name what must be known to decide about these commands. Pure.

    Of large conversations those who act, and whose message somebody wants to recall. Where somebody only types, nothing
    is locked, and whether it is large is not known yet.
    """
    wanted = Wanted(conversation_ids={one.conversation_id for one in submissions}, friendships=contacts_only)
    for one in submissions:
        command, user_id = one.command, one.sender.user_id
        held = locked.get(command.conversation_id)
        if held.is_large if held is not None else isinstance(command, Typing):
            wanted.actors.add((command.conversation_id, user_id))
            if isinstance(command, RecallMessage):
                wanted.authored.add((command.conversation_id, command.seq))
        if isinstance(command, SendMessage):
            wanted.keys.add((command.conversation_id, user_id, command.client_msg_id))
            if command.conversation_id not in locked:
                wanted.newcomers.update(begins_with(one, command))
        elif isinstance(command, RecallMessage | EditMessage | AddReaction | RemoveReaction):
            wanted.targets.add((command.conversation_id, command.seq))
            if isinstance(command, AddReaction | RemoveReaction):
                wanted.reactions.add((command.conversation_id, command.seq, command.emoji, user_id))
    return wanted
