"""Takes one batch of the upstream topic from its bytes to the broker's receipt of everything that it caused."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from gochat_aws.kafka_event import IncomingRecord, dead_letter
from gochat_aws.kafka_producer import OutgoingRecord, RecordProducer
from gochat_contracts.commands import EditMessage, SendMessage
from gochat_contracts.records import UnreadableRecordError, UpstreamRecord, decode
from gochat_core.clock import Clock
from gochat_core.errors import Unavailable
from gochat_core.tracing import TRACE_HEADER
from gochat_repo.mysql_errors import DataFault
from logic.announce.announcer import Announcer
from logic.commands.outcomes import Change, Mark, Outcome, Refuse, Repeat, Show, Store, Unchanged
from logic.commands.submission import Submission
from logic.pipeline.store_commands import CommandStore, StoredBatch
from logic.pipeline.tell_outcomes import tell_outcomes, unannounced

_COUNTED: dict[type[Outcome], str] = {
    Store: "stored",
    Repeat: "duplicate",
    Change: "changed",
    Unchanged: "unchanged",
    Mark: "marked",
    Show: "shown",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdicts:
    """What became of a batch: which records must come again, and the counts for logs and metrics.

    `counts` is by what became of them, `actions` by what was asked for, `rejected` by code. `faults` are our own
    failures on single records, `outage` is what made records fail.
    """

    failed: frozenset[int] = frozenset()
    counts: Counter[str] = field(default_factory=Counter)
    actions: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    submissions: tuple[Submission, ...] = ()
    faults: tuple[Exception, ...] = ()
    outage: Unavailable | None = None


class UpstreamBatches:
    """Applies batches; one for the life of a container."""

    def __init__(
        self,
        store: CommandStore,
        announcer: Announcer,
        producer: RecordProducer,
        clock: Clock,
        *,
        honours_partial: bool = True,
    ) -> None:
        """`honours_partial`: whether the mapping brings back the failed records alone, and not the whole batch."""
        self._store = store
        self._announcer = announcer
        self._producer = producer
        self._clock = clock
        self._honours_partial = honours_partial

    def apply(self, records: Sequence[IncomingRecord]) -> Verdicts:
        """Apply records in their order, each with a verdict of its own; safe to repeat, in whole or in part.

        A record that can never succeed goes to the dead-letter topic. When MySQL or the broker is away the records are
        returned as failed: what was stored meanwhile is found again, and announced then.
        """
        readable, submissions, letters = self._read(records)
        try:
            batch = self._store.store_each(submissions) if submissions else StoredBatch()
        except Unavailable as outage:
            return self._without_store(len(records), readable, submissions, letters, outage)
        letters += [
            self._letter(records[index], outcome)
            for index, outcome in zip(readable, batch.outcomes, strict=True)
            if isinstance(outcome, Refuse) and outcome.cause is not None
        ]
        try:
            announcement = tell_outcomes(batch)
            if missed := unannounced(batch):
                announcement = self._announcer.load_noted(missed) + announcement
            self._announcer.announce(announcement, beside=letters)
        except Unavailable as outage:
            return Verdicts(failed=frozenset(range(len(records))), submissions=submissions, outage=outage)
        return _count(submissions, batch.outcomes, dead_letters=len(letters))

    def _read(
        self, records: Sequence[IncomingRecord]
    ) -> tuple[list[int], tuple[Submission, ...], list[OutgoingRecord]]:
        """Return the readable records' indexes, what they ask for, and dead letters for the others."""
        readable: list[int] = []
        submissions: list[Submission] = []
        letters: list[OutgoingRecord] = []
        for index, record in enumerate(records):
            try:
                submissions.append(read_submission(record))
            except UnreadableRecordError as fault:
                now_ms = self._clock.now_ms()
                letters.append(dead_letter(record, reason="unreadable", detail=str(fault), now_ms=now_ms))
            else:
                readable.append(index)
        return readable, tuple(submissions), letters

    def _letter(self, record: IncomingRecord, refusal: Refuse) -> OutgoingRecord:
        return dead_letter(
            record,
            reason="bad_data" if isinstance(refusal.cause, DataFault) else "fault",
            detail=repr(refusal.cause),
            now_ms=self._clock.now_ms(),
        )

    def _without_store(
        self,
        size: int,
        readable: Sequence[int],
        submissions: tuple[Submission, ...],
        letters: Sequence[OutgoingRecord],
        outage: Unavailable,
    ) -> Verdicts:
        """While MySQL is away, the unreadable records need not come again with the others, if that can be told."""
        whole = Verdicts(failed=frozenset(range(size)), submissions=submissions, outage=outage)
        if not self._honours_partial:
            return whole
        try:
            self._producer.produce(letters)
        except Unavailable:
            return whole
        return Verdicts(
            failed=frozenset(readable),
            counts=Counter(dead_letters=len(letters)),
            submissions=submissions,
            outage=outage,
        )


def read_submission(record: IncomingRecord) -> Submission:
    """Decode what a client asked for; raises `UnreadableRecordError` for what can never be read."""
    upstream = decode(UpstreamRecord, record.value or b"")
    command = upstream.command
    if isinstance(command, SendMessage | EditMessage):
        try:
            bytes(command.content).decode()
        except UnicodeDecodeError as fault:
            raise UnreadableRecordError(f"content is not UTF-8: {fault}") from fault
    return Submission(
        sender=upstream.sender,
        command=command,
        accepted_at_ms=upstream.accepted_at_ms,
        frame_id=upstream.frame_id,
        trace=record.header(TRACE_HEADER),
    )


def _count(submissions: tuple[Submission, ...], outcomes: Sequence[Outcome], *, dead_letters: int) -> Verdicts:
    counts: Counter[str] = Counter(dead_letters=dead_letters)
    rejected: Counter[str] = Counter()
    for outcome in outcomes:
        if isinstance(outcome, Refuse):
            rejected[outcome.error.code] += 1
        else:
            counts[_COUNTED[type(outcome)]] += 1
    return Verdicts(
        counts=counts,
        actions=Counter(one.action for one in submissions),
        rejected=rejected,
        submissions=submissions,
        faults=tuple(one.cause for one in outcomes if isinstance(one, Refuse) and one.cause is not None),
    )
