"""Cuts what was stored in a large conversation into pages of its members, each a task of its own."""

from collections.abc import Iterator, Sequence
from hashlib import blake2b

import msgspec

from gochat_aws.kafka_producer import OutgoingRecord, RecordProducer
from gochat_contracts.records import TASK_TOPIC, FanOutPage, FanOutTask, TaskRecord, encode
from gochat_core.clock import Clock
from gochat_repo.member_pages import CUT_VERSIONS, CUTS, Cut, CutKey
from gochat_repo.read_through import ReadThrough
from task.worker.tasks import TaskVerdicts, Work

PIECE_BYTES = 4 * 1024 * 1024
"""How much is handed to the producer at a time: an edit of a long message, for 100,000 members, is more than that."""


class FanOuts:
    """Cuts fan-outs; `page_members` is about how many members a page has."""

    def __init__(self, values: ReadThrough, producer: RecordProducer, clock: Clock, *, page_members: int) -> None:
        self._values = values
        self._producer = producer
        self._clock = clock
        self._page_members = page_members

    def cut(self, works: Sequence[Work[FanOutTask]], verdicts: TaskVerdicts) -> list[Work[FanOutPage]]:
        """Write the page tasks, and return those of conversations that need only one: to be done at once.

        One cache round trip for all, if their cuts are known; one to the broker for each PIECE_BYTES. Raises
        Unavailable; safe to repeat: as long as the cut is the same, so are the pages and their names.
        """
        if not works:
            return []
        keys = {one.place: self._key(one.task) for one in works}
        (cuts,) = self._values.get_each([(CUTS, set(keys.values()))])
        at_once: list[Work[FanOutPage]] = []
        records: list[OutgoingRecord] = []
        size = 0
        for one in works:
            pages = list(plan_pages(one.record.task_id, one.task, cuts[keys[one.place]], self._page_members))
            if len(pages) == 1:
                at_once.append(Work(place=one.place, source=one.source, record=one.record, task=pages[0]))
                continue
            verdicts.pages += len(pages)
            for page in pages:
                records.append(self._record(one.record, page))
                size += records[-1].size()
                if size > PIECE_BYTES:
                    self._producer.produce(records)
                    records, size = [], 0
        self._producer.produce(records)
        return at_once

    def _key(self, task: FanOutTask) -> CutKey:
        return CutKey(
            conversation_id=task.conversation_id,
            era=task.members_version // CUT_VERSIONS,
            page_members=self._page_members,
        )

    def _record(self, whole: TaskRecord, page: FanOutPage) -> OutgoingRecord:
        task = TaskRecord(
            task_id=f"{page.cut}:{page.page}", created_at_ms=self._clock.now_ms(), task=page, trace=whole.trace
        )
        key = f"{page.fan_out.conversation_id}:{page.page}".encode()
        return OutgoingRecord(topic=TASK_TOPIC, key=key, value=encode(task))


def plan_pages(task_id: str, fan_out: FanOutTask, cut: Cut, page_members: int) -> Iterator[FanOutPage]:
    """Yield the pages of a fan-out, which cover all ids there are. Pure."""
    ends = blake2b(msgspec.msgpack.encode(cut.bounds), digest_size=8).hexdigest()
    for page, (after, up_to) in enumerate(zip((None, *cut.bounds), (*cut.bounds, None), strict=True)):
        yield FanOutPage(
            fan_out=fan_out,
            cut=f"{task_id}:{ends}",
            page=page,
            members=page_members if up_to is not None else cut.rows - page_members * len(cut.bounds),
            after_user_id=after,
            up_to_user_id=up_to,
        )
