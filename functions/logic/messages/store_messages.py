"""Stores a batch of messages in one transaction: locks, knows, decides, writes, notes what is to be announced."""

from collections.abc import Sequence

import msgspec

from gochat_core.clock import Clock
from gochat_core.errors import InternalError
from gochat_core.ids import IdMaker
from gochat_core.types import ConversationId, UserId
from gochat_repo.conversations import Bump, bump_conversations, insert_single_conversations, lock_conversations
from gochat_repo.messages import SendContext, StoredMessage, get_send_context, insert_messages
from gochat_repo.mysql import Database, Transaction
from gochat_repo.mysql_errors import DataFault
from gochat_repo.outbox import OutboxEntry, insert_outbox
from logic.messages.send_message import Outcome, Refuse, Store, Submission, plan_send_messages


class StoredBatch(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of each submission, and who belongs to the conversations of those that were stored."""

    outcomes: tuple[Outcome, ...]
    members: dict[ConversationId, tuple[UserId, ...]]
    noted: tuple[OutboxEntry, ...] = ()


class MessageStore:
    """Stores messages for every door: the upstream topic's batches and REST's single ones."""

    def __init__(self, database: Database, ids: IdMaker, clock: Clock) -> None:
        self._database = database
        self._ids = ids
        self._clock = clock

    def store(self, submissions: Sequence[Submission]) -> StoredBatch:
        """Store a batch in its order and commit; idempotent by (conversation, sender, client_msg_id).

        Six database round trips whatever the batch's size, two more when single chats begin. Raises `Unavailable` when
        nothing was stored or it isn't known, and `DataFault` when one of the messages can't be stored.
        """
        return self._database.transaction(lambda tx: self._store(tx, submissions))

    def store_each(self, submissions: Sequence[Submission]) -> StoredBatch:
        """Store a batch as `store` does, but refuse a message that can't be stored alone, by halving the batch."""
        try:
            return self.store(submissions)
        except DataFault as fault:
            if len(submissions) == 1:
                return StoredBatch(outcomes=(Refuse(error=InternalError(), cause=fault),), members={})
        middle = len(submissions) // 2
        # The first half first: a conversation's messages keep their order across the two transactions.
        first, second = self.store_each(submissions[:middle]), self.store_each(submissions[middle:])
        return StoredBatch(
            outcomes=first.outcomes + second.outcomes,
            members=first.members | second.members,
            noted=first.noted + second.noted,
        )

    def _store(self, tx: Transaction, submissions: Sequence[Submission]) -> StoredBatch:
        now_ms = self._clock.now_ms()
        locked = lock_conversations(tx, {one.command.conversation_id for one in submissions})
        newcomers = {
            user_id
            for one in submissions
            if one.command.to is not None and one.command.conversation_id not in locked
            for user_id in (one.sender.user_id, one.command.to)
        }
        context = get_send_context(tx, {one.key for one in submissions}, newcomers)
        outcomes = plan_send_messages(submissions, locked, context, next_id=self._ids.next_id, now_ms=now_ms)
        stores = [outcome for outcome in outcomes if isinstance(outcome, Store)]
        members = _members(context, stores)
        noted: tuple[OutboxEntry, ...] = ()
        if stores:
            noted = self._write(tx, submissions, outcomes, stores, members, now_ms)
        return StoredBatch(outcomes=tuple(outcomes), members=members, noted=noted)

    @staticmethod
    def _write(
        tx: Transaction,
        submissions: Sequence[Submission],
        outcomes: Sequence[Outcome],
        stores: Sequence[Store],
        members: dict[ConversationId, tuple[UserId, ...]],
        now_ms: int,
    ) -> tuple[OutboxEntry, ...]:
        opened = [store.opens for store in stores if store.opens is not None]
        if opened:
            insert_single_conversations(tx, opened, now_ms=now_ms)
        messages = [store.message for store in stores]
        insert_messages(tx, messages)
        bump_conversations(tx, _bumps(messages, members), now_ms=now_ms)
        noted = [
            OutboxEntry(
                conversation_id=outcome.message.conversation_id,
                kind="message",
                number=outcome.message.seq,
                origin_device_id=None if submission.sender.connection_id is None else submission.sender.device_id,
            )
            for submission, outcome in zip(submissions, outcomes, strict=True)
            if isinstance(outcome, Store)
        ]
        insert_outbox(tx, noted, now_ms=now_ms)
        return tuple(noted)


def _members(context: SendContext, stores: Sequence[Store]) -> dict[ConversationId, tuple[UserId, ...]]:
    opened = {store.opens.conversation_id: store.opens.members for store in stores if store.opens is not None}
    return opened | {
        conversation_id: tuple(user_id for user_id, held in members.items() if held.left_seq is None)
        for conversation_id, members in context.members.items()
    }


def _bumps(messages: Sequence[StoredMessage], members: dict[ConversationId, tuple[UserId, ...]]) -> list[Bump]:
    last_seqs: dict[ConversationId, Bump] = {}
    for message in messages:
        before = last_seqs.get(message.conversation_id)
        sent_seqs = dict.fromkeys(members[message.conversation_id], 0) if before is None else dict(before.sent_seqs)
        sent_seqs[message.sender_id] = message.seq
        last_seqs[message.conversation_id] = Bump(
            conversation_id=message.conversation_id, last_seq=message.seq, sent_seqs=sent_seqs
        )
    return list(last_seqs.values())
