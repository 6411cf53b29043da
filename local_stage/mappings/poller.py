"""Polls one mapping's topic and keeps its workers supplied, in partition order and with as little delay as it goes."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from confluent_kafka import KafkaException

from local_stage.mappings.backlog import Backlog, BatchRules
from local_stage.mappings.commits import Committer
from local_stage.mappings.config import MappingConfig
from local_stage.mappings.delivery import Aws, Delivery
from local_stage.mappings.records import MAX_PAYLOAD_BYTES, Record
from local_stage.mappings.source import KafkaSource
from local_stage.mappings.status import MappingStatus

_HOUSEKEEPING_S = 1.0
_METADATA_S = 3.0
_LAST_COMMIT_S = 3.0
_STOP_LATENCY_S = 0.25


@dataclass(frozen=True, kw_only=True)
class PollerSettings:
    """Tune the pollers: concurrent invocations of a mapping, longest wait between attempts, the broker's fetch wait."""

    concurrency: int = 4
    max_wait_s: float = 2.0
    fetch_wait_ms: int = 20


class Poller:
    """Run one mapping: a thread that fetches, and workers that invoke; `stop` and `join` end it.

    A partition is at the function at most once at a time; what is committed was done before.
    """

    def __init__(self, config: MappingConfig, aws: Aws, settings: PollerSettings) -> None:
        self.config = config
        self.status = MappingStatus(
            uuid=config.uuid,
            function=config.function_arn,
            topic=config.topic,
            group=config.group_id,
            ignored_controls=list(config.ignored),
        )
        self._settings = settings
        self._stopping = threading.Event()
        self._changed = threading.Condition()
        self._delivery = Delivery(
            config,
            aws,
            stopping=self._stopping,
            status=self.status,
            finish=self._finish,
            max_wait_s=settings.max_wait_s,
        )
        rules = BatchRules(batch_size=config.batch_size, window_s=config.window_s, envelope=self._delivery.envelope)
        self._backlog = Backlog(rules)
        self._source = KafkaSource(config, fetch_wait_ms=settings.fetch_wait_ms, on_error=self.status.fail)
        self._committer = Committer(self._source.commit, on_error=self.status.fail)
        self._paused: set[int] = set()
        self._enough = max(1000, config.batch_size)
        # Daemons: an invocation that outlasts the grace of a shutdown must not keep the process.
        self._fetcher = threading.Thread(target=self._fetch, name=f"fetch-{config.topic}", daemon=True)
        self._workers = [
            threading.Thread(target=self._work, name=f"invoke-{config.topic}-{number}", daemon=True)
            for number in range(settings.concurrency)
        ]

    def start(self) -> None:
        """Start fetching and delivering."""
        self._committer.start()
        for thread in (self._fetcher, *self._workers):
            thread.start()

    def stop(self) -> None:
        """Ask it to end: nothing new is invoked; what runs may finish, and is committed only if it does."""
        self.status.state = "Stopping"
        self._stopping.set()
        with self._changed:
            self._changed.notify_all()

    def join(self, timeout_s: float) -> bool:
        """Wait for the end; False if an invocation still runs."""
        deadline = time.monotonic() + timeout_s
        for thread in (*self._workers, self._fetcher):
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in (*self._workers, self._fetcher))

    def close_commits(self, timeout_s: float) -> None:
        """Commit what is done, for a poller that is about to be abandoned."""
        self._committer.close(timeout_s=timeout_s)

    def _fetch(self) -> None:
        """Fetch until stopped and the workers are through; commit what they did; leave."""
        next_metadata = next_housekeeping = 0.0
        while not self._stopping.is_set():
            now = time.monotonic()
            if now >= next_metadata:
                settled = self._follow_topic()
                next_metadata = now + (_METADATA_S if settled else 0.2)
                # Asked at every look: a topic can be deleted and made anew between two of them without any error.
                self._source.identity.doubtful |= settled
            if now >= next_housekeeping:
                next_housekeeping = now + _HOUSEKEEPING_S
                self._keep_house()
            self._take_in(min(next_metadata - now, next_housekeeping - now, _STOP_LATENCY_S))
        for worker in self._workers:
            worker.join()
        if self._committer.close(timeout_s=_LAST_COMMIT_S):
            self._source.close()  # never under a commit that still waits for a broker that is away

    def _take_in(self, timeout_s: float) -> None:
        fetched = self._source.fetch(timeout_s=max(0.0, timeout_s), limit=max(100, self.config.batch_size))
        if not fetched:
            return
        now_s = time.monotonic()
        with self._changed:
            skipped = {
                item.partition
                for item in fetched
                if self._backlog.add(item.partition, item.offset, item.record, now_s=now_s)
            }
            positions = self._backlog.positions()
            self._committer.post({number: positions[number] for number in skipped})
            self._throttle()
            self._changed.notify_all()

    def _throttle(self) -> None:
        """Pause partitions that hold enough for two batches, so that one stuck partition fills no memory.

        Called with the lock held, by the fetcher and by the workers: whoever changes what waits.
        """
        for number in self._backlog.partitions():
            records, size_bytes = self._backlog.waiting(number)
            if number in self._paused:
                if records <= self._enough and size_bytes <= MAX_PAYLOAD_BYTES:
                    self._paused.discard(number)
                    self._source.resume(number)
            elif records >= 2 * self._enough or size_bytes >= 2 * MAX_PAYLOAD_BYTES:
                self._paused.add(number)
                self._source.pause(number)

    def _work(self) -> None:
        while not self._stopping.is_set():
            batch = self._next_batch()
            if batch:
                self._delivery.deliver(batch)

    def _next_batch(self) -> tuple[Record, ...]:
        with self._changed:
            while not self._stopping.is_set():
                now_s = time.monotonic()
                due_s = self._backlog.due_in(now_s=now_s)
                if due_s == 0:
                    batch = self._backlog.take(now_s=now_s)
                    self._throttle()
                    return batch
                self._changed.wait(due_s)
        return ()

    def _finish(self, records: Sequence[Record]) -> None:
        with self._changed:
            # Posted under the lock, so that commits go out in the order in which they were decided.
            self._committer.post(self._backlog.finish(records))
            self._changed.notify_all()

    def _follow_topic(self) -> bool:
        """Take up the topic's partitions as they appear, and drop them if the topic goes; False to look again soon."""
        partitions = self._source.find_partitions()
        if not self._stopping.is_set():
            self.status.state = "Running" if partitions else "Waiting"
        if partitions is None:
            return False
        identity = self._source.identity
        if not partitions:
            self._lose_topic()
            identity.doubtful = True
            self.status.fail(f"there is no topic {self.config.topic}")
            return False
        anew = identity.has_changed()
        if anew:
            self._lose_topic()
        if identity.is_known and not identity.is_settled and not self._backlog.partitions():
            return False  # back after it was gone: first learn whether it is the same topic
        return self._take_up(partitions, anew=anew) and identity.is_settled

    def _take_up(self, partitions: set[int], *, anew: bool) -> bool:
        if partitions <= self._backlog.partitions():
            return True
        try:
            starts = self._source.assign(partitions, anew=anew)
        except KafkaException as failure:
            self.status.fail(str(failure))
            return False
        with self._changed:
            for number, start in starts.items():
                self._backlog.open(number, start=start)
        self.status.partitions = len(partitions)
        return True

    def _lose_topic(self) -> None:
        """Forget the partitions of a topic that is gone: under its name may come another one, counted from 0."""
        with self._changed:
            lost = self._backlog.partitions()
            for number in lost:
                self._backlog.close(number)
            self._committer.forget()
            self._paused.clear()
        if lost:
            self._source.unassign_all()
        self.status.partitions = 0

    def _keep_house(self) -> None:
        with self._changed:
            positions = self._backlog.positions()
            outstanding = self._backlog.outstanding()
        self.status.lag = max(outstanding, self._source.lag(positions))
