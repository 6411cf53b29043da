"""Keeps fetched records in partition order until they are done; decides on the next batch and on what to commit."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from local_stage.mappings.records import MAX_PAYLOAD_BYTES, Envelope, Record


@dataclass(kw_only=True)
class _Partition:
    """Hold one partition: what waits, what is under way, and how far everything is done."""

    # Every offset below is done: what Kafka calls the committed offset. None until the first record tells it.
    done_until: int | None
    waiting: deque[tuple[int, Record | None, float]] = field(default_factory=deque)  # None: filtered out
    waiting_records: int = 0
    waiting_bytes: int = 0
    under_way: dict[int, Record | None] = field(default_factory=dict)  # in order; None: done
    busy: bool = False  # records of it are at the function: on AWS one invocation at a time per partition
    last_offset: int = -1


@dataclass(frozen=True, kw_only=True)
class BatchRules:
    """Say how a mapping batches: by count, by time since the first record (0: whatever is there), by payload size."""

    batch_size: int
    window_s: float
    envelope: Envelope
    max_bytes: int = MAX_PAYLOAD_BYTES


class Backlog:
    """Hold a mapping's records. No I/O and no clock of its own; the caller guards it with a lock."""

    def __init__(self, rules: BatchRules) -> None:
        self._rules = rules
        self._partitions: dict[int, _Partition] = {}

    def open(self, partition: int, *, start: int | None) -> None:
        """Take a partition up, empty, at the offset from which it is read (None: the first record will tell).

        What was known of it is forgotten.
        """
        self._partitions[partition] = _Partition(done_until=start)

    def close(self, partition: int) -> None:
        """Forget a partition; records of it that are still at the function no longer count."""
        self._partitions.pop(partition, None)

    def add(self, partition: int, offset: int, record: Record | None, *, now_s: float) -> bool:
        """Append a fetched record, or None for one that the filter drops; say whether the commit moved on.

        An offset that goes back means that the topic was made anew: what was known of the partition is forgotten.
        """
        held = self._partitions.get(partition)
        if held is None:
            return False
        if offset <= held.last_offset:
            self.open(partition, start=offset)
            held = self._partitions[partition]
        if held.done_until is None:
            held.done_until = offset
        held.last_offset = offset
        if record is None and not held.busy and not held.waiting:
            held.done_until = offset + 1
            return True
        held.waiting.append((offset, record, now_s))
        held.waiting_records += 1 if record else 0
        held.waiting_bytes += record.size_bytes if record else 0
        return False

    def take(self, *, now_s: float) -> tuple[Record, ...]:
        """Return the next batch, () if none is due; its partitions are busy until `finish` of all its records."""
        if self.due_in(now_s=now_s) != 0:
            return ()
        batch: list[Record] = []
        free = self._rules.max_bytes
        for _, held in self._idle():
            if len(batch) >= self._rules.batch_size:
                break
            free, full = self._take_from(held, batch, free)
            if full:
                break
        return tuple(batch)

    def due_in(self, *, now_s: float) -> float | None:
        """Return the seconds until a batch is due, 0 if one is, None if no idle partition has records."""
        idle = self._idle()
        if not idle:
            return None
        if sum(held.waiting_records for _, held in idle) >= self._rules.batch_size:
            return 0.0
        if sum(held.waiting_bytes for _, held in idle) >= self._rules.max_bytes:
            return 0.0
        return max(0.0, idle[0][1].waiting[0][2] + self._rules.window_s - now_s)

    def finish(self, records: Iterable[Record]) -> dict[int, int]:
        """Mark records as done (delivered, or given up); return the offsets that may now be committed."""
        moved: dict[int, int] = {}
        for record in records:
            held = self._partitions.get(record.partition)
            if held is None or held.under_way.get(record.offset) is not record:
                continue  # of a partition that was lost, or made anew, in the meantime
            held.under_way[record.offset] = None
            if self._advance(held) and held.done_until is not None:
                moved[record.partition] = held.done_until
        return moved

    def partitions(self) -> set[int]:
        """Return the partitions that are open."""
        return set(self._partitions)

    def positions(self) -> dict[int, int]:
        """Return for each partition of which anything is known the offset below which everything is done."""
        known = self._partitions.items()
        return {number: held.done_until for number, held in known if held.done_until is not None}

    def waiting(self, partition: int) -> tuple[int, int]:
        """Return how many records, and bytes of event, wait in a partition."""
        held = self._partitions.get(partition)
        return (len(held.waiting), held.waiting_bytes) if held else (0, 0)

    def outstanding(self) -> int:
        """Return how many fetched records are not done yet."""
        return sum(
            held.waiting_records + sum(record is not None for record in held.under_way.values())
            for held in self._partitions.values()
        )

    def _idle(self) -> list[tuple[int, _Partition]]:
        """List the partitions that a batch may take from, the one whose record has waited longest first."""
        idle = [(number, held) for number, held in self._partitions.items() if held.waiting and not held.busy]
        return sorted(idle, key=lambda item: item[1].waiting[0][2])

    def _take_from(self, held: _Partition, batch: list[Record], free: int) -> tuple[int, bool]:
        """Move records from a partition into the batch; return the bytes left and whether the batch is full.

        A record that alone is too large still goes, alone: the delivery gives it up in its turn.
        """
        places = {record.place for record in batch}
        while held.waiting and len(batch) < self._rules.batch_size:
            offset, record, _ = held.waiting[0]
            if record is not None:
                places.add(record.place)
                overhead = self._rules.envelope.size_bytes(len(places))
                if batch and record.size_bytes + overhead > free:
                    return free, True
                batch.append(record)
                free -= record.size_bytes
                held.waiting_records -= 1
                held.waiting_bytes -= record.size_bytes
                held.busy = True
            held.under_way[offset] = record
            held.waiting.popleft()
        self._advance(held)
        return free, False

    def _advance(self, held: _Partition) -> bool:
        """Move the partition's commit over everything done at its front; free it when nothing is under way."""
        before = held.done_until
        while held.under_way:
            offset = next(iter(held.under_way))
            if held.under_way[offset] is not None:
                return held.done_until != before
            del held.under_way[offset]
            held.done_until = offset + 1
        held.busy = False
        while held.waiting and held.waiting[0][1] is None:
            held.done_until = held.waiting.popleft()[0] + 1
        return held.done_until != before
