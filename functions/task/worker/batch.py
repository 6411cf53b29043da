"""A batch of tasks: read once, each kind handled by its own module, in pieces that bound what is held at a time."""

from collections.abc import Callable, Sequence

from gochat_aws.kafka_event import IncomingRecord, dead_letter
from gochat_aws.kafka_producer import OutgoingRecord, RecordProducer
from gochat_contracts.records import FanOutPage, FanOutTask, OfflineTask, TaskRecord, UnreadableRecordError, decode
from gochat_core.clock import Clock
from gochat_core.errors import Unavailable
from task.worker.fan_out import FanOuts
from task.worker.offline import OfflineTasks
from task.worker.pages import FanOutPages
from task.worker.tasks import TaskT, TaskVerdicts, Work


class TaskBatches:
    """Applies batches of tasks; one for the life of a container."""

    def __init__(
        self, fan_outs: FanOuts, pages: FanOutPages, offline: OfflineTasks, producer: RecordProducer, clock: Clock
    ) -> None:
        self._fan_outs = fan_outs
        self._pages = pages
        self._offline = offline
        self._producer = producer
        self._clock = clock

    def apply(self, records: Sequence[IncomingRecord]) -> TaskVerdicts:
        """Apply tasks; safe to repeat: clients know a message by its seq, and pages that are done are passed over.

        Each piece ends with everything that it says held by the broker. When a store is away, the records of that piece
        and of those behind it fail, and nothing more is tried.
        """
        verdicts = TaskVerdicts()
        letters: list[OutgoingRecord] = []
        fan_outs: list[Work[FanOutTask]] = []
        pages: list[Work[FanOutPage]] = []
        offline: list[Work[OfflineTask]] = []
        for place, record in enumerate(records):
            try:
                read = decode(TaskRecord, record.value or b"")
            except UnreadableRecordError as fault:
                now_ms = self._clock.now_ms()
                letters.append(dead_letter(record, reason="unreadable", detail=str(fault), now_ms=now_ms))
                continue
            match read.task:
                case FanOutTask() as task:
                    fan_outs.append(Work(place=place, source=record, record=read, task=task))
                case FanOutPage() as task:
                    pages.append(Work(place=place, source=record, record=read, task=task))
                case OfflineTask() as task:
                    offline.append(Work(place=place, source=record, record=read, task=task))
        try:
            self._producer.produce(letters)
            verdicts.dead_letters += len(letters)
            # What fits into one page needs no further task.
            pages += self._fan_outs.cut(fan_outs, verdicts)
            pages = self._pages.leave_out_done(pages, verdicts)
        except Unavailable as outage:
            verdicts.outage = outage
            verdicts.failed.update(range(len(records)))
            return verdicts
        _apply_each(self._pages.pieces(pages), self._pages.apply, verdicts)
        _apply_each(self._offline.pieces(offline), self._offline.apply, verdicts)
        return verdicts


def _apply_each(
    pieces: Sequence[Sequence[Work[TaskT]]],
    apply: Callable[[Sequence[Work[TaskT]], TaskVerdicts], None],
    verdicts: TaskVerdicts,
) -> None:
    for piece in pieces:
        if verdicts.outage is None:
            try:
                apply(piece, verdicts)
            except Unavailable as outage:
                verdicts.outage = outage
        if verdicts.outage is not None:
            verdicts.failed.update(one.place for one in piece)
