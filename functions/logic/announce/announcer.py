"""Announces what a committed transaction stored, and ticks it off in the outbox once the broker holds it."""

import contextlib
from collections.abc import Iterator, Sequence

from gochat_aws.kafka_producer import OutgoingRecord, RecordProducer
from gochat_core.clock import Clock
from gochat_core.errors import Unavailable
from gochat_repo.connections import Connections
from gochat_repo.mysql import Database, DeferredWrite
from gochat_repo.outbox import OutboxEntry, claim_overdue, start_delete_outbox
from logic.announce.announcement import Announcement, plan_announcement
from logic.announce.cache_effects import plan_cache_effects
from logic.announce.noted import load_noted

OVERDUE_CHECK_MS = 10_000
"""How often one container looks for announcements that others left behind: one read every so often, not every batch."""

_NOTHING = Announcement()


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
        now_ms = self._clock.now_ms()
        self._produce(self._overdue(announcement.noted, now_ms) + announcement, beside, noted_by_ms=now_ms)

    def announce_noted(self, noted: Sequence[OutboxEntry]) -> None:
        """Announce what a transaction that has committed noted in the outbox, read again as it is now; repeatable.

        One to a few database round trips to read, one to tick off. Raises `Unavailable`: then the rows stay, and
        whoever comes by 30 s later announces them.
        """
        if not noted:
            return
        now_ms = self._clock.now_ms()
        self._produce(self.load_noted(noted), noted_by_ms=now_ms)

    def load_noted(self, noted: Sequence[OutboxEntry]) -> Announcement:
        """Read again what stands in the outbox: messages and conversations as they are now, and present members."""
        return self._database.read(lambda tx: load_noted(tx, noted))

    def _produce(self, announcement: Announcement, beside: Sequence[OutgoingRecord] = (), *, noted_by_ms: int) -> None:
        audience = announcement.audience()
        effects = plan_cache_effects(announcement)
        connections = self._connections.find(audience, also=effects) if audience or effects else {}
        records = [*plan_announcement(announcement, connections, now_ms=self._clock.now_ms()), *beside]
        with self._ticked_off(announcement.noted, noted_by_ms):
            self._producer.produce(records)

    def _overdue(self, own: Sequence[OutboxEntry], now_ms: int) -> Announcement:
        if now_ms - self._looked_at_ms < OVERDUE_CHECK_MS:
            return _NOTHING
        self._looked_at_ms = now_ms
        announced_now = {one.key for one in own}
        try:
            claimed = self._database.transaction(lambda tx: claim_overdue(tx, now_ms=now_ms))
            left = [one for one in claimed if one.key not in announced_now]
            return self.load_noted(left) if left else _NOTHING
        except Unavailable:
            # Somebody else will find them; what this batch stored is announced in any case.
            return _NOTHING

    @contextlib.contextmanager
    def _ticked_off(self, noted: Sequence[OutboxEntry], noted_by_ms: int) -> Iterator[None]:
        """Delete outbox rows if the block succeeds; the statement travels while the block waits for the broker."""
        deletion: DeferredWrite | None = None
        if noted:
            # What can't be deleted now is announced once more, later.
            with contextlib.suppress(Unavailable):
                deletion = start_delete_outbox(self._database, noted, noted_by_ms=noted_by_ms)
        try:
            yield
        except BaseException:
            if deletion is not None:
                deletion.abandon()
            raise
        if deletion is not None:
            deletion.commit()
