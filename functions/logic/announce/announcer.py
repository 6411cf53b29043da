"""Announces what a committed transaction stored, and ticks it off in the outbox once the broker holds it."""

import contextlib
from collections.abc import Iterator, Sequence

from gochat_aws.kafka_producer import OutgoingRecord, RecordProducer
from gochat_core.clock import Clock
from gochat_core.errors import Unavailable
from gochat_core.types import ConversationId, Seq
from gochat_repo.connections import Connections
from gochat_repo.messages import StoredMessage, get_messages
from gochat_repo.mysql import Database, DeferredWrite, Transaction
from gochat_repo.outbox import OutboxMessage, claim_overdue, start_delete_outbox
from gochat_repo.participants import list_members
from logic.announce.announcement import Announcement, News, plan_announcement

OVERDUE_CHECK_MS = 10_000
"""How often one container looks for announcements that others left behind: one read every so often, not every batch."""


class Announcer:
    """Produces announcements; keeps the time of its last look for overdue ones, and nothing else."""

    def __init__(self, database: Database, connections: Connections, producer: RecordProducer, clock: Clock) -> None:
        self._database = database
        self._connections = connections
        self._producer = producer
        self._clock = clock
        self._looked_at_ms = 0  # where messages are rare, every container's first batch may be its only one

    def announce(self, announcement: Announcement, *, beside: Sequence[OutgoingRecord] = ()) -> None:
        """Produce the announcement, and the records `beside` it, and wait until the broker holds them all.

        Connections are looked up here, after the commit: a client that connects in between gets the message now or by
        its own catch-up, which reads the writer. Raises `Unavailable` when not all is known to be held; then the outbox
        rows stay, and whoever repeats the batch, or comes by later, announces again.
        """
        news = (*announcement.news, *self._overdue_news(announcement.news))
        whole = Announcement(news=news, answers=announcement.answers)
        audience = whole.audience()
        connections = self._connections.find(audience) if audience else {}
        records = [*plan_announcement(whole, connections, now_ms=self._clock.now_ms()), *beside]
        with self._ticked_off([(one.message.conversation_id, one.message.seq) for one in news]):
            self._producer.produce(records)

    def load_news(self, noted: Sequence[OutboxMessage]) -> list[News]:
        """Read again what stands in the outbox: the messages as they are now, and their present members."""
        return self._database.read(lambda tx: _load_news(tx, noted))

    def _overdue_news(self, own: Sequence[News]) -> list[News]:
        now_ms = self._clock.now_ms()
        if now_ms - self._looked_at_ms < OVERDUE_CHECK_MS:
            return []
        self._looked_at_ms = now_ms
        announced_now = {(one.message.conversation_id, one.message.seq) for one in own}
        try:
            claimed = self._database.transaction(lambda tx: claim_overdue(tx, now_ms=now_ms))
            left = [one for one in claimed if (one.conversation_id, one.seq) not in announced_now]
            return self.load_news(left) if left else []
        except Unavailable:
            # Somebody else will find them; what this batch stored is announced in any case.
            return []

    @contextlib.contextmanager
    def _ticked_off(self, places: Sequence[tuple[ConversationId, Seq]]) -> Iterator[None]:
        """Delete outbox rows if the block succeeds; the statement travels while the block waits for the broker."""
        deletion: DeferredWrite | None = None
        if places:
            # What can't be deleted now is announced once more, later.
            with contextlib.suppress(Unavailable):
                deletion = start_delete_outbox(self._database, places)
        try:
            yield
        except BaseException:
            if deletion is not None:
                deletion.abandon()
            raise
        if deletion is not None:
            deletion.commit()


def _load_news(tx: Transaction, noted: Sequence[OutboxMessage]) -> list[News]:
    messages: dict[tuple[ConversationId, Seq], StoredMessage] = {
        (message.conversation_id, message.seq): message
        for message in get_messages(tx, [(one.conversation_id, one.seq) for one in noted])
    }
    members = list_members(tx, {one.conversation_id for one in noted})
    return [
        News(
            message=message,
            members=tuple(
                user for user, held in members.get(one.conversation_id, {}).items() if held.contains(one.seq)
            ),
            origin_device_id=one.origin_device_id,
            accepted_at_ms=message.created_at_ms,
        )
        for one in noted
        if (message := messages.get((one.conversation_id, one.seq))) is not None
    ]
